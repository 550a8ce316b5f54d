package dev.undergo.java;

import java.lang.reflect.Field;
import sun.misc.Unsafe;

/**
 * Memory outside of the JVM's heap, by addresses. This is the one for Java 17 to 21: later versions
 * have a class of the same name over java.lang.foreign.
 */
final class Memory {
    private static final Unsafe UNSAFE = unsafe();

    private Memory() {}

    private static Unsafe unsafe() {
        try {
            Field field = Unsafe.class.getDeclaredField("theUnsafe");
            field.setAccessible(true);
            return (Unsafe) field.get(null);
        } catch (ReflectiveOperationException error) {
            throw new ExceptionInInitializerError(error);
        }
    }

    static long allocate(long bytes) {
        return UNSAFE.allocateMemory(bytes);
    }

    static void free(long at) {
        UNSAFE.freeMemory(at);
    }

    static void clear(long at, long bytes) {
        UNSAFE.setMemory(at, bytes, (byte) 0);
    }

    static byte getByte(long at) {
        return UNSAFE.getByte(at);
    }

    static short getShort(long at) {
        return UNSAFE.getShort(at);
    }

    static int getInt(long at) {
        return UNSAFE.getInt(at);
    }

    static long getLong(long at) {
        return UNSAFE.getLong(at);
    }

    static float getFloat(long at) {
        return UNSAFE.getFloat(at);
    }

    static double getDouble(long at) {
        return UNSAFE.getDouble(at);
    }

    static void putByte(long at, byte value) {
        UNSAFE.putByte(at, value);
    }

    static void putShort(long at, short value) {
        UNSAFE.putShort(at, value);
    }

    static void putInt(long at, int value) {
        UNSAFE.putInt(at, value);
    }

    static void putLong(long at, long value) {
        UNSAFE.putLong(at, value);
    }

    static void putFloat(long at, float value) {
        UNSAFE.putFloat(at, value);
    }

    static void putDouble(long at, double value) {
        UNSAFE.putDouble(at, value);
    }

    static void get(long at, byte[] into) {
        UNSAFE.copyMemory(null, at, into, Unsafe.ARRAY_BYTE_BASE_OFFSET, into.length);
    }

    static void get(long at, byte[] into, int offset, int count) {
        UNSAFE.copyMemory(null, at, into, Unsafe.ARRAY_BYTE_BASE_OFFSET + (long) offset, count);
    }

    static void get(long at, boolean[] into) {
        UNSAFE.copyMemory(null, at, into, Unsafe.ARRAY_BOOLEAN_BASE_OFFSET, into.length);
    }

    static void get(long at, short[] into) {
        UNSAFE.copyMemory(null, at, into, Unsafe.ARRAY_SHORT_BASE_OFFSET, 2L * into.length);
    }

    static void get(long at, int[] into) {
        UNSAFE.copyMemory(null, at, into, Unsafe.ARRAY_INT_BASE_OFFSET, 4L * into.length);
    }

    static void get(long at, long[] into) {
        UNSAFE.copyMemory(null, at, into, Unsafe.ARRAY_LONG_BASE_OFFSET, 8L * into.length);
    }

    static void get(long at, float[] into) {
        UNSAFE.copyMemory(null, at, into, Unsafe.ARRAY_FLOAT_BASE_OFFSET, 4L * into.length);
    }

    static void get(long at, double[] into) {
        UNSAFE.copyMemory(null, at, into, Unsafe.ARRAY_DOUBLE_BASE_OFFSET, 8L * into.length);
    }

    static void put(long at, byte[] from) {
        UNSAFE.copyMemory(from, Unsafe.ARRAY_BYTE_BASE_OFFSET, null, at, from.length);
    }

    static void put(long at, byte[] from, int offset, int count) {
        UNSAFE.copyMemory(from, Unsafe.ARRAY_BYTE_BASE_OFFSET + (long) offset, null, at, count);
    }

    static void put(long at, boolean[] from) {
        UNSAFE.copyMemory(from, Unsafe.ARRAY_BOOLEAN_BASE_OFFSET, null, at, from.length);
    }

    static void put(long at, short[] from) {
        UNSAFE.copyMemory(from, Unsafe.ARRAY_SHORT_BASE_OFFSET, null, at, 2L * from.length);
    }

    static void put(long at, int[] from) {
        UNSAFE.copyMemory(from, Unsafe.ARRAY_INT_BASE_OFFSET, null, at, 4L * from.length);
    }

    static void put(long at, long[] from) {
        UNSAFE.copyMemory(from, Unsafe.ARRAY_LONG_BASE_OFFSET, null, at, 8L * from.length);
    }

    static void put(long at, float[] from) {
        UNSAFE.copyMemory(from, Unsafe.ARRAY_FLOAT_BASE_OFFSET, null, at, 4L * from.length);
    }

    static void put(long at, double[] from) {
        UNSAFE.copyMemory(from, Unsafe.ARRAY_DOUBLE_BASE_OFFSET, null, at, 8L * from.length);
    }
}
