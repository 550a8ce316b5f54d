package dev.undergo.java;

/** The guest wanted more memory than its limit. The instance is dead. */
public final class OutOfMemoryException extends UndergoException {
    private static final long serialVersionUID = 1;

    OutOfMemoryException(Details details) {
        super(ErrorKind.OUT_OF_MEMORY, details);
    }
}
