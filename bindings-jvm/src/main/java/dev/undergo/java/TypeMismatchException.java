package dev.undergo.java;

/** A value does not fit its type; {@link #path} says which. */
public final class TypeMismatchException extends UndergoException {
    private static final long serialVersionUID = 1;

    TypeMismatchException(Details details) {
        super(ErrorKind.TYPE_MISMATCH, details);
    }
}
