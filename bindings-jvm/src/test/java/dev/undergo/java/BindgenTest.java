package dev.undergo.java;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code undergo bindgen} writes for the conformance guest compiles, and works. */
class BindgenTest {
    @Test
    void aTypedProgram(@TempDir Path folder) throws Exception {
        String given = System.getenv("UNDERGO");
        String undergo = given != null ? given : Support.ROOT.resolve("build/bin/undergo").toString();
        Path client = folder.resolve("GuestPlugin.java");
        Process written = new ProcessBuilder(
                        undergo, "bindgen", System.getenv("UNDERGO_CONFORMANCE_WASM"), "--lang", "java", "-o", client.toString())
                .inheritIO()
                .start();
        assertEquals(0, written.waitFor());
        Path source = Files.writeString(folder.resolve("Program.java"), PROGRAM);
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        DiagnosticCollector<JavaFileObject> found = new DiagnosticCollector<>();
        try (StandardJavaFileManager files = compiler.getStandardFileManager(found, Locale.ROOT, null)) {
            List<String> options = List.of("-Xlint:all", "-d", folder.toString(), "-cp", System.getProperty("java.class.path"));
            boolean compiled = compiler.getTask(null, files, found, options, null, files.getJavaFileObjects(client, source)).call();
            assertTrue(compiled && found.getDiagnostics().isEmpty(), () -> found.getDiagnostics().toString());
        }
        try (URLClassLoader loader = new URLClassLoader(new URL[] {folder.toUri().toURL()}, getClass().getClassLoader())) {
            Object program = loader.loadClass("Program").getDeclaredConstructor().newInstance();
            @SuppressWarnings("unchecked")
            Consumer<Plugin> run = (Consumer<Plugin>) program;
            run.accept(Support.conformance());
        }
    }

    private static final String PROGRAM =
            """
            import dev.undergo.java.*;
            import java.time.*;
            import java.util.*;

            public final class Program implements java.util.function.Consumer<Plugin> {
                /** Most functions of the module host return their argument. */
                private static GuestPlugin.Host host() {
                    return (GuestPlugin.Host) java.lang.reflect.Proxy.newProxyInstance(
                            GuestPlugin.class.getClassLoader(), new Class<?>[] {GuestPlugin.Host.class}, (self, method, given) ->
                                    switch (method.getName()) {
                                        case "divmod" -> new GuestPlugin.Tuple2<>((Long) given[0] / (Long) given[1], (Long) given[0] % (Long) given[1]);
                                        case "note" -> null;
                                        case "crash" -> throw new java.io.IOException((String) given[0]);
                                        default -> given[0];
                                    });
                }

                private static void check(boolean holds) {
                    if (!holds) {
                        throw new AssertionError();
                    }
                }

                @Override
                public void accept(Plugin plugin) {
                    Options options = GuestPlugin.imports(new Options().stdout(Output.discard()).stderr(Output.discard()), host());
                    try (Instance instance = plugin.instantiate(options)) {
                        GuestPlugin guest = new GuestPlugin(instance);
                        check(guest.divmod(7, 2).equals(new GuestPlugin.Tuple2<>(3L, 1L)));
                        check(guest.echoUint8(255) == 255 && guest.echoUint32(4294967295L) == 4294967295L && guest.echoUint64(-1) == -1);
                        check(guest.echoDuration(Duration.ofNanos(5)).equals(Duration.ofNanos(5)));
                        check(guest.echoCounts(Map.of("a", 1L)).equals(Map.of("a", 1L)));
                        check(guest.echoUint16s(List.of(1, 65535)).equals(List.of(1, 65535)));
                        check(Arrays.equals(guest.echoFloat64s(new double[] {0.5}), new double[] {0.5}));
                        check(Arrays.equals(guest.echoTriple(new int[] {1, 2, 3}), new int[] {1, 2, 3}));
                        check(guest.echoAny(Json.of(Arrays.asList(1, null))).text().equals("[1,null]"));
                        GuestPlugin.Address address = new GuestPlugin.Address("Main", null);
                        GuestPlugin.Person person = new GuestPlugin.Person(
                                "Ada", null, 36, List.of("x", "ü"), address, List.of(address), Map.of("go", 0.5), GuestPlugin.Color.DARK_BLUE,
                                GuestPlugin.Level.HIGH, OffsetDateTime.parse("2000-01-01T00:00:00+01:00"), Duration.ofMinutes(5), 7);
                        check(guest.echoPerson(person).equals(person));
                        check(guest.personThroughHost(person).equals(person));
                        check(guest.divmodThroughHost(9, 4).equals(new GuestPlugin.Tuple2<>(2L, 1L)));
                        try {
                            guest.fail("no");
                            throw new AssertionError("it returned");
                        } catch (GuestException refused) {
                            check(refused.sentence().equals("no"));
                        }
                        try {
                            guest.echoUint8(256);
                            throw new AssertionError("it returned");
                        } catch (TypeMismatchException wrong) {
                            check(wrong.getMessage().equals("echo-uint8(): 256 does not fit u8"));
                        }
                        try {
                            guest.crash("gone");
                            throw new AssertionError("it returned");
                        } catch (Exception thrown) {
                            check(thrown instanceof java.io.IOException && thrown.getMessage().equals("gone"));
                        }
                    }
                    try (Pool pool = plugin.pool(2, GuestPlugin.imports(new Options(), host()))) {
                        check(new GuestPlugin(pool.using(Duration.ofSeconds(60), null)).pass(1) == 2);
                    }
                }
            }
            """;
}
