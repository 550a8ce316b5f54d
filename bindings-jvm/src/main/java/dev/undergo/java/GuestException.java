package dev.undergo.java;

/** The Go function returned an error. The instance lives on. */
public final class GuestException extends UndergoException {
    private static final long serialVersionUID = 1;

    GuestException(Details details) {
        super(ErrorKind.GUEST_ERROR, details);
    }
}
