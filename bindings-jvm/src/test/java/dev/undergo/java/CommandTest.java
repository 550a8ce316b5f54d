package dev.undergo.java;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Commands: programs that begin, end, and answer with their exit code. */
class CommandTest {
    @TestFactory
    List<DynamicTest> runs() {
        List<DynamicTest> tests = new ArrayList<>();
        for (JsonNode row : Support.json(Support.ROOT.resolve("conformance/command/runs.json")).get("runs")) {
            tests.add(dynamicTest(row.get("name").textValue(), () -> {
                Options options = new Options();
                row.path("args").forEach(argument -> options.args(argument.textValue()));
                row.path("env").properties().forEach(variable -> options.env(variable.getKey(), variable.getValue().textValue()));
                if (row.has("stdin")) {
                    options.stdin(row.get("stdin").textValue().getBytes(StandardCharsets.UTF_8));
                }
                Completed completed = Support.command().run(options);
                assertEquals(row.path("code").asInt(), completed.code());
                String stdout = new String(completed.stdout(), StandardCharsets.UTF_8);
                if (row.has("length")) {
                    assertEquals(row.get("length").intValue(), completed.stdout().length);
                } else {
                    assertEquals(row.path("stdout").asText(), stdout);
                }
                String stderr = new String(completed.stderr(), StandardCharsets.UTF_8);
                assertTrue(row.has("stderr") ? stderr.contains(row.get("stderr").textValue()) : stderr.isEmpty(), stderr);
                assertEquals(row.path("truncated").asBoolean(), completed.truncated());
            }));
        }
        return tests;
    }

    @Test
    void aReactorIsNoCommand() {
        assertThrows(InvalidPluginException.class, () -> Support.conformance().run(new Options()));
        assertEquals("command", Support.command().kind());
    }

    @Test
    void aCommandEndsInTime() {
        assertThrows(CallTimeoutException.class, () -> Support.command().run(new Options().args("spin").timeout(Duration.ofMillis(50))));
    }
}
