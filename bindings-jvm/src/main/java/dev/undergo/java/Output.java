package dev.undergo.java;

/** Where a guest's output goes. */
public sealed interface Output {
    /** To the same stream of this process. */
    static Output inherit() {
        return new Inherit();
    }

    /** Nowhere. */
    static Output discard() {
        return new Discard();
    }

    /** Into a buffer of 1 MiB; what is beyond is dropped. */
    static Output capture() {
        return new Capture(0);
    }

    /** Into a buffer of so many bytes; what is beyond is dropped. */
    static Output capture(long limit) {
        return new Capture(limit);
    }

    /**
     * To a function, line by line, while the guest waits: without the newline; what is not UTF-8 is
     * replaced, a line of more than 64 KiB comes in pieces. What it throws ends the call and the
     * instance, and reaches the caller. It can't call the instance whose output it gets.
     */
    static Output lines(Lines lines) {
        return lines;
    }

    /** See {@link Output#inherit()}. */
    record Inherit() implements Output {}

    /** See {@link Output#discard()}. */
    record Discard() implements Output {}

    /**
     * See {@link Output#capture(long)}.
     *
     * @param limit bytes that are kept; 0 for 1 MiB.
     */
    record Capture(long limit) implements Output {
        public Capture {
            if (limit < 0) {
                throw new IllegalArgumentException(limit + " bytes can't be captured");
            }
        }
    }

    /** See {@link Output#lines(Lines)}. */
    @FunctionalInterface
    non-sealed interface Lines extends Output {
        /** Takes a line. */
        void line(String text) throws Exception;
    }
}
