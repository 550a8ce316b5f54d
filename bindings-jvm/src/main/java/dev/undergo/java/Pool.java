package dev.undergo.java;

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
            return new PoolStats(
                    Memory.getLong(at), Memory.getLong(at + 8), Memory.getLong(at + 16), Memory.getLong(at + 24),
                    Memory.getLong(at + 32), Memory.getLong(at + 40), Memory.getLong(at + 48), Memory.getLong(at + 56));
        } finally {
            Memory.free(at);
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
