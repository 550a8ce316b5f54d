package dev.undergo.java;

import java.time.Duration;
import java.util.OptionalLong;
import java.util.function.LongConsumer;

/**
 * What an instance used.
 *
 * @param time how long the last call took, or the initialisation before the first.
 * @param memory bytes of guest memory after it.
 * @param fuel what it used of its fuel; empty without a limit of fuel.
 */
public record Usage(Duration time, long memory, OptionalLong fuel) {
    /** Reads what is written to a place for undergo_usage_t. */
    static Usage read(LongConsumer write) {
        long at = Memory.allocate(32);
        try {
            Memory.clear(at, 32);
            write.accept(at);
            OptionalLong fuel = Memory.getByte(at + 24) != 0 ? OptionalLong.of(Memory.getLong(at + 16)) : OptionalLong.empty();
            return new Usage(Duration.ofNanos(Memory.getLong(at)), Memory.getLong(at + 8), fuel);
        } finally {
            Memory.free(at);
        }
    }
}
