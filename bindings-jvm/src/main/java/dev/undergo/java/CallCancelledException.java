package dev.undergo.java;

/** The call was cancelled. The instance is dead, unless the call had not begun. */
public final class CallCancelledException extends UndergoException {
    private static final long serialVersionUID = 1;

    CallCancelledException(Details details) {
        super(ErrorKind.CANCELLED, details);
    }
}
