package dev.undergo.java;

import java.math.BigDecimal;
import java.math.BigInteger;

/** Writes Java's numbers as C has them. */
final class Numbers {
    private Numbers() {}

    /** Writes an integer, if it fits. */
    static void integer(WitType type, Object value, long to) {
        long bits;
        boolean large = false;
        if (value instanceof Long || value instanceof Integer || value instanceof Short || value instanceof Byte) {
            bits = ((Number) value).longValue();
        } else if (value instanceof BigInteger integer) {
            bits = integer.longValue();
            large = integer.signum() > 0 && integer.bitLength() == 64;
            if (integer.bitLength() > 63 && !large) {
                throw unfit(type, value);
            }
        } else {
            throw Misfit.wanted(type, value);
        }
        if (!fits(type, bits, large)) {
            throw unfit(type, value);
        }
        switch (type.size) {
            case 1 -> Memory.putByte(to, (byte) bits);
            case 2 -> Memory.putShort(to, (short) bits);
            case 4 -> Memory.putInt(to, (int) bits);
            default -> Memory.putLong(to, bits);
        }
    }

    private static Misfit unfit(WitType type, Object value) {
        return new Misfit(value + " does not fit " + type);
    }

    /** Whether an integer fits; a large one is above those of a long. */
    private static boolean fits(WitType type, long bits, boolean large) {
        int width = 8 * type.size;
        return switch (type.kind) {
            case S8, S16, S32, S64 -> signed(bits, large, width);
            case U8, U16, U32, U64 -> unsigned(bits, large, width);
            // A bare module says nothing of the sign.
            default -> signed(bits, large, width) || unsigned(bits, large, width);
        };
    }

    private static boolean signed(long bits, boolean large, int width) {
        return !large && bits >> width - 1 == bits >> 63;
    }

    private static boolean unsigned(long bits, boolean large, int width) {
        return width == 64 ? large || bits >= 0 : !large && bits >>> width == 0;
    }

    /** A number as a float: an integer, too, as long as it is the same. */
    static double number(WitType type, Object value) {
        if (value instanceof Double || value instanceof Float) {
            return ((Number) value).doubleValue();
        }
        if (value instanceof Long || value instanceof Integer || value instanceof Short || value instanceof Byte) {
            long integer = ((Number) value).longValue();
            double number = integer;
            if ((long) number == integer && number < 0x1p63) {
                return number;
            }
            throw unfit(type, value);
        }
        if (value instanceof BigInteger integer) {
            double number = integer.doubleValue();
            if (!Double.isInfinite(number) && new BigDecimal(number).compareTo(new BigDecimal(integer)) == 0) {
                return number;
            }
            throw unfit(type, value);
        }
        throw Misfit.wanted(type, value);
    }
}
