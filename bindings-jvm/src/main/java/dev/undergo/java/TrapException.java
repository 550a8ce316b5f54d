package dev.undergo.java;

/** The guest did what WebAssembly forbids, or its stack overflowed. The instance is dead. */
public final class TrapException extends UndergoException {
    private static final long serialVersionUID = 1;

    TrapException(Details details) {
        super(ErrorKind.TRAP, details);
    }
}
