package dev.undergo.java;

/** The instance has ended or is closed, and answers no further call; the message says why. */
public final class DeadInstanceException extends UndergoException {
    private static final long serialVersionUID = 1;

    DeadInstanceException(Details details) {
        super(ErrorKind.DEAD_INSTANCE, details);
    }
}
