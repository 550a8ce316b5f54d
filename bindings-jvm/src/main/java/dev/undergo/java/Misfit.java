package dev.undergo.java;

/** A value that does not fit its type in the interface, or the other way round. */
final class Misfit extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final String what;
    /** Where the value is, as far as is known on the way out. */
    private String path = "";

    Misfit(String what) {
        super(what, null, false, false);
        this.what = what;
    }

    static Misfit wanted(WitType type, Object value) {
        return new Misfit("expected " + type + ", got " + (value == null ? "null" : value.getClass().getTypeName()));
    }

    /** Adds a step on the way out. */
    Misfit at(String step) {
        path = step + path;
        return this;
    }

    /** Names the host function in which it is. */
    Misfit of(String function) {
        path = function + "(" + path + ")";
        return this;
    }

    /** The path and the sentence. */
    String text() {
        return path.isEmpty() ? what : path + ": " + what;
    }

    /** The error that callers of a function get. */
    UndergoException in(String function) {
        return UndergoException.of(ErrorKind.TYPE_MISMATCH, what, function + "(" + path + ")");
    }
}
