package dev.undergo.java;

/** The Go code panicked, or its runtime gave up. The instance is dead. */
public final class PanicException extends UndergoException {
    private static final long serialVersionUID = 1;

    PanicException(Details details) {
        super(ErrorKind.PANIC, details);
    }
}
