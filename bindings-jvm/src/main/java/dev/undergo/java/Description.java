package dev.undergo.java;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.StringTokenizer;

/** Reads what undergo_plugin_describe gives. */
final class Description {
    final List<FunctionType> exports = new ArrayList<>();
    final List<FunctionType> imports = new ArrayList<>();
    final List<ErrorType> errors = new ArrayList<>();
    final List<ResourceType> resources = new ArrayList<>();
    /** The constructors and methods of the guest's resources. */
    final List<FunctionType> members = new ArrayList<>();
    private final List<WitType> records = new ArrayList<>();
    private final List<WitType> enums = new ArrayList<>();
    private final List<WitType> variants = new ArrayList<>();
    /** What the fields, cases or parameters that come next belong to. */
    private WitType named;
    private FunctionType function;

    Description(String text) {
        text.lines().forEach(line -> read(new StringTokenizer(line, " ")));
    }

    private void read(StringTokenizer words) {
        if (!words.hasMoreTokens()) {
            return;
        }
        switch (words.nextToken()) {
            case "record" -> {
                named = new WitType(WitType.Kind.RECORD, words.nextToken(), number(words));
                records.add(named);
            }
            case "enum" -> {
                named = new WitType(WitType.Kind.ENUM, words.nextToken(), WitType.Kind.ENUM.size);
                enums.add(named);
            }
            case "variant" -> {
                named = new WitType(WitType.Kind.VARIANT, words.nextToken(), number(words));
                number(words); // Its alignment: all places here are aligned to 8.
                named.valueAt = number(words);
                variants.add(named);
            }
            case "case" -> {
                String name = words.nextToken();
                named.cases = added(named.cases, name);
                if (named.kind == WitType.Kind.VARIANT) {
                    addField(new WitType.Field(name, named.valueAt, type(words)));
                }
            }
            case "error" -> {
                WitType fields = records.get(number(words));
                errors.add(new ErrorType(Long.parseUnsignedLong(words.nextToken()), fields));
            }
            case "field" -> addField(field(words));
            case "param" -> function.params = added(function.params, field(words));
            case "resource" ->
                resources.add(new ResourceType(words.nextToken(), words.nextToken().equals("guest"), ResourceType.Shape.of(words.nextToken())));
            case "constructor" -> {
                ResourceType of = resources.get(number(words));
                of.constructor = member(words, of, "");
            }
            case "method" -> {
                ResourceType of = resources.get(number(words));
                of.methods = added(of.methods, member(words, of, of.name + "."));
            }
            case "export" -> exports.add(function(words, exports.size()));
            case "import" -> imports.add(function(words, imports.size()));
            default -> throw new IllegalStateException("the library describes what this package does not know");
        }
    }

    private static <T> T[] added(T[] to, T one) {
        T[] longer = Arrays.copyOf(to, to.length + 1);
        longer[to.length] = one;
        return longer;
    }

    private static int number(StringTokenizer words) {
        return Integer.parseInt(words.nextToken());
    }

    private FunctionType function(StringTokenizer words, int number) {
        long digest = Long.parseUnsignedLong(words.nextToken());
        int size = number(words);
        // Whether it is fallible: the library sees to that.
        words.nextToken();
        function = new FunctionType(number, digest, size, type(words));
        return function;
    }

    private FunctionType member(StringTokenizer words, ResourceType of, String before) {
        int number = number(words);
        String name = before + words.nextToken();
        FunctionType found = function(words, number);
        found.name = name;
        found.signature = name;
        if (of.isGuests) {
            members.add(found);
        }
        return found;
    }

    private void addField(WitType.Field field) {
        named.fields = added(named.fields, field);
        named.holdsHandles |= field.type() != null && field.type().holdsHandles;
    }

    private WitType.Field field(StringTokenizer words) {
        return new WitType.Field(words.nextToken(), number(words), type(words));
    }

    /** Reads a type; null for none. */
    private WitType type(StringTokenizer words) {
        String word = words.nextToken();
        switch (word) {
            case "none":
                return null;
            case "option":
            case "list": {
                WitType type = new WitType(WitType.Kind.valueOf(word.toUpperCase(Locale.ROOT)));
                type.element = type(words);
                type.holdsHandles = type.element.holdsHandles;
                if (type.kind == WitType.Kind.OPTION && type.element.kind == WitType.Kind.HANDLE) {
                    type.element.isOptional = true;
                    return type.element;
                }
                return type;
            }
            case "map": {
                WitType type = new WitType(WitType.Kind.MAP);
                type.entry = number(words);
                type.key = type(words);
                type.valueAt = number(words);
                type.element = type(words);
                type.holdsHandles = type.element.holdsHandles;
                return type;
            }
            case "tuple": {
                int count = number(words);
                WitType type = new WitType(WitType.Kind.TUPLE, word, number(words));
                number(words); // Its alignment: all places here are aligned to 8.
                for (int i = 0; i < count; i++) {
                    WitType.Field field = new WitType.Field(Integer.toString(i), number(words), type(words));
                    type.fields = added(type.fields, field);
                    type.holdsHandles |= field.type().holdsHandles;
                }
                return type;
            }
            case "record":
                return records.get(number(words));
            case "enum":
                return enums.get(number(words));
            case "variant":
                return variants.get(number(words));
            case "own":
            case "borrow": {
                WitType handle = new WitType(WitType.Kind.HANDLE);
                handle.resource = resources.get(number(words));
                handle.isOwn = word.equals("own");
                handle.holdsHandles = true;
                return handle;
            }
            default:
                return new WitType(WitType.Kind.valueOf(word.toUpperCase(Locale.ROOT)));
        }
    }
}
