package dev.undergo.java;

import java.util.Arrays;

/**
 * Room for what values point to. For what {@code undergo bindgen --lang java} writes: programs have
 * no use for it, and it changes with bindgen.
 */
public abstract class RawRoom {
    /** Where the next value goes, and where there is no more room. */
    long next;
    long end;
    /** Objects of the host that were made for values. */
    private long[] made = NONE;
    private int madeCount;
    /** Handles that values have. */
    private Handle[] used = {};
    private int usedCount;

    private static final long[] NONE = {};

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

    /** The errors with fields that the plugin has. */
    abstract ErrorType[] errorTypes();

    /** Gives a place elsewhere. */
    abstract long spill(long size);

    /** Notes an object of the host that was made, undergo_object_t. */
    final void made(long object) {
        if (madeCount == made.length) {
            made = Arrays.copyOf(made, 2 * madeCount + 2);
        }
        made[madeCount++] = object;
    }

    /** Notes a handle that is used until {@link #letGo}. */
    final void uses(Handle handle) {
        if (usedCount == used.length) {
            used = Arrays.copyOf(used, 2 * usedCount + 2);
        }
        used[usedCount++] = handle;
    }

    /** Lets go of the objects and handles of the values, which nobody reads any more. */
    final void letGo() {
        while (madeCount > 0) {
            Library.call(Library.OBJECT_DELETE, made[--madeCount]);
        }
        while (usedCount > 0) {
            used[--usedCount].leave();
            used[usedCount] = null;
        }
    }
}
