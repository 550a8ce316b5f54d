package dev.undergo.java;

import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;

/** A type of an interface, and how it lies in C. */
final class WitType {
    /** What a type is. */
    enum Kind {
        BOOL(1), S8(1), U8(1), S16(2), U16(2), S32(4), U32(4), S64(8), U64(8), F32(4), F64(8), I32(4), I64(8),
        STRING(16), JSON(16), DURATION(8), TIME(16), OPTION(8), LIST(16), MAP(16), TUPLE(0), RECORD(0), ENUM(4), VARIANT(0), HANDLE(8);

        final int size;

        Kind(int size) {
            this.size = size;
        }

        /** Whether it is a number, or a bool. */
        boolean isNumber() {
            return ordinal() < STRING.ordinal();
        }
    }

    /** A field of a record or a tuple, a parameter, or a case, whose type may be null. */
    record Field(String name, int at, WitType type) {}

    final Kind kind;
    /** That of a record, an enum or a variant; else as the description has it. */
    final String name;
    final int size;
    /** That of an option or a list, and the value of a map, which has a key beside it. */
    WitType element;
    WitType key;
    /** Where the value of a map's entry lies, or that of a variant's case. */
    int valueAt;
    /** The size of a map's entry. */
    int entry;
    Field[] fields = {};
    String[] cases = {};
    /** Whether it is, or has, a handle of a resource. */
    boolean holdsHandles;
    /** That of a handle. */
    ResourceType resource;
    /** Of a handle: whether it is given away, and whether there may be none: no option in C. */
    boolean isOwn;
    boolean isOptional;
    /** How records of Java stand for this one. */
    final ConcurrentHashMap<Class<?>, RecordPlan> plans = new ConcurrentHashMap<>();
    /** The same for the cases of a variant. */
    final ConcurrentHashMap<Class<?>, CasePlan> casePlans = new ConcurrentHashMap<>();

    WitType(Kind kind, String name, int size) {
        this.kind = kind;
        this.name = name;
        this.size = size;
    }

    WitType(Kind kind) {
        this(kind, kind.name().toLowerCase(Locale.ROOT), kind.size);
    }

    /** The place of a case; -1 for none. */
    int caseOf(String wanted) {
        for (int i = 0; i < cases.length; i++) {
            if (cases[i].equals(wanted)) {
                return i;
            }
        }
        return -1;
    }

    /** What is alike in the ways to write a name: USER_ID, userId and user-id. */
    static String fold(String name) {
        return name.replace("-", "").replace("_", "").toLowerCase(Locale.ROOT);
    }

    /** A name as Java writes it: user-id as userId. */
    static String camel(String name) {
        StringBuilder made = new StringBuilder(name.length());
        boolean upper = false;
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            if (c == '-') {
                upper = true;
            } else {
                made.append(upper ? Character.toUpperCase(c) : c);
                upper = false;
            }
        }
        return made.toString();
    }

    /** Names some of many. */
    static String listed(String[] names) {
        int most = 10;
        String first = Arrays.stream(names).limit(most).collect(Collectors.joining(", "));
        return names.length > most ? first + " and " + (names.length - most) + " more" : first;
    }

    String fieldNames() {
        return listed(Arrays.stream(fields).map(Field::name).toArray(String[]::new));
    }

    /** The type in WIT. */
    @Override
    public String toString() {
        return switch (kind) {
            case OPTION -> "option<" + element + ">";
            case LIST -> "list<" + element + ">";
            case MAP -> "map<" + key + ", " + element + ">";
            case TUPLE -> Arrays.stream(fields).map(field -> field.type.toString()).collect(Collectors.joining(", ", "tuple<", ">"));
            case HANDLE -> {
                String handle = isOwn ? resource.name : "borrow<" + resource + ">";
                yield isOptional ? "option<" + handle + ">" : handle;
            }
            default -> name;
        };
    }
}
