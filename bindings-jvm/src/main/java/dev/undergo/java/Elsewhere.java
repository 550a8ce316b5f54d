package dev.undergo.java;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Calls that are made on another thread: those of virtual threads, whose carriers a call would hold
 * for as long as it takes, and those whose result is a future.
 */
final class Elsewhere {
    /** A guest has a stack of 4 MiB by default, and host functions come on top of it. */
    private static final long STACK = 8L << 20;

    private static final AtomicInteger COUNT = new AtomicInteger();

    static final ExecutorService THREADS = new ThreadPoolExecutor(0, Integer.MAX_VALUE, 10, TimeUnit.SECONDS, new SynchronousQueue<>(), task -> {
        Thread thread = new Thread(null, task, "undergo-" + COUNT.incrementAndGet(), STACK);
        thread.setDaemon(true);
        return thread;
    });

    /** {@code Thread.isVirtual} of Java 21 and later. */
    private static final MethodHandle IS_VIRTUAL = isVirtual();

    private Elsewhere() {}

    private static MethodHandle isVirtual() {
        try {
            return MethodHandles.lookup().findVirtual(Thread.class, "isVirtual", MethodType.methodType(boolean.class));
        } catch (ReflectiveOperationException error) {
            return MethodHandles.dropArguments(MethodHandles.constant(boolean.class, false), 0, Thread.class);
        }
    }

    /** Whether this thread is a virtual one. */
    static boolean isNeeded() {
        try {
            return (boolean) IS_VIRTUAL.invokeExact(Thread.currentThread());
        } catch (Throwable error) {
            throw new AssertionError(error);
        }
    }

    /** Waits for a turn and for the call, without a carrier. */
    static void enter(Exports exports, long entry, long timeoutAt) {
        long before = System.nanoTime();
        wait(exports);
        try {
            long timeout = Memory.getLong(timeoutAt);
            if (timeout != 0) {
                Memory.putLong(timeoutAt, Math.max(timeout - (System.nanoTime() - before), 1));
            }
            CompletableFuture.runAsync(() -> Jni.enter(exports.callee.enter, entry), THREADS).join();
        } finally {
            exports.callee.turns.give();
        }
    }

    /** Does something that calls the library, without a carrier. */
    static void run(Runnable task) {
        if (!isNeeded()) {
            task.run();
            return;
        }
        try {
            CompletableFuture.runAsync(task, THREADS).join();
        } catch (CompletionException error) {
            throw UndergoException.sneaky(error.getCause());
        }
    }

    private static void wait(Exports exports) {
        try {
            turn(exports).join();
        } catch (CompletionException error) {
            throw gaveUp(exports, error.getCause());
        }
    }

    /** What completes when a call may begin, or its time is over before, or it was cancelled. */
    static CompletableFuture<Void> turn(Exports exports) {
        CompletableFuture<Void> turn = exports.callee.turns.take();
        if (turn.isDone()) {
            return turn;
        }
        long timeout = exports.timeout != 0 ? exports.timeout : exports.limit;
        if (timeout != 0) {
            turn.orTimeout(timeout, TimeUnit.NANOSECONDS);
        }
        if (exports.cancel != null) {
            exports.cancel.tell(turn);
        }
        return turn;
    }

    /** The error of a call that never began. */
    static RuntimeException gaveUp(Exports exports, Throwable why) {
        if (why instanceof TimeoutException) {
            return UndergoException.of(ErrorKind.TIMEOUT, "the call waited for its turn for as long as it may take");
        }
        return UndergoException.of(ErrorKind.CANCELLED, "the call was cancelled before it began");
    }
}
