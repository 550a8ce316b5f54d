package dev.undergo.java;

/** The instance is in the middle of another call of the same thread. */
public final class BusyException extends UndergoException {
    private static final long serialVersionUID = 1;

    BusyException(Details details) {
        super(ErrorKind.BUSY, details);
    }
}
