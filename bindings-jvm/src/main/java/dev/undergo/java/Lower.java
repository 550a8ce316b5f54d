package dev.undergo.java;

import java.lang.reflect.Array;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Writes Java's values as C has them, by the types of the interface. */
final class Lower {
    /** Texts up to this length are written as they are, where they are ASCII. */
    private static final int SHORT = 64;

    private Lower() {}

    static void lower(RawRoom room, WitType type, Object value, long to) {
        if (value instanceof Optional<?> optional) {
            value = optional.orElse(null);
        }
        if (value == null && type.kind != WitType.Kind.OPTION && type.kind != WitType.Kind.JSON && !type.isOptional) {
            throw Misfit.wanted(type, null);
        }
        switch (type.kind) {
            case BOOL -> Memory.putByte(to, (byte) (of(Boolean.class, type, value) ? 1 : 0));
            case F32 -> Memory.putFloat(to, (float) Numbers.number(type, value));
            case F64 -> Memory.putDouble(to, Numbers.number(type, value));
            case STRING -> {
                if (!(value instanceof CharSequence || value instanceof Character)) {
                    throw Misfit.wanted(type, value);
                }
                text(room, to, value.toString());
            }
            case JSON -> text(room, to, Json.written(value));
            case DURATION -> Memory.putLong(to, nanoseconds(of(Duration.class, type, value)));
            case TIME -> time(to, moment(type, value));
            case OPTION -> option(room, type, value, to);
            case LIST -> list(room, type, value, to);
            case MAP -> map(room, type, value, to);
            case TUPLE -> tuple(room, type, value, to);
            case RECORD -> record(room, type, value, to);
            case ENUM -> Memory.putInt(to, caseOf(type, value));
            case VARIANT -> variant(room, type, value, to);
            case HANDLE -> handle(room, type, value, to);
            default -> Numbers.integer(type, value, to);
        }
    }

    private static void handle(RawRoom room, WitType type, Object value, long to) {
        if (value == null) {
            Memory.putLong(to, 0);
        } else if (!type.resource.isGuests) {
            Passed.put(room, type.resource, value, to);
        } else {
            of(GuestObject.class, type, value).handle.put(room, to);
        }
    }

    private static <T> T of(Class<T> wanted, WitType type, Object value) {
        if (!wanted.isInstance(value)) {
            throw Misfit.wanted(type, value);
        }
        return wanted.cast(value);
    }

    /** Writes a text. */
    static void text(RawRoom room, long to, String text) {
        int length = text.length();
        if (length <= SHORT) {
            long at = room.room(length);
            int i = 0;
            for (; i < length; i++) {
                char c = text.charAt(i);
                if (c >= 0x80) {
                    break;
                }
                Memory.putByte(at + i, (byte) c);
            }
            if (i == length) {
                Memory.putLong(to, at);
                Memory.putLong(to + 8, length);
                return;
            }
        }
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        // What has no UTF-8 was replaced.
        if (!new String(bytes, StandardCharsets.UTF_8).equals(text)) {
            throw new Misfit("the string holds a lone surrogate, which UTF-8 has no form for");
        }
        bytes(room, to, bytes);
    }

    static void bytes(RawRoom room, long to, byte[] bytes) {
        long at = place(room, to, bytes.length, 1);
        Memory.put(at, bytes);
    }

    /** Gives room for the items of a list, and writes where they are. */
    static long place(RawRoom room, long to, int length, long size) {
        long at = room.room(length * size);
        Memory.putLong(to, at);
        Memory.putLong(to + 8, length);
        return at;
    }

    /** The index of an item for which there is room. */
    static int within(int index, int length) {
        if (index >= length) {
            throw changed();
        }
        return index;
    }

    /** Sees that each place was written: the library reads them all. */
    static void whole(int written, int length) {
        if (written != length) {
            throw changed();
        }
    }

    private static Misfit changed() {
        return new Misfit("it was changed by another thread while it was read");
    }

    static long nanoseconds(Duration duration) {
        try {
            return duration.toNanos();
        } catch (ArithmeticException tooLong) {
            throw new Misfit("it is longer than 292 years, which a duration can't hold");
        }
    }

