package dev.undergo.java;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.ResourceBundle;
import org.junit.jupiter.api.Test;

/** Services under standard names: keys and values, configuration, logs. */
class ServicesTest {
    /** A logger that keeps its lines. */
    private static final class Lines implements System.Logger {
        final List<String> all = new ArrayList<>();

        @Override
        public String getName() {
            return "lines";
        }

        @Override
        public boolean isLoggable(Level level) {
            return level != Level.TRACE;
        }

        @Override
        public void log(Level level, ResourceBundle bundle, String message, Throwable thrown) {
            all.add(level + " " + message);
        }

        @Override
        public void log(Level level, ResourceBundle bundle, String format, Object... parameters) {
            all.add(level + " " + format);
        }
    }

    private static Instance start(KeyValue stores, System.Logger logger) {
        Options options = new Options().keyvalue(stores).config(Map.of("a", "1")).logging(logger);
        return Support.services().instantiate(options);
    }

    @Test
    void storesAreSharedAndBounded() {
        KeyValue stores = KeyValue.memory(new KeyValue.Room(List.of("a"), 10, 1000));
        try (Instance one = start(stores, new Lines()); Instance other = start(stores, new Lines())) {
            one.call("set", "a", "k", "v");
            assertEquals("v", other.call("get", "a", "k"));
            assertArrayEquals("v".getBytes(StandardCharsets.UTF_8), stores.get("a", "k"));
            assertNull(stores.get("a", "x"));
            stores.set("a", "z", new byte[0]);
            assertEquals("", one.call("get", "a", "z"));
            assertEquals("no-such-store", one.call("failure", "b"));
            assertEquals("2", one.call("swap", "a", "s", "3", "2"));
            GuestException full = assertThrows(GuestException.class, () -> one.call("fill", "a", 11));
            assertTrue(full.getMessage().contains("as many entries as they may"), full.getMessage());
            assertThrows(UndergoException.class, () -> stores.get("b", "k"));
        }
        assertThrows(TypeMismatchException.class, () -> KeyValue.redis("http://x", KeyValue.Room.DEFAULT));
    }

    @Test
    void aConfigurationIsAMap() {
        try (Instance instance = start(KeyValue.memory(KeyValue.Room.DEFAULT), new Lines())) {
            assertEquals("1", instance.call("config", "a"));
            assertNull(instance.call("config", "b"));
            assertEquals(Map.of("a", "1"), instance.call("configs"));
        }
    }

    @Test
    void linesGoToALogger() {
        Lines lines = new Lines();
        try (Instance instance = start(KeyValue.memory(KeyValue.Room.DEFAULT), lines)) {
            for (int level = 0; level < 6; level++) {
                instance.call("log", level, "c\n", "m\u001b {0} %s");
            }
        }
        String line = " c\\u{a}: m\\u{1b} {0} %s";
        assertEquals(List.of("DEBUG" + line, "INFO" + line, "WARNING" + line, "ERROR" + line, "ERROR" + line), lines.all);
    }
}
