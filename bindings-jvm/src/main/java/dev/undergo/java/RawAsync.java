package dev.undergo.java;

import java.lang.ref.Reference;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/**
 * Work on threads of this package. For the package for Kotlin: programs have no use for it, and it
 * changes with that.
 */
public final class RawAsync {
    private RawAsync() {}

    /**
     * Runs code with a token that is cancelled with the future, or with another token, which may be
     * null.
     */
    public static <T> CompletableFuture<T> run(CancelToken cancel, Function<CancelToken, T> code) {
        CancelToken own = CancelToken.within(cancel);
        CompletableFuture<T> future = cancelling(own);
        Elsewhere.THREADS.execute(() -> complete(future, own, code));
        return future;
    }

    /**
     * Makes a call when its turn has come, by a view whose calls end when the future is cancelled.
     * In a host function it is made at once.
     */
    public static <T> CompletableFuture<T> call(Exports of, Function<Exports, T> call) {
        if (Dispatcher.isInHost()) {
            CompletableFuture<T> future = new CompletableFuture<>();
            complete(future, of, call);
            return future;
        }
        Exports exports = new Exports.View(of, of.timeout, CancelToken.within(of.cancel));
        CompletableFuture<T> future = cancelling(exports.cancel);
        Elsewhere.turn(exports).whenComplete((turn, gaveUp) -> {
            if (gaveUp != null) {
                future.completeExceptionally(Elsewhere.gaveUp(exports, gaveUp));
                return;
            }
            try {
                Elsewhere.THREADS.execute(() -> {
                    try {
                        complete(future, exports, call);
                    } finally {
                        exports.callee.turns.give();
                        Reference.reachabilityFence(of);
                    }
                });
            } catch (Throwable noThread) {
                exports.callee.turns.give();
                future.completeExceptionally(noThread);
            }
        });
        return future;
    }

    /** What calls the methods of an object. */
    public static Exports exports(GuestObject object) {
        return object.exports;
    }

    /** An object whose methods are called by another view of its instance. */
    public static Resource on(Exports view, Resource object) {
        return new Resource(object, view);
    }

    /** Whether these are views of the same instance or pool. */
    public static boolean isSame(Exports one, Exports other) {
        return one.callee == other.callee;
    }

    private static <T> CompletableFuture<T> cancelling(CancelToken token) {
        CompletableFuture<T> future = new CompletableFuture<>();
        future.whenComplete((result, error) -> {
            if (error instanceof CancellationException) {
                token.cancel();
            }
        });
        return future;
    }

    private static <T, A> void complete(CompletableFuture<T> future, A argument, Function<A, T> code) {
        try {
            future.complete(code.apply(argument));
        } catch (Throwable thrown) {
            future.completeExceptionally(thrown);
        }
    }
}
