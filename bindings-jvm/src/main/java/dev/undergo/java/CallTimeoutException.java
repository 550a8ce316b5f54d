package dev.undergo.java;

/** The call took longer than it may. The instance is dead, unless the call had not begun. */
public final class CallTimeoutException extends UndergoException {
    private static final long serialVersionUID = 1;

    CallTimeoutException(Details details) {
        super(ErrorKind.TIMEOUT, details);
    }
}
