package dev.undergo.java;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads JSON as plain objects. */
final class JsonReader {
    /** How deep lists and objects may be nested. */
    private static final int DEEPEST = 500;
    /** To read a number takes the square of its digits. */
    private static final int MOST_DIGITS = 4300;

    private final String text;
    private int at;

    private JsonReader(String text) {
        this.text = text;
    }

    static Object read(String text) {
        JsonReader reader = new JsonReader(text);
        Object value = reader.value(0);
        if (reader.next() != 0) {
            throw reader.broken();
        }
        return value;
    }

    private static UndergoException unreadable(String why) {
        return UndergoException.of(ErrorKind.TYPE_MISMATCH, "the JSON can't be read: " + why);
    }

    private UndergoException broken() {
        return unreadable("it is not JSON from letter " + (at + 1) + " on");
    }

    /** The next letter that is no space, which is not yet read; 0 at the end. */
    private char next() {
        for (; at < text.length(); at++) {
            char c = text.charAt(at);
            if (c != ' ' && c != '\n' && c != '\r' && c != '\t') {
                return c;
            }
        }
        return 0;
    }

    private boolean take(char wanted) {
        boolean found = next() == wanted;
        if (found) {
            at++;
        }
        return found;
    }

    private void expect(char wanted) {
        if (!take(wanted)) {
            throw broken();
        }
    }

    private Object value(int depth) {
        if (depth > DEEPEST) {
            throw unreadable("it is nested more than " + DEEPEST + " deep");
        }
        return switch (next()) {
            case '{' -> object(depth);
            case '[' -> list(depth);
            case '"' -> string();
            case 't' -> word("true", true);
            case 'f' -> word("false", false);
            case 'n' -> word("null", null);
            default -> number();
        };
    }

    private Object word(String word, Object value) {
        if (!text.startsWith(word, at)) {
            throw broken();
        }
        at += word.length();
        return value;
    }

    private Map<String, Object> object(int depth) {
        at++;
        Map<String, Object> members = new LinkedHashMap<>();
        if (!take('}')) {
            do {
                if (next() != '"') {
                    throw broken();
                }
                String name = string();
                expect(':');
                members.put(name, value(depth + 1));
            } while (take(','));
            expect('}');
        }
        return Collections.unmodifiableMap(members);
    }

    private List<Object> list(int depth) {
        at++;
        List<Object> items = new ArrayList<>();
        if (!take(']')) {
            do {
                items.add(value(depth + 1));
            } while (take(','));
            expect(']');
        }
        return Collections.unmodifiableList(items);
    }

    private String string() {
        int begin = ++at;
        StringBuilder made = null;
        while (at < text.length()) {
            char c = text.charAt(at++);
            if (c == '"') {
                return made == null ? text.substring(begin, at - 1) : made.toString();
            } else if (c == '\\') {
                made = made == null ? new StringBuilder().append(text, begin, at - 1) : made;
                made.append(escaped());
            } else if (made != null) {
                made.append(c);
            }
        }
        throw broken();
    }

    private char escaped() {
        char c = at < text.length() ? text.charAt(at++) : 0;
        return switch (c) {
            case '"', '\\', '/' -> c;
            case 'b' -> '\b';
            case 'f' -> '\f';
            case 'n' -> '\n';
            case 'r' -> '\r';
            case 't' -> '\t';
            case 'u' -> {
                try {
                    yield (char) Integer.parseInt(text, at, at += 4, 16);
                } catch (IndexOutOfBoundsException | NumberFormatException error) {
                    throw broken();
                }
            }
            default -> throw broken();
        };
    }

    private Object number() {
        int begin = at;
        int digits = 0;
        boolean whole = true;
        for (; at < text.length(); at++) {
            char c = text.charAt(at);
            if (c >= '0' && c <= '9') {
                digits++;
            } else if (c == '.' || c == 'e' || c == 'E' || c == '+') {
                whole = false;
            } else if (c != '-') {
                break;
            }
        }
        if (digits > MOST_DIGITS) {
            throw unreadable("a number has " + digits + " digits, and " + MOST_DIGITS + " is the most");
        }
        String found = text.substring(begin, at);
        try {
            return whole && !found.equals("-0") ? integer(found) : fraction(found);
        } catch (NumberFormatException error) {
            at = begin;
            throw broken();
        }
    }

    private static Object integer(String digits) {
        BigInteger number = new BigInteger(digits);
        // What a conditional would give has one class for both.
        if (number.bitLength() < Long.SIZE) {
            return number.longValue();
        }
        return number;
    }

    private static Object fraction(String digits) {
        double number = Double.parseDouble(digits);
        if (Double.isInfinite(number)) {
            return new BigDecimal(digits);
        }
        return number;
    }
}
