package dev.undergo.java;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** What the tests share. */
final class Support {
    /** The project's root: Maven runs tests in the folder of the pom. */
    static final Path ROOT = Path.of("..").toAbsolutePath().normalize();

    /** Far more than any call here takes. */
    static final Duration ENOUGH = Duration.ofSeconds(60);

    private static final ObjectMapper MAPPER = new ObjectMapper();

    private Support() {}

    private static Plugin guest(String variable, String file) {
        String given = System.getenv(variable);
        Path path = given != null ? Path.of(given) : ROOT.resolve("build").resolve(file);
        if (!Files.exists(path)) {
            throw new IllegalStateException(path + " is not there: 'make guest' builds it, or set " + variable);
        }
        return Plugin.open(path);
    }

    /** Opened once, for all tests. */
    private static final class Opened {
        static final Plugin CONFORMANCE = guest("UNDERGO_CONFORMANCE_WASM", "conformance.wasm");
        static final Plugin HOSTILE = guest("UNDERGO_HOSTILE_WASM", "hostile.wasm");
        static final Plugin COMMAND = guest("UNDERGO_COMMAND_WASM", "command.wasm");
        static final Plugin SERVICES = guest("UNDERGO_SERVICES_WASM", "services.wasm");
    }

    /** Of its own, since few tests use it. */
    private static final class OpenedComponent {
        static final Plugin CONFORMANCE = guest("UNDERGO_CONFORMANCE_COMPONENT_WASM", "conformance-component.wasm");
    }

    static Plugin conformance() {
        return Opened.CONFORMANCE;
    }

    /** The conformance guest as a component. */
    static Plugin component() {
        return OpenedComponent.CONFORMANCE;
    }

    static Plugin services() {
        return Opened.SERVICES;
    }

    static Plugin hostile() {
        return Opened.HOSTILE;
    }

    static Plugin command() {
        return Opened.COMMAND;
    }

    static JsonNode json(Path file) {
        try {
            return MAPPER.readTree(file.toFile());
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    static JsonNode json(String text) {
        try {
            return MAPPER.readTree(text);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    /** Nothing that a guest prints gets into the output of the tests. */
    static Options silent() {
        return new Options().stdout(Output.discard()).stderr(Output.discard());
    }

    /** What host functions fail with: a checked exception that is no class of the library's. */
    static final class Refused extends Exception {
        private static final long serialVersionUID = 1;

        Refused(String message) {
            super(message);
        }
    }

    /** Gives the module {@code host} of conformance/README.md, for an instance. */
    static Options host(Options options, Supplier<Exports> instance) {
        return host(options, instance, new ArrayList<>());
    }

    /** The same with a list for what is noted. */
    static Options host(Options options, Supplier<Exports> instance, List<Object> notes) {
        for (Function function : conformance().imports()) {
            if (function.name().startsWith("echo-")) {
                options.function("host", function.name(), arguments -> arguments.get(0));
            }
        }
        return options
                .function("host", "many", a -> String.format(
                        "%s %s %s %s %s %s %s|%s|%s|%s|%s|%s",
                        a.get(0), a.get(1), a.get(2), a.get(3), a.get(4), a.get(5), a.get(6), a.get(7), a.get(8), a.get(9), a.get(10), a.get(11)))
                .function("host", "bundle", a -> Arrays.asList(a.get(0), a.get(1), a.get(2), a.get(3), a.get(4), a.get(5)))
                .function("host", "divmod", a -> List.of(a.number(0) / a.number(1), a.number(0) % a.number(1)))
                .function("host", "note", a -> {
                    notes.add(a.get(0));
                    return null;
                })
                .function("host", "notes", a -> {
                    List<Object> found = List.copyOf(notes);
                    notes.clear();
                    return found;
                })
                .function("host", "fail", a -> {
                    throw new Refused(a.text(0));
                })
                .function("host", "check", a -> {
                    if (!a.text(0).isEmpty()) {
                        throw new Refused(a.text(0));
                    }
                    return null;
                })
                .function("host", "crash", a -> {
                    throw new Refused(a.text(0));
                })
                .function("host", "lookup", a -> {
                    String key = a.text(0);
                    if (key.isEmpty()) {
                        return "";
                    }
                    Exception notFound = new GuestException("not found: " + key, "not-found", Map.of("key", key, "code", 404));
                    throw new IOException("looking up: not found: " + key, notFound);
                })
                .function("host", "wrongType", a -> "not a number")
                .function("host", "wrongResult", a -> "not a list")
                .function("host", "reenter", a -> instance.get().call(long.class, "reenter", a.number(0) - 1) + 1);
    }
}
