package dev.undergo.java;

/**
 * What a pool has done so far, and what it has now.
 *
 * @param busy instances that are in a call, or are being created for one.
 * @param idle instances that are free.
 * @param waiting callers that wait for an instance, each with a thread.
 * @param calls calls that got an instance.
 * @param made instances that were created.
 * @param died instances that were dropped because a call had killed them.
 * @param retired instances that were dropped because they had answered their number of calls.
 * @param shrunk instances that were dropped because they had been unused for long.
 */
public record PoolStats(long busy, long idle, long waiting, long calls, long made, long died, long retired, long shrunk) {
    /** Reads undergo_pool_stats_t. */
    static PoolStats read(long at) {
        return new PoolStats(
                Memory.getLong(at), Memory.getLong(at + 8), Memory.getLong(at + 16), Memory.getLong(at + 24),
                Memory.getLong(at + 32), Memory.getLong(at + 40), Memory.getLong(at + 48), Memory.getLong(at + 56));
    }
}
