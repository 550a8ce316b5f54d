package dev.undergo.java;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The conformance list, run from Java, in both ways to call; see conformance/README.md. */
class ConformanceTest {
    private static final Set<String> CAPABILITIES = Set.of("dynamic", "strict-records", "nanoseconds", "surrogates", "handles", "passing-on");
    /** What the guest has beside what Java has, as it is loaded. */
    private static final Set<String> MODULE = Set.of("module");

    private static final Set<String> COMPONENT = Set.of("component");

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
        return tests(Support.conformance(), MODULE, false);
    }

    @TestFactory
    List<DynamicTest> withFutures() throws IOException {
        return tests(Support.conformance(), MODULE, true);
    }

    @TestFactory
    List<DynamicTest> ofTheComponent() throws IOException {
        return tests(Support.component(), COMPONENT, false);
    }

    @TestFactory
    List<DynamicTest> ofTheComponentWithFutures() throws IOException {
        return tests(Support.component(), COMPONENT, true);
    }

    private static List<DynamicTest> tests(Plugin plugin, Set<String> guest, boolean async) throws IOException {
        List<DynamicTest> tests = new ArrayList<>();
        for (Path file : files()) {
            Runner runner = new Runner(plugin, guest == COMPONENT, async);
            JsonNode list = Support.json(file);
            for (JsonNode given : list.get("cases")) {
                tests.add(dynamicTest(file.getFileName() + ": " + given.get("name").textValue(), () -> {
                    List<JsonNode> all = new ArrayList<>(steps(given));
                    all.add(given);
                    all.add(list);
                    for (JsonNode part : all) {
                        for (JsonNode need : part.path("needs")) {
                            String name = need.textValue();
                            assumeTrue(CAPABILITIES.contains(name) || guest.contains(name), () -> "this host, or the guest, lacks " + name);
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
        private final Plugin plugin;
        private final boolean isComponent;
        private final boolean async;
        private final Kept kept = new Kept();
        private Kept.Home home;
        /** Another instance, as long as a case needs it. */
        private Kept.Home other;
        private boolean special;

        Runner(Plugin plugin, boolean isComponent, boolean async) {
            this.plugin = plugin;
            this.isComponent = isComponent;
            this.async = async;
        }

        void run(JsonNode given) throws Throwable {
            boolean own = given.has("limits") || given.has("env") || given.has("steps") && given.has("args");
            if (home == null || !home.instance.isAlive() || given.path("fresh").booleanValue() || own || special) {
                if (home != null) {
                    home.instance.close();
                }
                home = start(given);
            }
            special = own;
            try {
                for (JsonNode step : steps(given)) {
                    if (step.has("in") && other == null) {
                        other = start(given);
                    }
                    step(step, step.has("in") ? other : home);
                }
            } finally {
                kept.end();
                if (other != null) {
                    other.instance.close();
                    other = null;
                }
            }
        }

        private Kept.Home start(JsonNode given) {
            Kept.Home[] made = {null};
            List<Object> notes = new ArrayList<>();
            Options options = Support.host(Support.silent(), () -> made[0].instance, notes);
            if (given.has("steps")) {
                given.path("args").forEach(argument -> options.args(argument.textValue()));
            }
            given.path("env").properties().forEach(variable -> options.env(variable.getKey(), variable.getValue().textValue()));
            JsonNode limits = given.path("limits");
            if (limits.has("memory_mib")) {
                options.memory(limits.get("memory_mib").longValue() << 20);
            }
            if (limits.has("handles")) {
                options.handles(limits.get("handles").intValue());
            }
            if (limits.has("timeout_ms")) {
                options.timeout(Duration.ofMillis(limits.get("timeout_ms").longValue()));
            }
            made[0] = new Kept.Home(plugin.instantiate(options), notes);
            return made[0];
        }

        private static Object joined(CompletableFuture<?> future) throws Throwable {
            try {
                return future.join();
            } catch (CompletionException error) {
                throw error.getCause();
            }
        }

        /** Does what a step says, and gives its result. */
        private Object done(JsonNode step, Kept.Home home) throws Throwable {
            if (step.has("close")) {
                kept.get(step.get("close").textValue()).close();
            } else if (step.has("next")) {
                Items<?> items = (Items<?>) kept.get(step.get("next").textValue());
                if (!step.has("end")) {
                    return items.next();
                }
                assertFalse(items.hasNext());
            } else if (step.has("read")) {
                return ((InputStream) kept.get(step.get("read").textValue())).readNBytes(step.get("most").intValue());
            } else if (step.has("write")) {
                OutputStream stream = (OutputStream) kept.get(step.get("write").textValue());
                stream.write((byte[]) new Cases(kept, home, isComponent).argument(step.get("data"), ""));
                stream.flush();
            } else if (step.has("written")) {
                return kept.written(step.get("written").textValue());
            } else if (step.has("reset")) {
                home.instance.reset();
            } else {
                return called(step, home);
            }
            return null;
        }

        private Object called(JsonNode step, Kept.Home home) throws Throwable {
            Instance instance = home.instance;
            String name = step.path(step.has("new") ? "new" : "call").textValue();
            if (step.has("on")) {
                Resource object = (Resource) kept.get(step.get("on").textValue());
                Object[] arguments = arguments(step, home, new WitType.Field[0]);
                return async ? joined(object.callAsync(name, arguments)) : object.call(name, arguments);
            } else if (step.has("new")) {
                Object[] arguments = arguments(step, home, new WitType.Field[0]);
                return async ? joined(instance.constructAsync(name, arguments)) : instance.construct(name, arguments);
            }
            WitType.Field[] params = {};
            for (FunctionType export : plugin.exports) {
                params = export.name.equals(name) ? export.params : params;
            }
            Object[] arguments = arguments(step, home, params);
            return async ? joined(instance.callAsync(name, arguments)) : instance.call(name, arguments);
        }

        private Object[] arguments(JsonNode step, Kept.Home home, WitType.Field[] params) {
            Object[] arguments = new Object[step.path("args").size()];
            Cases cases = new Cases(kept, home, isComponent);
            for (int i = 0; i < arguments.length; i++) {
                arguments[i] = cases.argument(step.get("args").get(i), i < params.length ? params[i].type().toString() : "");
            }
            return arguments;
        }

        private void step(JsonNode step, Kept.Home home) throws Throwable {
            JsonNode error = step.get("error");
            Object result = null;
            Throwable thrown = null;
            try {
                result = done(step, home);
            } catch (IOException found) {
                // What a stream of the plugin's has failed with.
                thrown = found.getCause() != null ? found.getCause() : found;
            } catch (Throwable found) {
                thrown = found;
            }
            if (error != null) {
                checkError(thrown, error);
            } else if (thrown != null) {
                throw thrown;
            } else if (step.has("result")) {
                new Cases(kept, home, isComponent).check(result, step.get("result"));
            }
            if (step.has("alive")) {
                assertEquals(step.get("alive").booleanValue(), home.instance.isAlive());
            }
        }

        private void checkChain(List<GuestException> chain, JsonNode expected) {
            assertEquals(expected.size(), chain.size());
            for (int i = 0; i < chain.size(); i++) {
                GuestException found = chain.get(i);
                JsonNode wanted = expected.get(i);
                assertEquals(wanted.get("text").textValue(), found.sentence());
                assertEquals(wanted.path("name").asText(), found.errorName());
                JsonNode fields = wanted.has("fields") ? wanted.get("fields") : JsonNodeFactory.instance.objectNode();
                new Cases(null, null, isComponent).check(found.fields(), fields);
                assertEquals(i + 1 < chain.size() ? chain.get(i + 1) : null, found.getCause());
            }
        }

        private void checkError(Throwable error, JsonNode expected) {
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
