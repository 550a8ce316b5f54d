package dev.undergo.java;

/**
 * What a server has done so far, and what it has now.
 *
 * @param connections connections that are open.
 * @param requests requests that were read.
 * @param refused those that no instance was free for: status 503.
 * @param failed those whose instance failed, or did not answer in time: status 500 or 504, or an
 *     answer that ended early.
 * @param pool its instances.
 */
public record ServerStats(long connections, long requests, long refused, long failed, PoolStats pool) {
    /** Bytes of undergo_server_stats_t. */
    static final int SIZE = 96;

    static ServerStats read(long at) {
        return new ServerStats(Memory.getLong(at), Memory.getLong(at + 8), Memory.getLong(at + 16), Memory.getLong(at + 24), PoolStats.read(at + 32));
    }
}
