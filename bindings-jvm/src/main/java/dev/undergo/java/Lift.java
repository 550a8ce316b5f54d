package dev.undergo.java;

import java.lang.reflect.Array;
import java.lang.reflect.GenericArrayType;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.lang.reflect.WildcardType;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Reads values of C into Java's, by the types of the interface. What it gives is a copy, but for
 * handles, which it takes.
 */
final class Lift {
    /** For values without handles. */
    static final Lift VALUES = new Lift(null);

    /** Whose guest gives the handles. */
    private final Exports giver;

    Lift(Exports giver) {
        this.giver = giver;
    }

    /** Reads a whole value, and frees its handles if it does not fit. */
    Object whole(WitType type, long from, Type to) {
        if (!type.holdsHandles) {
            return lift(type, from, to);
        }
        try {
            return lift(type, from, to);
        } catch (Throwable misfit) {
            drop(type, from);
            throw misfit;
        }
    }

    Object lift(WitType type, long from, Type to) {
        Class<?> wanted = raw(to);
        if (wanted == Object.class) {
            return natural(type, from);
        }
        if (wanted == Optional.class) {
            return Optional.ofNullable(lift(type, from, argument(to, 0)));
        }
        return switch (type.kind) {
            case BOOL -> {
                expect(wanted == boolean.class || wanted == Boolean.class, type, wanted);
                yield Memory.getByte(from) != 0;
            }
            case F32 -> {
                float number = Memory.getFloat(from);
                if (wanted == double.class || wanted == Double.class) {
                    yield (double) number;
                }
                expect(wanted == float.class || wanted == Float.class || wanted == Number.class, type, wanted);
                yield number;
            }
            case F64 -> {
                expect(wanted == double.class || wanted == Double.class || wanted == Number.class, type, wanted);
                yield Memory.getDouble(from);
            }
            case STRING -> {
                expect(wanted.isAssignableFrom(String.class), type, wanted);
                yield text(from);
            }
            case JSON -> {
                if (wanted == String.class) {
                    yield text(from);
                }
                expect(wanted == Json.class, type, wanted);
                yield new Json(text(from));
            }
            case DURATION -> {
                expect(wanted == Duration.class, type, wanted);
                yield Duration.ofNanos(Memory.getLong(from));
            }
            case TIME -> moment(type, from, wanted);
            case OPTION -> {
                long inside = Memory.getLong(from);
                if (inside == 0 && wanted.isPrimitive()) {
                    throw new Misfit("it has no value, and " + wanted + " can't be null");
                }
                yield inside == 0 ? null : lift(type.element, inside, to);
            }
            case LIST -> list(type, from, to, wanted);
            case MAP -> map(type, from, to, wanted);
            case TUPLE -> tuple(type, from, to, wanted);
            case RECORD -> record(type, from, wanted);
            case ENUM -> constant(type, from, wanted);
            case VARIANT -> variant(type, from, wanted);
            case HANDLE -> handle(type, from, to, wanted);
            default -> integer(type, from, wanted);
        };
    }

    private static void expect(boolean fits, WitType type, Type wanted) {
        if (!fits) {
            throw unfit(type, wanted);
        }
    }

    private static Misfit unfit(WitType type, Type wanted) {
        return new Misfit("a value of " + type + " does not fit " + wanted.getTypeName());
    }

    private static Class<?> raw(Type type) {
        if (type instanceof Class<?> found) {
            return found;
        } else if (type instanceof ParameterizedType parameterized) {
            return raw(parameterized.getRawType());
        } else if (type instanceof WildcardType wildcard) {
            return raw(wildcard.getUpperBounds()[0]);
        } else if (type instanceof GenericArrayType array) {
            return raw(array.getGenericComponentType()).arrayType();
        }
        return Object.class;
    }

    /** The argument of a generic type; Object for a raw one. */
    private static Type argument(Type type, int index) {
        if (type instanceof ParameterizedType parameterized && index < parameterized.getActualTypeArguments().length) {
            Type found = parameterized.getActualTypeArguments()[index];
            return found instanceof WildcardType wildcard ? wildcard.getUpperBounds()[0] : found;
        }
        return Object.class;
    }

    static String text(long from) {
        return new String(Library.bytes(Memory.getLong(from), Memory.getLong(from + 8)), StandardCharsets.UTF_8);
    }

