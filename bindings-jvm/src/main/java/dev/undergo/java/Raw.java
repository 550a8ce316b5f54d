package dev.undergo.java;

import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;

/**
 * Values as C has them. For what {@code undergo bindgen --lang java} writes: programs have no use
 * for it, and it changes with bindgen.
 */
public final class Raw {
    private Raw() {}

    /** Writes a value to its place. */
    @FunctionalInterface
    public interface Put<T> {
        /** Writes it. */
        void put(RawRoom room, long at, T value);
    }

    /** Reads a value from its place. */
    @FunctionalInterface
    public interface Get<T> {
        /** Reads it. */
        T get(long at);
    }

    private static long checked(long value, long least, long most, String type) {
        if (value < least || value > most) {
            throw new Misfit(value + " does not fit " + type);
        }
        return value;
    }

    // One pair for each type; the names are those in WIT.

    public static void putBool(RawRoom room, long at, boolean value) {
        Memory.putByte(at, (byte) (value ? 1 : 0));
    }

    public static boolean getBool(long at) {
        return Memory.getByte(at) != 0;
    }

    public static void putS8(RawRoom room, long at, byte value) {
        Memory.putByte(at, value);
    }

    public static byte getS8(long at) {
        return Memory.getByte(at);
    }

    public static void putU8(RawRoom room, long at, int value) {
        Memory.putByte(at, (byte) checked(value, 0, 0xff, "u8"));
    }

    public static int getU8(long at) {
        return Memory.getByte(at) & 0xff;
    }

    public static void putS16(RawRoom room, long at, short value) {
        Memory.putShort(at, value);
    }

    public static short getS16(long at) {
        return Memory.getShort(at);
    }

    public static void putU16(RawRoom room, long at, int value) {
        Memory.putShort(at, (short) checked(value, 0, 0xffff, "u16"));
    }

    public static int getU16(long at) {
        return Memory.getShort(at) & 0xffff;
    }

    public static void putS32(RawRoom room, long at, int value) {
        Memory.putInt(at, value);
    }

    public static int getS32(long at) {
        return Memory.getInt(at);
    }

    public static void putU32(RawRoom room, long at, long value) {
        Memory.putInt(at, (int) checked(value, 0, 0xffff_ffffL, "u32"));
    }

    public static long getU32(long at) {
        return Memory.getInt(at) & 0xffff_ffffL;
    }

    public static void putS64(RawRoom room, long at, long value) {
        Memory.putLong(at, value);
    }

    public static long getS64(long at) {
        return Memory.getLong(at);
    }

    public static void putF32(RawRoom room, long at, float value) {
        Memory.putFloat(at, value);
    }

    public static float getF32(long at) {
        return Memory.getFloat(at);
    }

    public static void putF64(RawRoom room, long at, double value) {
        Memory.putDouble(at, value);
    }

    public static double getF64(long at) {
        return Memory.getDouble(at);
    }

    public static void putText(RawRoom room, long at, String value) {
        Lower.text(room, at, value);
    }

    public static String getText(long at) {
        return Lift.text(at);
    }

    public static void putJson(RawRoom room, long at, Json value) {
        putText(room, at, value.text());
    }

    /** Writes an object that JSON can hold. */
    public static void putPlain(RawRoom room, long at, Object value) {
        putText(room, at, Json.written(value));
    }

    public static Json getJson(long at) {
        return new Json(Lift.text(at));
    }

    public static void putDuration(RawRoom room, long at, Duration value) {
        Memory.putLong(at, Lower.nanoseconds(value));
    }

    public static Duration getDuration(long at) {
        return Duration.ofNanos(Memory.getLong(at));
    }

    public static void putTime(RawRoom room, long at, OffsetDateTime value) {
        Lower.time(at, value);
    }

    public static OffsetDateTime getTime(long at) {
        return Lift.time(at);
    }

    /** Writes the number of an enum's case. */
    public static void putCase(RawRoom room, long at, Enum<?> value) {
        Memory.putInt(at, value.ordinal());
    }

    /** Reads the constant of an enum's case. */
    public static <T> T getCase(long at, T[] constants) {
        return constants[Memory.getInt(at)];
    }

    /** Writes the number of a variant's case. */
    public static void putTag(RawRoom room, long at, int number) {
        Memory.putInt(at, number);
    }

