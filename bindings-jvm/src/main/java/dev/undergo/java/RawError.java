package dev.undergo.java;

/**
 * An error with fields as generated code knows it. For what {@code undergo bindgen --lang java}
 * writes: programs have no use for it, and it changes with bindgen.
 *
 * @param digest stands for the name and the types of the fields.
 * @param read makes its exception.
 */
public record RawError(long digest, Read read) {
    static final RawError[] NONE = {};

    /** Makes an exception. */
    @FunctionalInterface
    public interface Read {
        /** Makes it of a text, the struct of the fields, and the error that it wraps, if any. */
        GuestException read(String text, long at, Throwable inner);
    }
}
