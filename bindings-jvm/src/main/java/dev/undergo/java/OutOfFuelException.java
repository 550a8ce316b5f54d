package dev.undergo.java;

/** The fuel was used up. The instance is dead. */
public final class OutOfFuelException extends UndergoException {
    private static final long serialVersionUID = 1;

    OutOfFuelException(Details details) {
        super(ErrorKind.OUT_OF_FUEL, details);
    }
}