    /** Reads the number of a variant's case. */
    public static int getTag(long at) {
        return Memory.getInt(at);
    }

    /** The error of what is no case of a variant: null, in particular. */
    public static RuntimeException noCase(String variant, Object value) {
        return new Misfit("expected " + variant + ", got " + value);
    }

    // Lists of numbers, which are copied as they are.

    private static int length(long at) {
        return Math.toIntExact(Memory.getLong(at + 8));
    }

    public static void putBytes(RawRoom room, long at, byte[] value) {
        Lower.bytes(room, at, value);
    }

    public static byte[] getBytes(long at) {
        return Library.bytes(Memory.getLong(at), Memory.getLong(at + 8));
    }

    public static void putBools(RawRoom room, long at, boolean[] value) {
        Memory.put(Lower.place(room, at, value.length, 1), value);
    }

    public static boolean[] getBools(long at) {
        boolean[] value = new boolean[length(at)];
        if (value.length > 0) {
            Memory.get(Memory.getLong(at), value);
        }
        return value;
    }

    public static void putShorts(RawRoom room, long at, short[] value) {
        Memory.put(Lower.place(room, at, value.length, 2), value);
    }

    public static short[] getShorts(long at) {
        short[] value = new short[length(at)];
        if (value.length > 0) {
            Memory.get(Memory.getLong(at), value);
        }
        return value;
    }

    public static void putInts(RawRoom room, long at, int[] value) {
        Memory.put(Lower.place(room, at, value.length, 4), value);
    }

    public static int[] getInts(long at) {
        int[] value = new int[length(at)];
        if (value.length > 0) {
            Memory.get(Memory.getLong(at), value);
        }
        return value;
    }

    public static void putLongs(RawRoom room, long at, long[] value) {
        Memory.put(Lower.place(room, at, value.length, 8), value);
    }

    public static long[] getLongs(long at) {
        long[] value = new long[length(at)];
        if (value.length > 0) {
            Memory.get(Memory.getLong(at), value);
        }
        return value;
    }

    public static void putFloats(RawRoom room, long at, float[] value) {
        Memory.put(Lower.place(room, at, value.length, 4), value);
    }

    public static float[] getFloats(long at) {
        float[] value = new float[length(at)];
        if (value.length > 0) {
            Memory.get(Memory.getLong(at), value);
        }
        return value;
    }

    public static void putDoubles(RawRoom room, long at, double[] value) {
        Memory.put(Lower.place(room, at, value.length, 8), value);
    }

    public static double[] getDoubles(long at) {
        double[] value = new double[length(at)];
        if (value.length > 0) {
            Memory.get(Memory.getLong(at), value);
        }
        return value;
    }

    // What has parts.

    /** Writes a list, of items of so many bytes. */
    public static <T> void putList(RawRoom room, long at, List<T> value, int size, Put<T> item) {
        int length = value.size();
        long place = Lower.place(room, at, length, size);
        int i = 0;
        for (T each : value) {
            item.put(room, place + (long) size * Lower.within(i++, length), each);
        }
        Lower.whole(i, length);
    }

    /** Reads a list, of items of so many bytes. */
    public static <T> List<T> getList(long at, int size, Get<T> item) {
        long place = Memory.getLong(at);
        int length = length(at);
        List<T> value = new ArrayList<>(length);
        for (int i = 0; i < length; i++) {
            value.add(item.get(place + (long) size * i));
        }
        return Collections.unmodifiableList(value);
    }

    /** Writes a map, of entries of so many bytes with the value at an offset. */
    public static <K, V> void putMap(RawRoom room, long at, Map<K, V> value, int size, int offset, Put<K> key, Put<V> of) {
        int length = value.size();
        long place = Lower.place(room, at, length, size);
        int i = 0;
        for (Map.Entry<K, V> entry : value.entrySet()) {
            long to = place + (long) size * Lower.within(i++, length);
            key.put(room, to, entry.getKey());
            of.put(room, to + offset, entry.getValue());
        }
        Lower.whole(i, length);
    }

    /** Reads a map, of entries of so many bytes with the value at an offset. */
    public static <K, V> Map<K, V> getMap(long at, int size, int offset, Get<K> key, Get<V> of) {
        long place = Memory.getLong(at);
        int length = length(at);
        Map<K, V> value = new LinkedHashMap<>();
        for (int i = 0; i < length; i++, place += size) {
            value.put(key.get(place), of.get(place + offset));
        }
        return Collections.unmodifiableMap(value);
    }

