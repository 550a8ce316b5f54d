package dev.undergo.java;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The fields of an error. For what {@code undergo bindgen --lang java} writes: programs have no use
 * for it, and it changes with bindgen.
 */
public final class RawFields {
    final String name;
    /** Stands for the name and the types; 0 for those that a program has put together. */
    final long digest;
    private final Map<String, Object> values = new LinkedHashMap<>();
    /** Writes all fields; null where the values say how they are written. */
    Raw.Put<Map<String, Object>> put;

    /** Of an error of this name, and no field yet. */
    public RawFields(String name, long digest) {
        this.name = name;
        this.digest = digest;
    }

    /** The fields of an error of this type. */
    static RawFields of(ErrorType type, Map<?, ?> values) {
        return new RawFields(type.fields().name, type.digest()).with(values);
    }

    RawFields with(Map<?, ?> all) {
        all.forEach((field, value) -> values.put((String) field, value));
        return this;
    }

    /** Adds a field. */
    public RawFields with(String field, Object value) {
        values.put(field, value);
        return this;
    }

    /** Has the fields written by code that knows their types. */
    public RawFields by(Raw.Put<Map<String, Object>> code) {
        put = code;
        return this;
    }

    /** Writes the record of the fields. */
    void write(RawRoom room, WitType type, long at) {
        if (put == null) {
            Lower.lower(room, type, values, at);
        } else {
            put.put(room, at, values);
        }
    }

    Map<String, Object> values() {
        return Collections.unmodifiableMap(values);
    }
}