    /** The bits of an integer as a long: u64 as signed. */
    private static long bits(WitType type, long from) {
        return switch (type.kind) {
            case S8 -> Memory.getByte(from);
            case U8 -> Memory.getByte(from) & 0xff;
            case S16 -> Memory.getShort(from);
            case U16 -> Memory.getShort(from) & 0xffff;
            case S32, I32 -> Memory.getInt(from);
            case U32 -> Memory.getInt(from) & 0xffff_ffffL;
            default -> Memory.getLong(from);
        };
    }

    private static Object integer(WitType type, long from, Class<?> wanted) {
        long bits = bits(type, from);
        boolean large = type.kind == WitType.Kind.U64 && bits < 0;
        if (wanted == long.class || wanted == Long.class || wanted == Number.class) {
            if (large) {
                throw tooLarge(type, from, wanted);
            }
            return bits;
        } else if (wanted == int.class || wanted == Integer.class) {
            if (large || bits != (int) bits) {
                throw tooLarge(type, from, wanted);
            }
            return (int) bits;
        } else if (wanted == short.class || wanted == Short.class) {
            if (large || bits != (short) bits) {
                throw tooLarge(type, from, wanted);
            }
            return (short) bits;
        } else if (wanted == byte.class || wanted == Byte.class) {
            if (large || bits != (byte) bits) {
                throw tooLarge(type, from, wanted);
            }
            return (byte) bits;
        } else if (wanted == BigInteger.class) {
            return large ? new BigInteger(Long.toUnsignedString(bits)) : BigInteger.valueOf(bits);
        }
        throw unfit(type, wanted);
    }

    private static Misfit tooLarge(WitType type, long from, Class<?> wanted) {
        return new Misfit(integer(type, from, BigInteger.class) + " does not fit " + wanted);
    }

    static OffsetDateTime time(long from) {
        // Go has any offset; java.time has 18 hours at the most.
        int offset = Memory.getInt(from + 12);
        boolean known = Math.abs((long) offset) <= ZoneOffset.MAX.getTotalSeconds();
        ZoneOffset zone = known ? ZoneOffset.ofTotalSeconds(offset) : ZoneOffset.UTC;
        return Instant.ofEpochSecond(Memory.getLong(from), Memory.getInt(from + 8)).atOffset(zone);
    }

    private static Object moment(WitType type, long from, Class<?> wanted) {
        OffsetDateTime time = time(from);
        if (wanted == Instant.class) {
            return time.toInstant();
        } else if (wanted == ZonedDateTime.class) {
            return time.toZonedDateTime();
        }
        expect(wanted == OffsetDateTime.class, type, wanted);
        return time;
    }

    private Object list(WitType type, long from, Type to, Class<?> wanted) {
        long at = Memory.getLong(from);
        int length = Math.toIntExact(Memory.getLong(from + 8));
        WitType item = type.element;
        if (wanted.isArray()) {
            Class<?> component = wanted.getComponentType();
            Object array = Array.newInstance(component, length);
            if (length > 0 && !plain(item.kind, at, array)) {
                Type each = to instanceof GenericArrayType generic ? generic.getGenericComponentType() : component;
                for (int i = 0; i < length; i++) {
                    Array.set(array, i, item(item, at, i, each));
                }
            }
            return array;
        }
        expect(wanted == List.class || wanted == Collection.class || wanted == Iterable.class, type, to);
        return items(type, from, argument(to, 0));
    }

    private List<Object> items(WitType type, long from, Type each) {
        long at = Memory.getLong(from);
        int length = Math.toIntExact(Memory.getLong(from + 8));
        List<Object> items = new ArrayList<>(length);
        for (int i = 0; i < length; i++) {
            items.add(item(type.element, at, i, each));
        }
        return Collections.unmodifiableList(items);
    }

    private Object item(WitType type, long at, int index, Type to) {
        try {
            return lift(type, at + (long) index * type.size, to);
        } catch (Misfit misfit) {
            throw misfit.at("[" + index + "]");
        }
    }

    /** Copies items that lie in C as they do in an array of Java. Whether they do. */
    private static boolean plain(WitType.Kind kind, long at, Object array) {
        if (array instanceof byte[] bytes && (kind == WitType.Kind.U8 || kind == WitType.Kind.S8)) {
            Memory.get(at, bytes);
        } else if (array instanceof boolean[] bools && kind == WitType.Kind.BOOL) {
            Memory.get(at, bools);
        } else if (array instanceof short[] shorts && kind == WitType.Kind.S16) {
            Memory.get(at, shorts);
        } else if (array instanceof int[] ints && (kind == WitType.Kind.S32 || kind == WitType.Kind.I32)) {
            Memory.get(at, ints);
        } else if (array instanceof long[] longs && (kind == WitType.Kind.S64 || kind == WitType.Kind.I64)) {
            Memory.get(at, longs);
        } else if (array instanceof float[] floats && kind == WitType.Kind.F32) {
            Memory.get(at, floats);
        } else if (array instanceof double[] doubles && kind == WitType.Kind.F64) {
            Memory.get(at, doubles);
        } else {
            return false;
        }
        return true;
    }