    /** Writes what may be null, of so many bytes. */
    public static <T> void putOption(RawRoom room, long at, T value, int size, Put<T> of) {
        if (value == null) {
            Memory.putLong(at, 0);
            return;
        }
        long place = room.room(size);
        Memory.putLong(at, place);
        of.put(room, place, value);
    }

    /** Reads what may be null. */
    public static <T> T getOption(long at, Get<T> of) {
        long place = Memory.getLong(at);
        return place == 0 ? null : of.get(place);
    }

    // What lives longer than a call.

    /** Writes the handle of an object of the plugin's. */
    public static void putHandle(RawRoom room, long at, GuestObject value) {
        Objects.requireNonNull(value).handle.put(room, at);
    }

    /** Reads an object of a resource of the plugin's; null where there is none. */
    public static <T> T getHandle(RawClient client, long at, String resource, Function<RawHandle, T> make) {
        Handle handle = client.take(at, resource);
        return handle == null ? null : make.apply(new RawHandle(client, handle));
    }

    /** Reads an iterator, of items of so many bytes; null where there is none. */
    public static <T> Items<T> getItems(RawClient client, long at, String resource, int size, Get<T> item) {
        Handle handle = client.take(at, resource);
        return handle == null ? null : new Items<>(client.exports(), handle, client.errors(), batch -> getList(batch, size, item));
    }

    /** Reads a stream to read from; null where there is none. */
    public static InputStream getReader(RawClient client, long at) {
        Handle handle = client.take(at, ResourceType.Shape.READER);
        return handle == null ? null : new GuestReader(client.exports(), handle);
    }

    /** Reads a stream to write to; null where there is none. */
    public static OutputStream getWriter(RawClient client, long at) {
        Handle handle = client.take(at, ResourceType.Shape.WRITER);
        return handle == null ? null : new GuestWriter(client.exports(), handle);
    }

    /** Writes a handle that may be null, which is no option in C. */
    public static <T> void putNullable(RawRoom room, long at, T value, Put<T> of) {
        if (value == null) {
            Memory.putLong(at, 0);
        } else {
            of.put(room, at, value);
        }
    }

    /** Writes a handle of an object of the host's, by functions that call its methods. */
    public static void putObject(RawRoom room, long at, RawSignature[] methods, Object value, RawFunction... functions) {
        Objects.requireNonNull(value);
        Dispatcher.Hosted[] hosted = new Dispatcher.Hosted[functions.length];
        for (int i = 0; i < hosted.length; i++) {
            hosted[i] = functions[i]::call;
        }
        putHosted(room, at, methods, value, hosted);
    }

    /** Reads an object of the host's that a component has passed back; null where there is none. */
    public static <T> T getObject(long at, Class<T> type) {
        long object = Memory.getLong(at);
        return object == 0 ? null : type.cast(Dispatcher.own(object));
    }

    private static void putHosted(RawRoom room, long at, RawSignature[] methods, Object own, Dispatcher.Hosted... functions) {
        String[] names = new String[methods.length];
        long[] digests = new long[methods.length];
        for (int i = 0; i < methods.length; i++) {
            names[i] = methods[i].name();
            digests[i] = methods[i].digest();
        }
        Passed.put(room, names, digests, functions, own, at);
    }

    /** Writes a handle of an iterable, of items of so many bytes. */
    public static <T> void putItems(RawRoom room, long at, RawSignature[] methods, Iterable<T> value, int size, Put<T> item) {
        putHosted(room, at, methods, null, new Feed<>(methods[0].name(), value.iterator(), size, item));
    }

    /** Writes a handle of a stream to read from. */
    public static void putReader(RawRoom room, long at, RawSignature[] methods, InputStream value) {
        putHosted(room, at, methods, null, new Source(Objects.requireNonNull(value)).functions());
    }

    /** Writes a handle of a stream to write to. */
    public static void putWriter(RawRoom room, long at, RawSignature[] methods, OutputStream value) {
        putHosted(room, at, methods, null, new Sink(Objects.requireNonNull(value)).functions());
    }
}
