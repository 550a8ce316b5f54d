package dev.undergo.java;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * One JSON value as text, for the WIT type {@code json}.
 *
 * @param text the text, as it was written.
 */
public record Json(String text) {
    /**
     * Writes an object as JSON: null, booleans, numbers, strings, iterables, arrays of objects, and
     * maps, whose keys are written as text. A {@code Json} is itself.
     */
    public static Json of(Object value) {
        if (value instanceof Json json) {
            return json;
        }
        try {
            return new Json(written(value));
        } catch (Misfit misfit) {
            throw UndergoException.of(ErrorKind.TYPE_MISMATCH, misfit.text());
        }
    }

    /**
     * Reads it as plain objects: null, {@code Boolean}, {@code String}, lists, maps, and numbers
     * with all their digits: {@code Long} or {@code BigInteger}, {@code Double} or {@code
     * BigDecimal}.
     *
     * @throws TypeMismatchException when it is not JSON, is nested more than 500 deep, or has a
     *     number of more than 4,300 digits.
     */
    public Object value() {
        return JsonReader.read(text);
    }

    /** The text of an object. */
    static String written(Object value) {
        if (value instanceof Json json) {
            return json.text;
        }
        StringBuilder text = new StringBuilder();
        write(text, value, new IdentityHashMap<>());
        return text.toString();
    }

    private static void write(StringBuilder to, Object value, IdentityHashMap<Object, Object> outer) {
        if (value == null || value instanceof Boolean || value instanceof Integer || value instanceof Long || value instanceof Short
                || value instanceof Byte || value instanceof BigInteger || value instanceof BigDecimal) {
            to.append(value);
        } else if (value instanceof Double || value instanceof Float) {
            if (!Double.isFinite(((Number) value).doubleValue())) {
                throw new Misfit(value + " is no number of JSON");
            }
            to.append(value);
        } else if (value instanceof CharSequence || value instanceof Character || value instanceof Enum<?>) {
            quote(to, value.toString());
        } else if (value instanceof Json json) {
            to.append(json.text);
        } else if (value instanceof Optional<?> optional) {
            write(to, optional.orElse(null), outer);
        } else if (outer.put(value, value) != null) {
            throw new Misfit("it contains itself, and can't be written as JSON");
        } else {
            parts(to, value, outer);
            outer.remove(value);
        }
    }

    private static void parts(StringBuilder to, Object value, IdentityHashMap<Object, Object> outer) {
        if (value instanceof Map<?, ?> map) {
            String between = "{";
            for (Map.Entry<?, ?> entry : map.entrySet()) {
                to.append(between);
                String name = String.valueOf(entry.getKey());
                quote(to, name);
                to.append(':');
                part(to, entry.getValue(), outer, "." + name);
                between = ",";
            }
            to.append(map.isEmpty() ? "{}" : "}");
        } else if (value instanceof Iterable<?> || value instanceof Object[]) {
            Iterable<?> items = value instanceof Iterable<?> found ? found : java.util.Arrays.asList((Object[]) value);
            to.append('[');
            String between = "";
            int index = 0;
            for (Object item : items) {
                to.append(between);
                part(to, item, outer, "[" + index++ + "]");
                between = ",";
            }
            to.append(']');
        } else {
            throw new Misfit("JSON has no " + value.getClass().getTypeName() + ": give null, a Boolean, a number, a String, an Iterable, a Map or a Json");
        }
    }

    private static void part(StringBuilder to, Object value, IdentityHashMap<Object, Object> outer, String step) {
        try {
            write(to, value, outer);
        } catch (Misfit misfit) {
            throw misfit.at(step);
        }
    }

    private static void quote(StringBuilder to, String text) {
        to.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') {
                to.append('\\').append(c);
            } else if (c < 0x20) {
                to.append(String.format("\\u%04x", (int) c));
            } else {
                to.append(c);
            }
        }
        to.append('"');
    }
}
