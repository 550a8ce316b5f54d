package dev.undergo.java;

/** The sandbox forbids it, or can't be made as requested. */
public final class DeniedException extends UndergoException {
    private static final long serialVersionUID = 1;

    DeniedException(Details details) {
        super(ErrorKind.DENIED, details);
    }
}
