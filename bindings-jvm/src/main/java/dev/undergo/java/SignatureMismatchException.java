package dev.undergo.java;

/** A function has another signature than it should. */
public final class SignatureMismatchException extends UndergoException {
    private static final long serialVersionUID = 1;

    SignatureMismatchException(Details details) {
        super(ErrorKind.SIGNATURE_MISMATCH, details);
    }
}
