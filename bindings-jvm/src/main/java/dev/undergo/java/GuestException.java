package dev.undergo.java;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * The Go function returned an error. The instance lives on.
 *
 * <p>If the plugin has errors with fields, {@link #getCause} is the error that this one wraps, and
 * so on. An error with fields has its name and its fields; in calls of a generated client it is of
 * the class that the client has for it.
 *
 * <p>A host function fails with an error of the plugin's by throwing it, or any exception that has
 * it among its causes.
 */
public non-sealed class GuestException extends UndergoException {
    private static final long serialVersionUID = 1;

    /** null for an error without fields. */
    private final transient RawFields fields;

    /** An error that a call has returned. */
    GuestException(Details details) {
        super(ErrorKind.GUEST_ERROR, details);
        fields = null;
    }

    /** One of the errors of which such an error consists; it wraps another, or null. */
    GuestException(String message, RawFields fields, GuestException inner) {
        this(message, fields);
        initCause(inner);
    }

    /** For what {@code undergo bindgen --lang java} writes. */
    protected GuestException(String message, RawFields fields) {
        super(ErrorKind.GUEST_ERROR, Details.of(message, ""));
        this.fields = fields;
    }

    /**
     * An error with fields, for a host function to throw; {@link #initCause} gives it a cause.
     *
     * @param message what it says.
     * @param name the name of the error in WIT: {@code not-found}. Where the plugin has no such
     *     error, it gets the text alone.
     * @param fields the fields, by their names in WIT or in Java. If they do not fit those of the
     *     plugin's error, the plugin's call ends with {@link TypeMismatchException}.
     */
    public GuestException(String message, String name, Map<String, ?> fields) {
        this(message, new RawFields(Objects.requireNonNull(name), 0).with(fields));
    }

    /** The name of the error in WIT: {@code not-found}. Empty for an error without fields. */
    public final String errorName() {
        return fields == null ? "" : fields.name;
    }

    /** The fields, by their names in Java, as objects that are natural for them. */
    public final Map<String, Object> fields() {
        return fields == null ? Map.of() : fields.values();
    }

    /** This error, the one that it wraps, and so on, as Go's {@code errors.As} sees them. */
    public final List<GuestException> chain() {
        List<GuestException> chain = new ArrayList<>();
        for (Throwable each : Chain.causes(this)) {
            if (each instanceof GuestException error) {
                chain.add(error);
            }
        }
        return List.copyOf(chain);
    }

    /** The fields of an error; null for any other. */
    static RawFields fieldsOf(Throwable thrown) {
        return thrown instanceof GuestException error ? error.fields : null;
    }
}
