package dev.undergo.java;

import java.util.Objects;

/**
 * A case of a variant, in calls by names.
 *
 * @param tag its name in WIT: {@code circle}.
 * @param value its value, as an object that is natural for it; null for a case without one.
 */
public record Case(String tag, Object value) {
    /** A case with a value. */
    public Case {
        Objects.requireNonNull(tag);
    }

    /** A case without a value. */
    public Case(String tag) {
        this(tag, null);
    }
}
