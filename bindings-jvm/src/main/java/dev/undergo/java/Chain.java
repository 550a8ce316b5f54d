package dev.undergo.java;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The errors of which an error consists, as the library has them: each wraps the next. */
final class Chain {
    // undergo_chained_t.
    private static final int TEXT = 0;
    private static final int LEN = 8;
    private static final int NAME = 16;
    private static final int DIGEST = 24;
    private static final int FIELDS = 32;
    private static final int FIELDS_SIZE = 40;
    private static final int SIZE = 56;

    /** How many errors of a chain the library carries. */
    private static final int LONGEST = 64;

    private Chain() {}

    /**
     * Reads the errors of which one of the library's consists; null when there are none.
     *
     * @param types those with fields that the plugin has.
     * @param known those of them that generated code has an exception for.
     */
    static GuestException read(long error, ErrorType[] types, RawError[] known) {
        long link = Memory.allocate(SIZE);
        try {
            return read(error, 0, link, types, known);
        } finally {
            Memory.free(link);
        }
    }

    private static GuestException read(long error, int index, long link, ErrorType[] types, RawError[] known) {
        if (!Library.is(Library.call(Library.ERROR_CHAINED, error, index, link))) {
            return null;
        }
        String text = Lift.text(link + TEXT);
        long fields = Memory.getLong(link + FIELDS);
        long digest = Memory.getLong(link + DIGEST);
        GuestException inner = read(error, index + 1, link, types, known);
        if (fields != 0) {
            for (RawError each : known) {
                if (each.digest() == digest) {
                    return each.read().read(text, fields, inner);
                }
            }
            for (ErrorType each : types) {
                if (each.digest() == digest) {
                    Map<?, ?> values = (Map<?, ?>) Lift.VALUES.lift(each.fields(), fields, Object.class);
                    return new GuestException(text, RawFields.of(each, values), inner);
                }
            }
        }
        return new GuestException(text, null, inner);
    }

    /**
     * Has an error of the library consist of an exception and its causes.
     *
     * @param types the errors with fields that the plugin has.
     * @param room for what the fields point to.
     * @throws Misfit when the fields of one do not fit.
     */
    static long give(long error, Throwable thrown, ErrorType[] types, RawRoom room) {
        List<Throwable> causes = causes(thrown);
        long links = Memory.allocate((long) SIZE * causes.size());
        Memory.clear(links, (long) SIZE * causes.size());
        List<Long> texts = new ArrayList<>();
        try {
            long link = links;
            for (Throwable each : causes) {
                write(link, each, types, room, texts);
                link += SIZE;
            }
            return Library.call(Library.ERROR_WITH_CHAIN, error, links, causes.size());
        } catch (Throwable misfit) {
            Library.call(Library.ERROR_DELETE, error);
            throw misfit;
        } finally {
            texts.forEach(Memory::free);
            Memory.free(links);
        }
    }

    private static void write(long link, Throwable thrown, ErrorType[] types, RawRoom room, List<Long> texts) {
        byte[] text = textOf(thrown).getBytes(StandardCharsets.UTF_8);
        texts.add(Library.cBytes(text));
        Memory.putLong(link + TEXT, texts.get(texts.size() - 1));
        Memory.putLong(link + LEN, text.length);
        RawFields fields = GuestException.fieldsOf(thrown);
        ErrorType type = fields == null ? null : ErrorType.of(types, fields);
        if (type == null) {
            return;
        }
        texts.add(Library.cText(fields.name));
        Memory.putLong(link + NAME, texts.get(texts.size() - 1));
        long at = room.room(type.fields().size);
        try {
            fields.write(room, type.fields(), at);
        } catch (Misfit misfit) {
            throw misfit.at(fields.name);
        }
        Memory.putLong(link + DIGEST, type.digest());
        Memory.putLong(link + FIELDS, at);
        Memory.putLong(link + FIELDS_SIZE, type.fields().size);
    }

    /** What an exception says. */
    static String textOf(Throwable thrown) {
        String message = thrown.getMessage();
        if (message == null || message.isEmpty()) {
            return thrown.getClass().getSimpleName();
        }
        return thrown instanceof Exception ? message : thrown.getClass().getSimpleName() + ": " + message;
    }

    /** An exception and its causes, as many as the library carries. They may be a circle. */
    static List<Throwable> causes(Throwable thrown) {
        List<Throwable> causes = new ArrayList<>();
        Set<Throwable> known = Collections.newSetFromMap(new IdentityHashMap<>());
        for (Throwable each = thrown; each != null && causes.size() < LONGEST && known.add(each); each = each.getCause()) {
            causes.add(each);
        }
        return causes;
    }
}