    private Object map(WitType type, long from, Type to, Class<?> wanted) {
        expect(wanted == Map.class, type, to);
        long at = Memory.getLong(from);
        long length = Memory.getLong(from + 8);
        Type key = argument(to, 0);
        Type value = argument(to, 1);
        Map<Object, Object> made = new LinkedHashMap<>();
        for (long i = 0; i < length; i++, at += type.entry) {
            Object found;
            try {
                found = lift(type.key, at, key);
            } catch (Misfit misfit) {
                throw misfit.at("[key]");
            }
            try {
                made.put(found, lift(type.element, at + type.valueAt, value));
            } catch (Misfit misfit) {
                throw misfit.at("[" + found + "]");
            }
        }
        return Collections.unmodifiableMap(made);
    }

    private Object tuple(WitType type, long from, Type to, Class<?> wanted) {
        int count = type.fields.length;
        Object[] values = new Object[count];
        RecordComponent[] components = wanted.isRecord() ? wanted.getRecordComponents() : null;
        if (components != null && components.length != count) {
            throw new Misfit(count + " values of " + type + " do not fit " + components.length + " of " + wanted.getName());
        }
        expect(components != null || wanted == List.class || wanted == Object[].class, type, to);
        for (int i = 0; i < count; i++) {
            WitType.Field field = type.fields[i];
            try {
                values[i] = lift(field.type(), from + field.at(), components == null ? argument(to, 0) : components[i].getGenericType());
            } catch (Misfit misfit) {
                throw misfit.at("." + field.name());
            }
        }
        if (components != null) {
            return RecordPlan.ofTuple(wanted, values);
        }
        return wanted == List.class ? Collections.unmodifiableList(java.util.Arrays.asList(values)) : values;
    }

    private Object record(WitType type, long from, Class<?> wanted) {
        expect(wanted.isRecord(), type, wanted);
        RecordPlan plan = RecordPlan.of(type, wanted);
        if (plan.missing != null) {
            throw new Misfit(wanted.getName() + " has no component for " + plan.missing + " of " + type);
        }
        Object[] components = new Object[plan.fields.length];
        for (int i = 0; i < components.length; i++) {
            WitType.Field field = type.fields[plan.fields[i]];
            try {
                components[i] = lift(field.type(), from + field.at(), plan.types[i]);
            } catch (Misfit misfit) {
                throw misfit.at("." + field.name());
            }
        }
        return plan.make(components);
    }

    private static String caseName(WitType type, long from) {
        int number = Memory.getInt(from);
        return number >= 0 && number < type.cases.length ? type.cases[number] : "";
    }

    private static Object constant(WitType type, long from, Class<?> wanted) {
        String name = caseName(type, from);
        if (wanted.isAssignableFrom(String.class)) {
            return name;
        }
        expect(wanted.isEnum(), type, wanted);
        for (Object constant : wanted.getEnumConstants()) {
            if (WitType.fold(((Enum<?>) constant).name()).equals(WitType.fold(name))) {
                return constant;
            }
        }
        throw new Misfit(wanted.getName() + " has no constant for the case " + name + " of " + type);
    }

    private Object variant(WitType type, long from, Class<?> wanted) {
        int index = Memory.getInt(from);
        WitType.Field found = type.fields[index];
        if (wanted == Case.class) {
            return new Case(found.name(), found.type() == null ? null : ofCase(found, from, Object.class));
        }
        expect(wanted.isRecord() || wanted.isSealed(), type, wanted);
        Class<?> record = CasePlan.find(type, index, wanted);
        CasePlan plan = CasePlan.of(type, record);
        if (plan.index() != index) {
            throw new Misfit("it is the case " + found.name() + " of " + type + ", which does not fit " + wanted.getTypeName());
        }
        if (plan.value() == null) {
            return RecordPlan.ofTuple(record, new Object[0]);
        }
        Object value = ofCase(found, from, plan.value());
        return CasePlan.isOwn(found) ? value : RecordPlan.ofTuple(record, new Object[] {value});
    }

    private Object ofCase(WitType.Field found, long from, Type to) {
        try {
            return lift(found.type(), from + found.at(), to);
        } catch (Misfit misfit) {
            throw misfit.at("." + found.name());
        }
    }

