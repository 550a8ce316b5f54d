package dev.undergo.java;

/** A host function failed without an exception of its own. */
public final class HostException extends UndergoException {
    private static final long serialVersionUID = 1;

    HostException(Details details) {
        super(ErrorKind.HOST_ERROR, details);
    }
}
