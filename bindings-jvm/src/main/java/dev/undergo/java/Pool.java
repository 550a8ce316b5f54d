package dev.undergo.java;

import java.lang.ref.Reference;
import java.time.Duration;

/**
 * Interchangeable instances of one plugin, for many threads. A call takes a free instance, creates
 * one, or waits for its turn: first come, first served. An instance that a call has killed is
 * replaced. Which one answers is not defined.
 */
public final class Pool extends Exports implements AutoCloseable {
    private final int size;

    Pool(Plugin plugin, Callee callee, long limit, int size) {
        super(plugin, callee, limit, 0, null);
        this.size = size;
        Plugin.CLEANER.register(this, callee::close);
    }

    /** The maximum number of instances. */
    public int size() {
        return size;
    }

    /** What it has done so far, and what it has now. */
    public PoolStats stats() {
        long at = Memory.allocate(64);
        try {
            callee.use(handle -> {
                UndergoException.check(Library.call(Library.POOL_STATS, handle, at));
                return null;
            });
            return PoolStats.read(at);
        } finally {
            Memory.free(at);
        }
    }

    /**
     * Lends an instance to one caller, for calls that belong together, and for handles, which calls
     * of a pool can't give. {@link Instance#close} returns it, on any thread, and closes its
     * handles. It counts as one call. A thread that has the last one waits for another in vain.
     */
    public Instance take() {
        return take(null);
    }

    /**
     * The same within a time.
     *
     * @param timeout how long the wait for an instance may take; null for the limit of the
     *     instances.
     */
    public Instance take(Duration timeout) {
        long options = Memory.allocate(24);
        callee.join();
        try {
            Memory.putLong(options, Options.nanoseconds(timeout));
            Memory.putLong(options + 8, 0);
            Memory.putLong(options + 16, 0);
            Elsewhere.run(() -> UndergoException.check(Library.call(Library.POOL_LEND, callee.handle, options, options + 16)));
            long lent = Memory.getLong(options + 16);
            // The pool is not freed before.
            return new Instance(plugin, new Callee(lent, Library.INSTANCE_ENTER, Library.INSTANCE_DELETE, 1, "instance", callee), limit);
        } catch (Throwable thrown) {
            callee.leave();
            throw thrown;
        } finally {
            Memory.free(options);
            Reference.reachabilityFence(this);
        }
    }

    /** Creates instances until there are that many, or as many as the pool may have. */
    public void warmUp(int instances) {
        if (instances < 0) {
            throw new IllegalArgumentException("a pool can't be warmed up to " + instances + " instances");
        }
        callee.use(handle -> {
            UndergoException.check(Library.call(Library.POOL_WARM_UP, handle, instances));
            return null;
        });
    }

    /** Whether it is closed. */
    public boolean isClosed() {
        return callee.isClosed();
    }

    /**
     * Refuses new calls and those that wait, which throw {@link DeadInstanceException}. Running
     * calls go on, and then all is freed. It may be called in a host function, and more than once.
     */
    @Override
    public void close() {
        if (!isClosed()) {
            try {
                shut(1);
            } catch (CallTimeoutException | BusyException | DeadInstanceException stillRunning) {
                // The pool refuses calls all the same.
            }
            callee.close();
        }
    }

    /**
     * The same, and waits for running calls.
     *
     * @param timeout null for as long as it takes. After that time it throws {@link
     *     CallTimeoutException}, and the pool is closed all the same.
     */
    public void close(Duration timeout) {
        try {
            shut(Options.nanoseconds(timeout));
        } finally {
            callee.close();
        }
    }

    private void shut(long nanoseconds) {
        callee.use(handle -> {
            UndergoException.check(Library.call(Library.POOL_CLOSE, handle, nanoseconds));
            return null;
        });
    }

    @Override
    public String toString() {
        return "Pool(" + size + " × " + plugin + ")";
    }
}