    private Object handle(WitType type, long from, Type to, Class<?> wanted) {
        long at = Memory.getLong(from);
        if (at == 0) {
            return null;
        }
        ResourceType resource = type.resource;
        if (!resource.isGuests) {
            Object own = Dispatcher.own(at);
            expect(wanted.isInstance(own), type, wanted);
            return own;
        }
        boolean isStream = resource.shape == ResourceType.Shape.ITERATOR && wanted == Stream.class;
        expect(isStream || wanted.isAssignableFrom(classOf(resource)), type, wanted);
        // It is not freed from now on if another part of the value does not fit.
        Memory.putLong(from, 0);
        Handle handle = new Handle(resource, at);
        return switch (resource.shape) {
            case ITERATOR -> {
                Items<?> items = items(handle, argument(to, 0));
                yield isStream ? items.stream() : items;
            }
            case READER -> new GuestReader(giver, handle);
            case WRITER -> new GuestWriter(giver, handle);
            default -> new Resource(giver, handle);
        };
    }

    /** An iterator, whose items are objects of a class. */
    private Items<?> items(Handle handle, Type item) {
        WitType list = Items.listOf(handle.type);
        return new Items<>(giver, handle, RawError.NONE, result -> {
            try {
                return items(list, result, item);
            } catch (Throwable misfit) {
                drop(list, result);
                throw misfit;
            }
        });
    }

    private static Class<?> classOf(ResourceType resource) {
        return switch (resource.shape) {
            case ITERATOR -> Items.class;
            case READER -> GuestReader.class;
            case WRITER -> GuestWriter.class;
            default -> Resource.class;
        };
    }

    /** Frees the handles of a value that were not taken. */
    private static void drop(WitType type, long at) {
        if (type == null || !type.holdsHandles) {
            return;
        }
        switch (type.kind) {
            case HANDLE -> {
                long handle = Memory.getLong(at);
                if (handle != 0 && type.resource.isGuests) {
                    Library.call(Library.HANDLE_DELETE, handle);
                }
            }
            case OPTION -> {
                long inside = Memory.getLong(at);
                if (inside != 0) {
                    drop(type.element, inside);
                }
            }
            case LIST -> {
                long item = Memory.getLong(at);
                for (long left = Memory.getLong(at + 8); left > 0; left--, item += type.element.size) {
                    drop(type.element, item);
                }
            }
            case MAP -> {
                long entry = Memory.getLong(at);
                for (long left = Memory.getLong(at + 8); left > 0; left--, entry += type.entry) {
                    drop(type.element, entry + type.valueAt);
                }
            }
            case VARIANT -> {
                WitType.Field found = type.fields[Memory.getInt(at)];
                drop(found.type(), at + found.at());
            }
            default -> {
                for (WitType.Field field : type.fields) {
                    drop(field.type(), at + field.at());
                }
            }
        }
    }

    /**
     * The object that is natural for a value: integers are Long, records are maps, variants are a
     * Case.
     */
    private Object natural(WitType type, long from) {
        return switch (type.kind) {
            case BOOL -> Memory.getByte(from) != 0;
            case F32 -> (double) Memory.getFloat(from);
            case F64 -> Memory.getDouble(from);
            case STRING -> text(from);
            case JSON -> new Json(text(from));
            case DURATION -> Duration.ofNanos(Memory.getLong(from));
            case TIME -> time(from);
            case ENUM -> caseName(type, from);
            case VARIANT -> variant(type, from, Case.class);
            case HANDLE -> handle(type, from, Object.class, Object.class);
            case OPTION -> {
                long inside = Memory.getLong(from);
                yield inside == 0 ? null : natural(type.element, inside);
            }
            case LIST -> list(type, from, type.element.kind == WitType.Kind.U8 ? byte[].class : List.class, type.element.kind == WitType.Kind.U8 ? byte[].class : List.class);
            case MAP -> map(type, from, Map.class, Map.class);
            case TUPLE -> tuple(type, from, List.class, List.class);
            case RECORD -> {
                Map<String, Object> fields = new LinkedHashMap<>();
                for (WitType.Field field : type.fields) {
                    fields.put(WitType.camel(field.name()), natural(field.type(), from + field.at()));
                }
                yield Collections.unmodifiableMap(fields);
            }
            default -> {
                boolean large = type.kind == WitType.Kind.U64 && Memory.getLong(from) < 0;
                yield integer(type, from, large ? BigInteger.class : long.class);
            }
        };
    }
}
