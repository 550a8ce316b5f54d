package dev.undergo.java;

/** The Go code called {@code os.Exit} with {@link #exitCode}. The instance is dead. */
public final class ExitException extends UndergoException {
    private static final long serialVersionUID = 1;

    ExitException(Details details) {
        super(ErrorKind.EXIT, details);
    }
}
