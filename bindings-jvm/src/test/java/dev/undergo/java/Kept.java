package dev.undergo.java;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.LongUnaryOperator;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/** What a case keeps, and what a runner passes: see conformance/README.md. */
final class Kept {
    private final Map<String, AutoCloseable> named = new HashMap<>();
    private final List<AutoCloseable> all = new ArrayList<>();
    private final Map<String, ByteArrayOutputStream> written = new HashMap<>();

    /** An instance with the runner's store and notes. */
    static final class Home {
        final Instance instance;
        final List<Object> notes;
        final Store store = new Store();

        Home(Instance instance, List<Object> notes) {
            this.instance = instance;
            this.notes = notes;
        }
    }

    void keep(String name, Object given) {
        AutoCloseable object = (AutoCloseable) given;
        named.put(name, object);
        all.add(object);
    }

    AutoCloseable get(String name) {
        return named.get(name);
    }

    byte[] written(String name) {
        return written.get(name).toByteArray();
    }

    /** Closes all that a case has kept, and forgets the names. */
    void end() throws Exception {
        try {
            for (AutoCloseable each : all) {
                each.close();
            }
        } finally {
            all.clear();
            named.clear();
            written.clear();
        }
    }

    /** What stands for a value that lives longer than a call. */
    Object passed(String key, JsonNode value, Supplier<Object> inner, Home home) {
        JsonNode given = value.get(key);
        return switch (key) {
            case "$handle" -> get(given.textValue());
            case "$callback" -> callback(given.textValue(), home);
            case "$object" -> home.store;
            case "$items" -> items((List<?>) inner.get(), value.has("then"));
            case "$endless" -> Stream.generate(inner);
            case "$reader" -> reader((byte[]) inner.get(), value.path("then").asText());
            case "$writer" -> {
                ByteArrayOutputStream collected = new ByteArrayOutputStream();
                written.put(given.get("as").textValue(), collected);
                yield new Bounded(collected, given.path("most").asInt(Integer.MAX_VALUE));
            }
            default -> throw new IllegalStateException(key + " is no value of the list");
        };
    }

    private static Object callback(String name, Home home) {
        return switch (name) {
            case "double" -> (LongUnaryOperator) number -> 2 * number;
            case "fail" -> (HostFunction) arguments -> {
                throw new Support.Refused("the callback failed");
            };
            case "reenter" -> (UnaryOperator<Object>) number -> home.instance.call("echo-int64", number);
            case "apply-reenter" -> (HostFunction) arguments -> {
                LongUnaryOperator twice = number -> 2 * number;
                return ((List<?>) home.instance.call("apply", new long[] {arguments.number(0)}, twice)).get(0);
            };
            case "open-store" -> (HostFunction) arguments -> {
                if (arguments.text(0).isEmpty()) {
                    throw new Support.Refused("no name");
                }
                return home.store.child(arguments.text(0));
            };
            case "note" -> (Consumer<String>) home.notes::add;
            case "wrong-type" -> (HostFunction) arguments -> "not a number";
            default -> throw new IllegalStateException(name + " is no function of the list");
        };
    }

    /** All that may stand for an iterable, in turn. */
    private static Object items(List<?> items, boolean fails) {
        if (fails) {
            return new Failing(items.iterator());
        }
        return switch (items.size() % 4) {
            case 0 -> items.iterator();
            case 1 -> items.stream();
            case 2 -> items.toArray();
            default -> items;
        };
    }

    /** Fails behind the last item. */
    private record Failing(Iterator<?> items) implements Iterator<Object> {
        @Override
        public boolean hasNext() {
            return true;
        }

        @Override
        public Object next() {
            if (!items.hasNext()) {
                throw UndergoException.sneaky(new Support.Refused("no more items"));
            }
            return items.next();
        }
    }

    private static InputStream reader(byte[] bytes, String then) {
        return switch (then) {
            case "fail" -> new ByteArrayInputStream(bytes) {
                @Override
                public int read(byte[] into, int offset, int length) {
                    int count = super.read(into, offset, length);
                    if (count < 0) {
                        throw UndergoException.sneaky(new Support.Refused("broken reader"));
                    }
                    return count;
                }
            };
            case "repeat" -> new InputStream() {
                private int at;

                @Override
                public int read() {
                    return bytes[at++ % bytes.length] & 0xff;
                }
            };
            default -> new ByteArrayInputStream(bytes);
        };
    }

    /** Takes so many bytes at most. */
    private static final class Bounded extends OutputStream {
        private final ByteArrayOutputStream to;
        private final int most;

        Bounded(ByteArrayOutputStream to, int most) {
            this.to = to;
            this.most = most;
        }

        @Override
        public void write(int one) throws IOException {
            write(new byte[] {(byte) one});
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            if (to.size() + length > most) {
                throw new IOException("broken writer");
            }
            to.write(bytes, offset, length);
        }
    }

    /** The runner's store of texts. */
    static final class Store {
        private final Map<String, String> texts = new LinkedHashMap<>();

        public String get(String key) throws Support.Refused {
            String found = texts.get(key);
            if (found == null) {
                throw new Support.Refused("no such key: " + key);
            }
            return found;
        }

        public void put(String key, String value) {
            texts.put(key, value);
        }

        public int size() {
            return texts.size();
        }

        public Store child(String name) {
            Store made = new Store();
            made.put("name", name);
            return made;
        }
    }
}
