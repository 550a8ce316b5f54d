package dev.undergo.java;

import java.util.Locale;

/** What went wrong: the numbers are those of the library. */
enum ErrorKind {
    INVALID_PLUGIN,
    MISSING_IMPORT,
    UNKNOWN_EXPORT,
    SIGNATURE_MISMATCH,
    TYPE_MISMATCH,
    GUEST_ERROR,
    PANIC,
    EXIT,
    TRAP,
    TIMEOUT,
    CANCELLED,
    OUT_OF_FUEL,
    OUT_OF_MEMORY,
    HOST_ERROR,
    DENIED,
    DEAD_INSTANCE,
    BUSY;

    private static final ErrorKind[] ALL = values();

    static ErrorKind of(int number) {
        return number >= 1 && number <= ALL.length ? ALL[number - 1] : HOST_ERROR;
    }

    int number() {
        return ordinal() + 1;
    }

    /** The kind as one word. */
    String word() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
