package dev.undergo.java;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * An instance, a pool or a plugin of the library, which is freed when it is closed and nobody uses
 * it.
 */
final class Callee {
    private static final int CLOSED = 1 << 30;

    final long handle;
    /** The library's function for a call; 0 for a plugin. */
    final long enter;
    /** Turns of those that must not hold a thread while they wait. */
    final Turns turns;
    private final long free;
    private final String noun;
    /** The pool that has lent it, which is used as long; null for none. */
    private final Callee lender;
    /** How many use it, and whether it is closed. */
    private final AtomicInteger state = new AtomicInteger();

    Callee(long handle, long enter, long free, int size, String noun) {
        this(handle, enter, free, size, noun, null);
    }

    Callee(long handle, long enter, long free, int size, String noun, Callee lender) {
        this.lender = lender;
        this.handle = handle;
        this.enter = enter;
        this.free = free;
        this.turns = new Turns(size);
        this.noun = noun;
    }

    /** Begins to use it, until {@link #leave}. */
    void join() {
        while (true) {
            int now = state.get();
            if ((now & CLOSED) != 0) {
                throw UndergoException.of(ErrorKind.DEAD_INSTANCE, "the " + noun + " is closed");
            }
            if (state.compareAndSet(now, now + 1)) {
                return;
            }
        }
    }

    void leave() {
        if (state.decrementAndGet() == CLOSED) {
            free();
        }
    }

    private void free() {
        Library.call(free, handle);
        if (lender != null) {
            lender.leave();
        }
    }

    /** Refuses further use. */
    void close() {
        while (true) {
            int now = state.get();
            if ((now & CLOSED) != 0) {
                return;
            }
            if (state.compareAndSet(now, now | CLOSED)) {
                if (now == 0) {
                    free();
                }
                return;
            }
        }
    }

    boolean isClosed() {
        return (state.get() & CLOSED) != 0;
    }

    /** What is done with the handle. */
    interface Use<T> {
        T with(long handle);
    }

    <T> T use(Use<T> code) {
        join();
        try {
            return code.with(handle);
        } finally {
            leave();
        }
    }

    /** A text that the library has of it; null for none. */
    String text(long function) {
        return use(handle -> Library.text(Library.call(function, handle)));
    }

    boolean is(long function) {
        return use(handle -> Library.is(Library.call(function, handle)));
    }

    /** The texts of a function that gives one for each index. */
    List<String> each(long function) {
        return use(handle -> {
            List<String> found = new ArrayList<>();
            while (true) {
                String text = Library.text(Library.call(function, handle, found.size()));
                if (text == null) {
                    return List.copyOf(found);
                }
                found.add(text);
            }
        });
    }

    /** A word that a function writes. */
    long word(long function) {
        long out = Memory.allocate(8);
        try {
            Memory.putLong(out, 0);
            use(handle -> {
                UndergoException.check(Library.call(function, handle, out));
                return null;
            });
            return Memory.getLong(out);
        } finally {
            Memory.free(out);
        }
    }
}
