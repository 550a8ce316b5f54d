package dev.undergo.java;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/** Memory outside of the JVM's heap, by addresses, for Java 22 and later. */
final class Memory {
    /** All memory, from address 0 on. */
    private static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
    private static final ValueLayout.OfDouble DOUBLE = ValueLayout.JAVA_DOUBLE_UNALIGNED;

    private static final Linker LINKER = Linker.nativeLinker();
    private static final MethodHandle MALLOC = c("malloc", FunctionDescriptor.of(ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));
    private static final MethodHandle FREE = c("free", FunctionDescriptor.ofVoid(ValueLayout.JAVA_LONG));

    private Memory() {}

    private static MethodHandle c(String name, FunctionDescriptor type) {
        return LINKER.downcallHandle(LINKER.defaultLookup().find(name).orElseThrow(), type);
    }

    static long allocate(long bytes) {
        long at;
        try {
            at = (long) MALLOC.invokeExact(Math.max(bytes, 1));
        } catch (Throwable error) {
            throw new AssertionError(error);
        }
        if (at == 0) {
            throw new OutOfMemoryError("there is no memory for " + bytes + " bytes");
        }
        return at;
    }

    static void free(long at) {
        try {
            FREE.invokeExact(at);
        } catch (Throwable error) {
            throw new AssertionError(error);
        }
    }

    static void clear(long at, long bytes) {
        ALL.asSlice(at, bytes).fill((byte) 0);
    }

    static byte getByte(long at) {
        return ALL.get(ValueLayout.JAVA_BYTE, at);
    }

    static short getShort(long at) {
        return ALL.get(SHORT, at);
    }

    static int getInt(long at) {
        return ALL.get(INT, at);
    }

    static long getLong(long at) {
        return ALL.get(LONG, at);
    }

    static float getFloat(long at) {
        return ALL.get(FLOAT, at);
    }

    static double getDouble(long at) {
        return ALL.get(DOUBLE, at);
    }

    static void putByte(long at, byte value) {
        ALL.set(ValueLayout.JAVA_BYTE, at, value);
    }

    static void putShort(long at, short value) {
        ALL.set(SHORT, at, value);
    }

    static void putInt(long at, int value) {
        ALL.set(INT, at, value);
    }

    static void putLong(long at, long value) {
        ALL.set(LONG, at, value);
    }

    static void putFloat(long at, float value) {
        ALL.set(FLOAT, at, value);
    }

    static void putDouble(long at, double value) {
        ALL.set(DOUBLE, at, value);
    }

    static void get(long at, byte[] into) {
        MemorySegment.copy(ALL, ValueLayout.JAVA_BYTE, at, into, 0, into.length);
    }

    static void get(long at, byte[] into, int offset, int count) {
        MemorySegment.copy(ALL, ValueLayout.JAVA_BYTE, at, into, offset, count);
    }

    static void get(long at, boolean[] into) {
        for (int i = 0; i < into.length; i++) {
            into[i] = getByte(at + i) != 0;
        }
    }

    static void get(long at, short[] into) {
        MemorySegment.copy(ALL, SHORT, at, into, 0, into.length);
    }

    static void get(long at, int[] into) {
        MemorySegment.copy(ALL, INT, at, into, 0, into.length);
    }

    static void get(long at, long[] into) {
        MemorySegment.copy(ALL, LONG, at, into, 0, into.length);
    }

    static void get(long at, float[] into) {
        MemorySegment.copy(ALL, FLOAT, at, into, 0, into.length);
    }

    static void get(long at, double[] into) {
        MemorySegment.copy(ALL, DOUBLE, at, into, 0, into.length);
    }

    static void put(long at, byte[] from) {
        MemorySegment.copy(from, 0, ALL, ValueLayout.JAVA_BYTE, at, from.length);
    }

    static void put(long at, byte[] from, int offset, int count) {
        MemorySegment.copy(from, offset, ALL, ValueLayout.JAVA_BYTE, at, count);
    }

    static void put(long at, boolean[] from) {
        for (int i = 0; i < from.length; i++) {
            putByte(at + i, (byte) (from[i] ? 1 : 0));
        }
    }

    static void put(long at, short[] from) {
        MemorySegment.copy(from, 0, ALL, SHORT, at, from.length);
    }

    static void put(long at, int[] from) {
        MemorySegment.copy(from, 0, ALL, INT, at, from.length);
    }

    static void put(long at, long[] from) {
        MemorySegment.copy(from, 0, ALL, LONG, at, from.length);
    }

    static void put(long at, float[] from) {
        MemorySegment.copy(from, 0, ALL, FLOAT, at, from.length);
    }

    static void put(long at, double[] from) {
        MemorySegment.copy(from, 0, ALL, DOUBLE, at, from.length);
    }
}
