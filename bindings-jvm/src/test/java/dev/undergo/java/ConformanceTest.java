package dev.undergo.java;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The conformance list, run from Java, in both ways to call; see conformance/README.md. */
class ConformanceTest {
    private static final Set<String> CAPABILITIES = Set.of("dynamic", "strict-records", "nanoseconds", "surrogates");

    private static List<Path> files() throws IOException {
        try (Stream<Path> files = Files.list(Support.ROOT.resolve("conformance/cases"))) {
            return files.sorted().toList();
        }
    }

    private static List<JsonNode> steps(JsonNode given) {
        List<JsonNode> steps = new ArrayList<>();
        if (given.has("steps")) {
            given.get("steps").forEach(steps::add);
        } else {
            steps.add(given);
        }
        return steps;
    }

    @TestFactory
    List<DynamicTest> blocking() throws IOException {
        return tests(false);
    }

    @TestFactory
    List<DynamicTest> withFutures() throws IOException {
        return tests(true);
    }

    private static List<DynamicTest> tests(boolean async) throws IOException {
        List<DynamicTest> tests = new ArrayList<>();
        for (Path file : files()) {
            Runner runner = new Runner(async);
            JsonNode list = Support.json(file);
            for (JsonNode given : list.get("cases")) {
                tests.add(dynamicTest(file.getFileName() + ": " + given.get("name").textValue(), () -> {
                    List<JsonNode> all = new ArrayList<>(steps(given));
                    all.add(given);
                    all.add(list);
                    for (JsonNode part : all) {
                        for (JsonNode need : part.path("needs")) {
                            assumeTrue(CAPABILITIES.contains(need.textValue()), () -> "this host lacks " + need);
                        }
                    }
                    runner.run(given);
                }));
            }
        }
        return tests;
    }

    @Test
    void eachExportHasACase() throws IOException {
        Set<String> called = new HashSet<>();
        for (Path file : files()) {
            for (JsonNode given : Support.json(file).get("cases")) {
                steps(given).forEach(step -> called.add(step.path("call").textValue()));
            }
        }
        assertEquals(List.of(), Support.conformance().exports().stream().map(Function::name).filter(name -> !called.contains(name)).toList());
    }

    /** Holds the instance that the cases of a file share. */
    private static final class Runner {
        private final boolean async;
        private Instance instance;
        private boolean special;

        Runner(boolean async) {
            this.async = async;
        }

        void run(JsonNode given) throws Throwable {
            boolean own = given.has("limits") || given.has("env") || given.has("steps") && given.has("args");
            if (instance == null || !instance.isAlive() || given.path("fresh").booleanValue() || own || special) {
                start(given);
            }
            special = own;
            for (JsonNode step : steps(given)) {
                step(step);
            }
        }

        private void start(JsonNode given) {
            if (instance != null) {
                instance.close();
            }
            Options options = Support.host(Support.silent(), () -> instance);
            if (given.has("steps")) {
                given.path("args").forEach(argument -> options.args(argument.textValue()));
            }
            given.path("env").properties().forEach(variable -> options.env(variable.getKey(), variable.getValue().textValue()));
            JsonNode limits = given.path("limits");
            if (limits.has("memory_mib")) {
                options.memory(limits.get("memory_mib").longValue() << 20);
            }
            if (limits.has("timeout_ms")) {
                options.timeout(Duration.ofMillis(limits.get("timeout_ms").longValue()));
            }
            instance = Support.conformance().instantiate(options);
        }

        private Object call(String name, Object[] arguments) throws Throwable {
            if (!async) {
                return instance.call(name, arguments);
            }
            try {
                return instance.callAsync(name, arguments).join();
            } catch (CompletionException error) {
                throw error.getCause();
            }
        }

        private void step(JsonNode step) throws Throwable {
            String name = step.get("call").textValue();
            WitType.Field[] params = {};
            for (FunctionType export : Support.conformance().exports) {
                params = export.name.equals(name) ? export.params : params;
            }
            Object[] arguments = new Object[step.path("args").size()];
            for (int i = 0; i < arguments.length; i++) {
                arguments[i] = Cases.argument(step.get("args").get(i), i < params.length ? params[i].type().toString() : "");
            }
            JsonNode error = step.get("error");
            Object result = null;
            Throwable thrown = null;
            try {
                result = call(name, arguments);
            } catch (Throwable found) {
                thrown = found;
            }
            if (error != null) {
                checkError(thrown, error);
            } else if (thrown != null) {
                throw thrown;
            } else {
                Cases.check(result, step.get("result"));
            }
            if (step.has("alive")) {
                assertEquals(step.get("alive").booleanValue(), instance.isAlive());
            }
        }

        private static void checkChain(List<GuestException> chain, JsonNode expected) {
            assertEquals(expected.size(), chain.size());
            for (int i = 0; i < chain.size(); i++) {
                GuestException found = chain.get(i);
                JsonNode wanted = expected.get(i);
                assertEquals(wanted.get("text").textValue(), found.sentence());
                assertEquals(wanted.path("name").asText(), found.errorName());
                Cases.check(found.fields(), wanted.has("fields") ? wanted.get("fields") : JsonNodeFactory.instance.objectNode());
                assertEquals(i + 1 < chain.size() ? chain.get(i + 1) : null, found.getCause());
            }
        }

        private static void checkError(Throwable error, JsonNode expected) {
            String kind = expected.get("kind").textValue();
            if (kind.equals("host-error")) {
                // What a host function has thrown is what the caller gets.
                assertInstanceOf(Support.Refused.class, error);
            } else {
                UndergoException found = assertInstanceOf(UndergoException.class, error);
                assertEquals(kind, found.kind(), found.getMessage());
                String path = expected.path("path").asText();
                assertTrue((found.path() + " " + found.getMessage()).contains(path), () -> path + " is not in " + found.getMessage());
            }
            if (expected.has("chain")) {
                checkChain(assertInstanceOf(GuestException.class, error).chain(), expected.get("chain"));
            }
            String part = expected.path("contains").asText();
            assertTrue(error.getMessage().contains(part), () -> part + " is not in " + error.getMessage());
        }
    }
}
