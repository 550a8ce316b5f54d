package dev.undergo.java;

import java.util.Arrays;

/** The objects that the library has, by their numbers. */
final class Handles {
    private static volatile Object[] held = new Object[64];
    private static int[] free = new int[64];
    private static int freeCount;
    private static int used;

    private Handles() {}

    /** Gives the number by which the library knows an object, until it releases it. */
    static synchronized long hold(Object object) {
        collect();
        int place = freeCount > 0 ? free[--freeCount] : used++;
        Object[] now = held;
        if (place == now.length) {
            now = Arrays.copyOf(now, 2 * place);
        }
        now[place] = object;
        // Other threads read it without the lock.
        held = now;
        return place;
    }

    static Object get(long number) {
        return held[(int) number];
    }

    /** Lets go of what the library has released. It notes that until it is asked. */
    private static void collect() {
        int room = 64;
        long numbers = Memory.allocate(8L * room);
        try {
            long count;
            do {
                count = Jni.released(numbers, room);
                for (long i = 0; i < count; i++) {
                    release((int) Memory.getLong(numbers + 8 * i));
                }
            } while (count == room);
        } finally {
            Memory.free(numbers);
        }
    }

    private static void release(int place) {
        held[place] = null;
        if (freeCount == free.length) {
            free = Arrays.copyOf(free, 2 * freeCount);
        }
        free[freeCount++] = place;
    }

    /** How many there are. */
    static synchronized int count() {
        collect();
        return used - freeCount;
    }
}
