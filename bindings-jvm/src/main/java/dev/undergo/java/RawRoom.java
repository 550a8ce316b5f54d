package dev.undergo.java;

/**
 * Room for what values point to. For what {@code undergo bindgen --lang java} writes: programs have
 * no use for it, and it changes with bindgen.
 */
public abstract class RawRoom {
    /** Where the next value goes, and where there is no more room. */
    long next;
    long end;

    RawRoom() {}

    /** Gives a place of so many bytes, aligned to 8. */
    final long room(long size) {
        long at = next;
        long after = at + (size + 7 & ~7L);
        if (after > end) {
            return spill(size);
        }
        next = after;
        return at;
    }

    /** Gives a place elsewhere. */
    abstract long spill(long size);
}
