package dev.undergo.java;

/** The plugin needs functions that were not given. */
public final class MissingImportException extends UndergoException {
    private static final long serialVersionUID = 1;

    MissingImportException(Details details) {
        super(ErrorKind.MISSING_IMPORT, details);
    }
}
