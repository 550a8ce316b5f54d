package dev.undergo.java;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The hostile guest of conformance/hostile; conformance/README.md says how the list is run. */
class HostileTest {
    private static final Path FOLDER = Support.ROOT.resolve("conformance/hostile");
    private static Instance bystander;

    /** Where the trace of a misdeed has to begin. */
    private record Mark(String function, String file, int line) {}

    private static Map<String, Mark> marks() throws IOException {
        Pattern pattern = Pattern.compile(" // at: (\\S+)(?: in (\\S+))?$");
        Map<String, Mark> marks = new HashMap<>();
        List<Path> files;
        try (Stream<Path> all = Files.list(FOLDER)) {
            files = all.filter(file -> file.toString().endsWith(".go")).toList();
        }
        for (Path file : files) {
            List<String> lines = Files.readAllLines(file);
            for (int i = 0; i < lines.size(); i++) {
                Matcher found = pattern.matcher(lines.get(i));
                if (found.find()) {
                    String function = found.group(2) != null ? found.group(2) : "main." + WitType.camel(found.group(1));
                    marks.put(found.group(1), new Mark(function, file.getFileName().toString(), i + 1));
                }
            }
        }
        return marks;
    }

    static Options options(Duration timeout) {
        return Support.silent()
                .memory(64L << 20)
                .timeout(timeout)
                .function("host", "do", a -> "nothing done")
                .function("host", "echo", a -> a.get(0))
                .function("host", "fail", a -> {
                    throw new Support.Refused("refused by the host");
                });
    }

    private static Options options(JsonNode misdeed) {
        return options(misdeed.get("kind").textValue().equals("timeout") ? Duration.ofMillis(300) : Support.ENOUGH);
    }

    private static void works(Instance instance) {
        assertEquals(338350L, instance.call("work", 100));
    }

    private static synchronized void othersWork() {
        if (bystander == null) {
            bystander = Support.hostile().instantiate(options(Support.ENOUGH));
        }
        works(bystander);
        try (Instance another = Support.hostile().instantiate(options(Support.ENOUGH))) {
            works(another);
        }
    }

    private interface Run {
        void of(JsonNode misdeed) throws Throwable;
    }

    private static List<DynamicTest> tests(Run run) {
        List<DynamicTest> tests = new ArrayList<>();
        for (JsonNode misdeed : Support.json(FOLDER.resolve("misdeeds.json")).get("cases")) {
            tests.add(dynamicTest(misdeed.get("misdeed").textValue() + "(" + misdeed.path("n").asLong() + ")", () -> run.of(misdeed)));
        }
        return tests;
    }

    private static void check(JsonNode misdeed, Throwable error, Map<String, Mark> marks) {
        if (misdeed.get("misdeed").textValue().equals("host-fail")) {
            // What the host function has thrown.
            assertEquals("refused by the host", assertInstanceOf(Support.Refused.class, error).getMessage());
            return;
        }
        UndergoException found = assertInstanceOf(UndergoException.class, error);
        assertEquals(misdeed.get("kind").textValue(), found.kind(), found.getMessage());
        assertEquals(misdeed.has("exit_code") ? OptionalInt.of(misdeed.get("exit_code").intValue()) : OptionalInt.empty(), found.exitCode());
        for (JsonNode part : misdeed.path("contains")) {
            assertTrue(found.sentence().contains(part.textValue()), () -> part + " is not in " + found.sentence());
        }
        Mark mark = marks.get(misdeed.get("misdeed").textValue());
        if (mark != null && List.of("panic", "out-of-memory").contains(found.kind())) {
            GoFrame origin = found.origin().orElseThrow();
            assertEquals(mark, new Mark(origin.function(), Path.of(origin.file()).getFileName().toString(), origin.line()));
            // The Go code is on the stack trace.
            assertTrue(Arrays.stream(found.getStackTrace()).anyMatch(frame -> origin.file().equals(frame.getFileName()) && frame.getLineNumber() == origin.line()));
        }
    }

    @TestFactory
    List<DynamicTest> inACall() throws IOException {
        Map<String, Mark> marks = marks();
        return tests(misdeed -> {
            try (Instance doer = Support.hostile().instantiate(options(misdeed))) {
                if (misdeed.get("kind").textValue().equals("done")) {
                    assertEquals("done", doer.call("do", misdeed.get("misdeed").textValue(), misdeed.path("n").asLong()));
                    works(doer);
                } else {
                    check(misdeed, assertThrows(Throwable.class, () -> doer.call("do", misdeed.get("misdeed").textValue(), misdeed.path("n").asLong())), marks);
                    assertFalse(doer.isAlive());
                    String dead = assertThrows(DeadInstanceException.class, () -> doer.call("ready")).getMessage();
                    assertTrue(dead.contains("its end was " + misdeed.get("kind").textValue()), dead);
                }
            }
            othersWork();
        });
    }

    @TestFactory
    List<DynamicTest> inInit() throws IOException {
        Map<String, Mark> marks = marks();
        return tests(misdeed -> {
            Options options = options(misdeed)
                    .env("MISDEED", misdeed.get("misdeed").textValue())
                    .env("MISDEED_N", Long.toString(misdeed.path("n").asLong()));
            if (misdeed.get("kind").textValue().equals("done")) {
                try (Instance made = Support.hostile().instantiate(options)) {
                    works(made);
                }
            } else {
                check(misdeed, assertThrows(Throwable.class, () -> Support.hostile().instantiate(options)), marks);
            }
            othersWork();
        });
    }

    @Test
    void aHostFunctionCannotSwallowTheEndOfItsGuest() {
        for (Map.Entry<String, String> each : Map.of("panic-string", "panic", "exit", "exit", "recursion", "trap").entrySet()) {
            Instance[] own = new Instance[1];
            Options options = options(Support.ENOUGH).function("host", "do", a -> {
                try {
                    return own[0].call("do", a.get(0), a.get(1));
                } catch (UndergoException swallowed) {
                    return "as if nothing had happened";
                }
            });
            own[0] = Support.hostile().instantiate(options);
            assertEquals(each.getValue(), assertThrows(UndergoException.class, () -> own[0].call("through", each.getKey(), 0)).kind());
            own[0].close();
        }
    }

    @Test
    void threadsWithSmallAndWithLargeStacksSurviveARecursion() throws Exception {
        for (long size : new long[] {0, 256L << 10, 16L << 20}) {
            Throwable[] failed = new Throwable[1];
            Thread thread = new Thread(null, () -> {
                try (Instance instance = Support.hostile().instantiate(options(Support.ENOUGH))) {
                    assertEquals("done", instance.call("do", "finite-recursion", 5000));
                    assertThrows(TrapException.class, () -> instance.call("do", "recursion", 0));
                } catch (Throwable thrown) {
                    failed[0] = thrown;
                }
            }, "sized", size);
            thread.start();
            thread.join();
            if (failed[0] != null) {
                throw new AssertionError("with " + size + " bytes", failed[0]);
            }
        }
    }
}
