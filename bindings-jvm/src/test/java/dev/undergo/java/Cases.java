package dev.undergo.java;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The values of the lists of cases: conformance/README.md says how they are written. */
final class Cases {
    private final Kept kept;
    private final Kept.Home home;
    /** Maps of a component are lists of pairs. */
    private final boolean isComponent;

    /** Values that are of an instance, or are kept. */
    Cases(Kept kept, Kept.Home home, boolean isComponent) {
        this.kept = kept;
        this.home = home;
        this.isComponent = isComponent;
    }

    /** The object of a JSON value. The WIT type tells a long list of strings from a long string. */
    Object argument(JsonNode value, String type) {
        if (value.isNull()) {
            return null;
        } else if (value.isBoolean()) {
            return value.booleanValue();
        } else if (value.isTextual()) {
            return value.textValue();
        } else if (value.isIntegralNumber()) {
            return value.longValue();
        } else if (value.isNumber()) {
            return value.doubleValue();
        } else if (value.isArray()) {
            List<Object> items = new ArrayList<>();
            value.forEach(item -> items.add(argument(item, "")));
            return items;
        }
        String key = key(value);
        if (!key.isEmpty()) {
            return special(key, value, type);
        }
        Map<String, Object> fields = new LinkedHashMap<>();
        value.properties().forEach(field -> fields.put(field.getKey(), argument(field.getValue(), "")));
        return fields;
    }

    /** The first key of an object, if it begins with a dollar. */
    private static String key(JsonNode value) {
        if (value != null && value.isObject() && !value.isEmpty()) {
            String key = value.fieldNames().next();
            return key.startsWith("$") ? key : "";
        }
        return "";
    }

    private Object special(String key, JsonNode value, String type) {
        JsonNode inner = value.get(key);
        return switch (key) {
            case "$int" -> new BigInteger(inner.textValue());
            case "$float" -> switch (inner.textValue()) {
                case "nan" -> Double.NaN;
                case "inf" -> Double.POSITIVE_INFINITY;
                case "-inf" -> Double.NEGATIVE_INFINITY;
                default -> Double.parseDouble(inner.textValue());
            };
            case "$bytes" -> HexFormat.of().parseHex(inner.textValue());
            case "$map" -> {
                if (isComponent) {
                    yield argument(inner, "");
                }
                Map<Object, Object> map = new LinkedHashMap<>();
                inner.forEach(pair -> map.put(argument(pair.get(0), ""), argument(pair.get(1), "")));
                yield map;
            }
            case "$duration" -> Duration.ofNanos(Long.parseLong(inner.textValue()));
            case "$time" -> time(inner);
            case "$json" -> new Json(inner.toString());
            case "$case" -> new Case(inner.get(0).textValue(), inner.has(1) ? argument(inner.get(1), "") : null);
            case "$surrogate" -> String.valueOf((char) Integer.parseInt(inner.textValue(), 16));
            case "$repeat" -> repeated(argument(inner.get("value"), ""), inner.get("count").intValue(), type);
            default -> kept.passed(key, value, () -> argument(inner, ""), home);
        };
    }

    private static Object repeated(Object one, int count, String type) {
        if (one instanceof String text && !type.startsWith("list")) {
            return text.repeat(count);
        } else if (one instanceof byte[] part && !type.equals("list<list<u8>>")) {
            byte[] whole = new byte[part.length * count];
            for (int i = 0; i < whole.length; i++) {
                whole[i] = part[i % part.length];
            }
            return whole;
        }
        return Collections.nCopies(count, one);
    }

    private static OffsetDateTime time(JsonNode parts) {
        return Instant.ofEpochSecond(parts.get("seconds").longValue(), parts.get("nanoseconds").longValue())
                .atOffset(ZoneOffset.ofTotalSeconds(parts.get("offset").intValue()));
    }

    /** Compares a result with the JSON value that stands for it. */
    void check(Object actual, JsonNode expected) {
        String key = key(expected);
        if (expected == null || expected.isNull()) {
            assertNull(actual);
        } else if (key.equals("$between")) {
            long found = (Long) actual;
            assertTrue(found >= expected.get(key).get(0).longValue() && found <= expected.get(key).get(1).longValue());
        } else if (key.equals("$keep")) {
            kept.keep(expected.get(key).textValue(), actual);
        } else if (key.equals("$items")) {
            Items<?> items = (Items<?>) actual;
            for (JsonNode item : expected.get(key)) {
                assertTrue(items.hasNext());
                check(items.next(), item);
            }
            assertFalse(items.hasNext());
        } else if (key.equals("$reader")) {
            try (InputStream stream = (InputStream) actual) {
                check(stream.readAllBytes(), expected.get(key));
            } catch (IOException error) {
                throw new UncheckedIOException(error);
            }
        } else if (key.equals("$case")) {
            Case found = (Case) actual;
            assertEquals(expected.get(key).get(0).textValue(), found.tag());
            check(found.value(), expected.get(key).get(1));
        } else if (key.equals("$json")) {
            checkJson(Support.json(((Json) actual).text()), expected.get(key));
        } else if (key.equals("$map")) {
            Map<Object, Object> found = new HashMap<>();
            if (isComponent) {
                ((List<?>) actual).forEach(pair -> found.put(number(((List<?>) pair).get(0)), ((List<?>) pair).get(1)));
            } else {
                ((Map<?, ?>) actual).forEach((name, value) -> found.put(number(name), value));
            }
            assertEquals(expected.get(key).size(), found.size());
            for (JsonNode pair : expected.get(key)) {
                Object name = number(argument(pair.get(0), ""));
                assertTrue(found.containsKey(name), () -> found + " has no " + name);
                check(found.get(name), pair.get(1));
            }
        } else if (key.equals("$repeat") && actual instanceof List<?> items) {
            assertEquals(expected.get(key).get("count").intValue(), items.size());
            items.forEach(item -> check(item, expected.get(key).get("value")));
        } else if (expected.isArray()) {
            List<?> items = (List<?>) actual;
            assertEquals(expected.size(), items.size());
            for (int i = 0; i < items.size(); i++) {
                check(items.get(i), expected.get(i));
            }
        } else if (expected.isObject() && key.isEmpty()) {
            Map<?, ?> fields = (Map<?, ?>) actual;
            assertEquals(expected.size(), fields.size());
            expected.properties().forEach(field -> check(fields.get(WitType.camel(field.getKey())), field.getValue()));
        } else if (actual instanceof byte[] bytes) {
            assertArrayEquals((byte[]) argument(expected, "list<u8>"), bytes);
        } else if (actual instanceof Double) {
            // NaN equals NaN here, and 0.0 does not equal -0.0.
            assertEquals(((Number) argument(expected, "")).doubleValue(), actual);
        } else {
            assertEquals(number(argument(expected, "")), number(actual));
        }
    }

    /** Integers of any class as one. */
    private static Object number(Object value) {
        return value instanceof Long integer ? BigInteger.valueOf(integer) : value;
    }

    private static void checkJson(JsonNode actual, JsonNode expected) {
        if (expected.isObject()) {
            assertEquals(expected.size(), actual.size());
            expected.properties().forEach(member -> checkJson(actual.get(member.getKey()), member.getValue()));
        } else if (expected.isArray()) {
            assertEquals(expected.size(), actual.size());
            for (int i = 0; i < expected.size(); i++) {
                checkJson(actual.get(i), expected.get(i));
            }
        } else if (expected.isNumber()) {
            assertEquals(expected.decimalValue().doubleValue(), actual.decimalValue().doubleValue());
        } else {
            assertEquals(expected, actual);
        }
    }
}