    private static OffsetDateTime moment(WitType type, Object value) {
        if (value instanceof OffsetDateTime time) {
            return time;
        } else if (value instanceof Instant time) {
            return time.atOffset(java.time.ZoneOffset.UTC);
        } else if (value instanceof ZonedDateTime time) {
            return time.toOffsetDateTime();
        }
        throw Misfit.wanted(type, value);
    }

    static void time(long to, OffsetDateTime time) {
        Memory.putLong(to, time.toEpochSecond());
        Memory.putInt(to + 8, time.getNano());
        Memory.putInt(to + 12, time.getOffset().getTotalSeconds());
    }

    private static void option(RawRoom room, WitType type, Object value, long to) {
        if (value == null) {
            Memory.putLong(to, 0);
            return;
        }
        long inside = room.room(type.element.size);
        Memory.putLong(to, inside);
        lower(room, type.element, value, inside);
    }

    private static void list(RawRoom room, WitType type, Object value, long to) {
        WitType item = type.element;
        if (value instanceof Collection<?> items) {
            int length = items.size();
            long at = place(room, to, length, item.size);
            int i = 0;
            for (Object each : items) {
                item(room, item, each, at, within(i++, length));
            }
            whole(i, length);
        } else if (value instanceof Iterable<?> items) {
            // How many there are is known when all have come.
            List<Object> all = new ArrayList<>();
            items.forEach(all::add);
            list(room, type, all, to);
        } else if (!plain(room, item.kind, value, to)) {
            if (!value.getClass().isArray()) {
                throw Misfit.wanted(type, value);
            }
            int length = Array.getLength(value);
            long at = place(room, to, length, item.size);
            for (int i = 0; i < length; i++) {
                item(room, item, Array.get(value, i), at, i);
            }
        }
    }

    private static void item(RawRoom room, WitType type, Object value, long at, int index) {
        try {
            lower(room, type, value, at + (long) index * type.size);
        } catch (Misfit misfit) {
            throw misfit.at("[" + index + "]");
        }
    }

    /** Copies an array whose items lie in Java as they do in C. Whether it is one. */
    private static boolean plain(RawRoom room, WitType.Kind kind, Object value, long to) {
        switch (kind) {
            case U8, S8 -> {
                if (value instanceof byte[] array) {
                    bytes(room, to, array);
                    return true;
                }
            }
            case BOOL -> {
                if (value instanceof boolean[] array) {
                    Memory.put(place(room, to, array.length, 1), array);
                    return true;
                }
            }
            case S16 -> {
                if (value instanceof short[] array) {
                    Memory.put(place(room, to, array.length, 2), array);
                    return true;
                }
            }
            case S32, I32 -> {
                if (value instanceof int[] array) {
                    Memory.put(place(room, to, array.length, 4), array);
                    return true;
                }
            }
            case S64, I64 -> {
                if (value instanceof long[] array) {
                    Memory.put(place(room, to, array.length, 8), array);
                    return true;
                }
            }
            case F32 -> {
                if (value instanceof float[] array) {
                    Memory.put(place(room, to, array.length, 4), array);
                    return true;
                }
            }
            case F64 -> {
                if (value instanceof double[] array) {
                    Memory.put(place(room, to, array.length, 8), array);
                    return true;
                }
            }
            default -> {
                return false;
            }
        }
        return false;
    }

    private static void map(RawRoom room, WitType type, Object value, long to) {
        if (!(value instanceof Map<?, ?> map)) {
            throw Misfit.wanted(type, value);
        }
        int length = map.size();
        long at = place(room, to, length, type.entry);
        int i = 0;
        for (Map.Entry<?, ?> entry : map.entrySet()) {
            within(i++, length);
            try {
                lower(room, type.key, entry.getKey(), at);
            } catch (Misfit misfit) {
                throw misfit.at("[key " + entry.getKey() + "]");
            }
            try {
                lower(room, type.element, entry.getValue(), at + type.valueAt);
            } catch (Misfit misfit) {
                throw misfit.at("[" + entry.getKey() + "]");
            }
            at += type.entry;
        }
        whole(i, length);
    }

