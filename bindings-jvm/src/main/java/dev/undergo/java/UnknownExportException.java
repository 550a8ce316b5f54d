package dev.undergo.java;

/** The plugin has no export of that name. */
public final class UnknownExportException extends UndergoException {
    private static final long serialVersionUID = 1;

    UnknownExportException(Details details) {
        super(ErrorKind.UNKNOWN_EXPORT, details);
    }
}
