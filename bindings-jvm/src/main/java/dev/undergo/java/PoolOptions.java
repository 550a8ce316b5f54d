package dev.undergo.java;

import java.time.Duration;

/**
 * How many instances a pool has, and for how long.
 *
 * @param size the maximum number of instances, which are created when calls need them.
 * @param maxCalls an instance is replaced after this many calls; 0: it serves as long as it lives.
 * @param idle after how long an unused instance is dropped; null: it is kept.
 * @param warm how many instances are created at once.
 */
public record PoolOptions(int size, long maxCalls, Duration idle, int warm) {
    public PoolOptions {
        if (size < 1 || maxCalls < 0 || warm < 0 || idle != null && idle.isNegative()) {
            throw new IllegalArgumentException("a pool of size " + size + " can't be made with maxCalls " + maxCalls + ", idle " + idle + " and warm " + warm);
        }
    }

    /** A pool of at most so many instances, which are kept. */
    public PoolOptions(int size) {
        this(size, 0, null, 0);
    }
}