    private static void tuple(RawRoom room, WitType type, Object value, long to) {
        Object[] items;
        if (value instanceof Collection<?> collection) {
            items = collection.toArray();
        } else if (value instanceof Object[] array) {
            items = array;
        } else if (value instanceof Record record) {
            items = RecordPlan.components(record);
        } else if (value instanceof Map.Entry<?, ?> entry) {
            items = new Object[] {entry.getKey(), entry.getValue()};
        } else {
            throw Misfit.wanted(type, value);
        }
        if (items.length != type.fields.length) {
            throw new Misfit("expected " + type.fields.length + " values for " + type + ", got " + items.length);
        }
        fields(room, type, items, to);
    }

    private static void fields(RawRoom room, WitType type, Object[] items, long to) {
        for (int i = 0; i < items.length; i++) {
            WitType.Field field = type.fields[i];
            try {
                lower(room, field.type(), items[i], to + field.at());
            } catch (Misfit misfit) {
                throw misfit.at("." + field.name());
            }
        }
    }

    private static void record(RawRoom room, WitType type, Object value, long to) {
        if (value instanceof Map<?, ?> map) {
            fields(room, type, byName(type, map), to);
        } else if (value instanceof Record record) {
            fields(room, type, RecordPlan.of(type, record.getClass()).read(record), to);
        } else {
            throw Misfit.wanted(type, value);
        }
    }

    /** The values of a record's fields from a map, by their names in WIT or in Java. */
    private static Object[] byName(WitType type, Map<?, ?> map) {
        Object[] values = new Object[type.fields.length];
        int used = 0;
        for (int i = 0; i < values.length; i++) {
            String name = type.fields[i].name();
            String found = map.containsKey(name) ? name : WitType.camel(name);
            if (map.containsKey(found)) {
                used++;
                values[i] = map.get(found);
            } else if (type.fields[i].type().kind != WitType.Kind.OPTION) {
                throw new Misfit("the field " + name + " of " + type + " is missing");
            }
        }
        if (used == map.size()) {
            return values;
        }
        for (Object key : map.keySet()) {
            if (Arrays.stream(type.fields).noneMatch(field -> field.name().equals(key) || WitType.camel(field.name()).equals(key))) {
                throw new Misfit(type + " has no field \"" + key + "\"; its fields are " + type.fieldNames());
            }
        }
        throw new Misfit("a field of " + type + " is given twice");
    }

    private static void variant(RawRoom room, WitType type, Object value, long to) {
        if (value instanceof Case found) {
            int index = type.caseOf(found.tag());
            if (index < 0) {
                throw unknownCase(type, found.tag());
            }
            ofCase(room, type, index, found.value(), to);
        } else if (value instanceof Record record) {
            CasePlan plan = CasePlan.of(type, record.getClass());
            boolean isOwn = CasePlan.isOwn(type.fields[plan.index()]);
            ofCase(room, type, plan.index(), isOwn ? record : plan.value() == null ? null : RecordPlan.components(record)[0], to);
        } else {
            throw Misfit.wanted(type, value);
        }
    }

    private static void ofCase(RawRoom room, WitType type, int index, Object value, long to) {
        WitType.Field found = type.fields[index];
        if (found.type() == null && value != null) {
            throw new Misfit("the case " + found.name() + " of " + type + " has no value");
        }
        Memory.putInt(to, index);
        if (found.type() != null) {
            try {
                lower(room, found.type(), value, to + found.at());
            } catch (Misfit misfit) {
                throw misfit.at("." + found.name());
            }
        }
    }

    private static Misfit unknownCase(WitType type, Object value) {
        return new Misfit("\"" + value + "\" is not a case of " + type + ": " + WitType.listed(type.cases));
    }

    private static int caseOf(WitType type, Object value) {
        int found;
        if (value instanceof Enum<?> constant) {
            String folded = WitType.fold(constant.name());
            found = -1;
            for (int i = 0; i < type.cases.length && found < 0; i++) {
                found = WitType.fold(type.cases[i]).equals(folded) ? i : -1;
            }
        } else if (value instanceof CharSequence) {
            found = type.caseOf(value.toString());
        } else {
            throw Misfit.wanted(type, value);
        }
        if (found < 0) {
            throw unknownCase(type, value);
        }
        return found;
    }
}
