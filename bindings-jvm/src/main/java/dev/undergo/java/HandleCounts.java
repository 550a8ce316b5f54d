package dev.undergo.java;

/**
 * How many handles an instance has.
 *
 * @param held those that its guest has: of objects of the host, and of its own on their way.
 * @param given those that the program has of the guest's objects.
 */
public record HandleCounts(int held, int given) {
    /** Reads undergo_handle_counts_t. */
    static HandleCounts read(long at) {
        return new HandleCounts(Memory.getInt(at), Memory.getInt(at + 4));
    }
}
