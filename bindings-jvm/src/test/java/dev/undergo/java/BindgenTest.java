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
import org.junit.jupiter.api.condition.EnabledForJreRange;
import org.junit.jupiter.api.condition.JRE;
import org.junit.jupiter.api.io.TempDir;

/** What {@code undergo bindgen} writes for the conformance guest and a component works. */
class BindgenTest {
    @Test
    void aTypedProgram(@TempDir Path folder) throws Exception {
        runs(folder, PROGRAM);
    }

    @Test
    void aProgramWithVariants(@TempDir Path folder) throws Exception {
        runs(folder, VARIANTS.replace("SHOWN", SHOWN));
    }

    /** Since Java 21 a switch knows all cases of a sealed interface. */
    @Test
    @EnabledForJreRange(min = JRE.JAVA_21)
    void aProgramThatSwitchesOverACase(@TempDir Path folder) throws Exception {
        runs(folder, VARIANTS.replace("SHOWN", SWITCHED));
    }

    @Test
    void aProgramWithErrors(@TempDir Path folder) throws Exception {
        runs(folder, ERRORS);
    }

    @Test
    void aProgramWithHandles(@TempDir Path folder) throws Exception {
        runs(folder, HANDLES);
    }

    @Test
    void aProgramForAComponentThatPassesItsObjectsBack(@TempDir Path folder) throws Exception {
        Path items = Support.ROOT.resolve("conformance/components/items.wasm");
        try (Plugin plugin = Plugin.open(items)) {
            runs(folder, ITEMS, items.toString(), plugin);
        }
    }

    private void runs(Path folder, String text) throws Exception {
        runs(folder, text, System.getenv("UNDERGO_CONFORMANCE_WASM"), Support.conformance());
    }

    /** Compiles a program with what bindgen writes for a plugin, and runs it. */
    private void runs(Path folder, String text, String wasm, Plugin plugin) throws Exception {
        String given = System.getenv("UNDERGO");
        String undergo = given != null ? given : Support.ROOT.resolve("build/bin/undergo").toString();
        Path client = folder.resolve("GuestPlugin.java");
        Process written = new ProcessBuilder(
                        undergo, "bindgen", wasm, "--lang", "java", "-o", client.toString())
                .inheritIO()
                .start();
        assertEquals(0, written.waitFor());
        Path source = Files.writeString(folder.resolve("Program.java"), text);
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
            run.accept(plugin);
        }
    }

    private static final String ITEMS =
            """
            import dev.undergo.java.*;
            import java.util.*;

            public final class Program implements java.util.function.Consumer<Plugin> {
                private record Item(long rank) implements GuestPlugin.Item {}

                private static void check(boolean holds) {
                    if (!holds) {
                        throw new AssertionError();
                    }
                }

                @Override
                public void accept(Plugin plugin) {
                    List<GuestPlugin.Item> stored = new ArrayList<>();
                    GuestPlugin.TestItemsHost host = new GuestPlugin.TestItemsHost() {
                        @Override
                        public GuestPlugin.Item item(String name) {
                            return new Item(name.length());
                        }

                        @Override
                        public GuestPlugin.Item itemOpen(long n) {
                            return new Item(n);
                        }

                        @Override
                        public long compare(GuestPlugin.Item a, GuestPlugin.Item b) {
                            return ((Item) a).rank() < ((Item) b).rank() ? 1 : 0;
                        }

                        @Override
                        public void store(GuestPlugin.Item item) {
                            stored.add(item);
                        }
                    };
                    try (Instance instance = plugin.instantiate(GuestPlugin.imports(new Options(), host))) {
                        GuestPlugin items = new GuestPlugin(instance);
                        Item own = new Item(6);
                        check(items.peek(own) == 6 && items.made(true) == 20 && items.order(own, new Item(7)) == 1);
                        check(items.back(own) == own);
                        items.passOn(own);
                        check(stored.size() == 1 && stored.get(0) == own);
                    }
                }
            }
            """;

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

    private static final String SHOWN =
            """
            if (shape instanceof GuestPlugin.Circle circle) {
                return "circle " + circle.radius();
            } else if (shape instanceof GuestPlugin.Label label) {
                return "label " + label.value();
            }
            return shape instanceof GuestPlugin.Empty ? "empty" : "other";
            """;

    private static final String SWITCHED =
            """
            return switch (shape) {
                case GuestPlugin.Circle(double radius) -> "circle " + radius;
                case GuestPlugin.Label(String value) -> "label " + value;
                case GuestPlugin.Empty() -> "empty";
                case GuestPlugin.Polygon polygon -> "other";
                case GuestPlugin.Triangle triangle -> "other";
                case GuestPlugin.Tile tile -> "other";
                case GuestPlugin.Tags tags -> "other";
            };
            """;

    private static final String VARIANTS =
            """
            import dev.undergo.java.*;
            import java.util.*;

            public final class Program implements java.util.function.Consumer<Plugin> {
                private static void check(boolean holds) {
                    if (!holds) {
                        throw new AssertionError();
                    }
                }

                private static String shown(GuestPlugin.Shape shape) {
                    SHOWN
                }

                /** A record that is called after a case, without a generated client. */
                public record Circle(double radius) {}

                public record Label(String value) {}

                public record Square(double side) {}

                public sealed interface Own permits Circle2.Circle, Circle2.Label, Circle2.Empty {}

                public static final class Circle2 {
                    public record Circle(double radius) implements Own {}

                    public record Label(String value) implements Own {}

                    public record Empty() implements Own {}
                }

                @Override
                public void accept(Plugin plugin) {
                    GuestPlugin.Host host = (GuestPlugin.Host) java.lang.reflect.Proxy.newProxyInstance(
                            GuestPlugin.class.getClassLoader(), new Class<?>[] {GuestPlugin.Host.class}, (self, method, given) -> given[0]);
                    Options options = GuestPlugin.imports(new Options().stdout(Output.discard()).stderr(Output.discard()), host);
                    try (Instance instance = plugin.instantiate(options)) {
                        GuestPlugin guest = new GuestPlugin(instance);
                        GuestPlugin.Shape circle = new GuestPlugin.Circle(1.5);
                        GuestPlugin.Shape label = new GuestPlugin.Label("ü");
                        GuestPlugin.Shape empty = new GuestPlugin.Empty();
                        GuestPlugin.Shape polygon = new GuestPlugin.Polygon(
                                List.of(new GuestPlugin.Point(1.5, -2, 255)), "p", GuestPlugin.Color.DARK_BLUE);
                        GuestPlugin.Shape triangle = guest.echoShape(new GuestPlugin.Triangle(new float[] {3, 4, 0.5f}));
                        check(Arrays.equals(((GuestPlugin.Triangle) triangle).value(), new float[] {3, 4, 0.5f}));
                        GuestPlugin.Shape tags = new GuestPlugin.Tags(Map.of("a", "1"));
                        List<GuestPlugin.Shape> all = List.of(circle, label, empty, polygon, tags, new GuestPlugin.Tile(-1, 0.25f));
                        for (GuestPlugin.Shape each : all) {
                            check(guest.echoShape(each).equals(each) && guest.echoMaybeShape(each).equals(each));
                            check(guest.shapeThroughHost(each).equals(each));
                        }
                        check(guest.echoShapes(all).equals(all) && guest.echoMaybeShape(null) == null);
                        check(shown(guest.echoShape(circle)).equals("circle 1.5") && shown(guest.echoShape(empty)).equals("empty"));
                        check(shown(guest.echoShape(label)).equals("label ü") && shown(guest.echoShape(polygon)).equals("other"));
                        // A case of two variants is one class.
                        GuestPlugin.Round round = guest.echoRound(new GuestPlugin.Label("both"));
                        check(round instanceof GuestPlugin.Shape shape && shown(shape).equals("label both"));
                        GuestPlugin.Drawing drawing = new GuestPlugin.Drawing(
                                "t", all, Map.of("a", circle), new GuestPlugin.Wheel(65535), label, new GuestPlugin.Val("", "v"), new GuestPlugin.Long_(5));
                        check(guest.echoDrawing(drawing).equals(drawing));
                        for (GuestPlugin.Token each : List.of(
                                new GuestPlugin.Class("c"), new GuestPlugin.None(), new GuestPlugin.Tag((byte) -1), new GuestPlugin.Constructor(true),
                                new GuestPlugin.List_(List.of(GuestPlugin.Level.HIGH)))) {
                            check(guest.echoToken(each).equals(each));
                        }
                        try {
                            guest.echoShape(null);
                            throw new AssertionError("it returned");
                        } catch (TypeMismatchException wrong) {
                            check(wrong.getMessage().equals("echo-shape(): expected shape, got null"));
                        }
                        // By names, and with records of the program's own.
                        check(instance.call("echo-shape", circle).equals(new Case("circle", Map.of("radius", 1.5))));
                        check(instance.call("echo-shape", new Circle(1.5)).equals(new Case("circle", Map.of("radius", 1.5))));
                        check(instance.call("echo-shape", new Label("x")).equals(new Case("label", "x")));
                        check(instance.call("echo-shape", empty).equals(new Case("empty")));
                        check(instance.call(GuestPlugin.Shape.class, "echo-shape", new Case("label", "x")).equals(new GuestPlugin.Label("x")));
                        check(instance.call(Own.class, "echo-shape", new Circle(2)).equals(new Circle2.Circle(2)));
                        check(instance.call(Own.class, "echo-shape", new Case("empty")).equals(new Circle2.Empty()));
                        check(instance.call(Circle.class, "echo-shape", new Circle(2)).equals(new Circle(2)));
                        refused(() -> instance.call("echo-shape", new Square(2)), "s): Program$Square is called after no case of shape: circle, label");
                        refused(() -> instance.call("echo-shape", "circle"), "s): expected shape, got java.lang.String");
                        refused(() -> instance.call("echo-shape", new Case("square", 1)), "s): \\"square\\" is not a case of shape: circle, label");
                        refused(() -> instance.call("echo-shape", new Case("empty", 1)), "s): the case empty of shape has no value");
                        refused(() -> instance.call("echo-shape", new Case("circle")), "s.circle): expected circle, got null");
                        refused(() -> instance.call("echo-shape", new Case("label", 5)), "s.label): expected string, got java.lang.Integer");
                        refused(() -> instance.call(Own.class, "echo-shape", polygon), "result): Program$Own has no record for the case polygon of shape");
                        refused(() -> instance.call(Label.class, "echo-shape", circle), "result): it is the case circle of shape, which does not fit Program$Label");
                        refused(() -> instance.call(String.class, "echo-shape", circle), "result): a value of shape does not fit java.lang.String");
                        check(instance.isAlive());
                    }
                }

                private static void refused(Runnable call, String why) {
                    try {
                        call.run();
                    } catch (TypeMismatchException wrong) {
                        if (!wrong.getMessage().contains(why)) {
                            throw new AssertionError(wrong.getMessage());
                        }
                        return;
                    }
                    throw new AssertionError("it returned");
                }
            }
            """;

    private static final String ERRORS =
            """
            import dev.undergo.java.*;
            import java.io.IOException;
            import java.util.*;
            import java.util.concurrent.CompletableFuture;
            import java.util.concurrent.CompletionException;

            public final class Program implements java.util.function.Consumer<Plugin> {
                /** What the host function fails with. */
                private Throwable failure;

                private static void check(boolean holds) {
                    if (!holds) {
                        throw new AssertionError();
                    }
                }

                private interface Call {
                    Object call() throws Throwable;
                }

                private static GuestException failed(Call call) {
                    return thrown(GuestException.class, call);
                }

                private static <T extends Throwable> T thrown(Class<T> type, Call call) {
                    try {
                        call.call();
                    } catch (Throwable found) {
                        if (!type.isInstance(found)) {
                            throw new AssertionError("another exception", found);
                        }
                        return type.cast(found);
                    }
                    throw new AssertionError("it returned");
                }

                private static GuestPlugin.NotFoundException notFound() {
                    return new GuestPlugin.NotFoundException("not found: k", "k", 404);
                }

                /** Fails with what was last set. */
                private GuestPlugin.Host host() {
                    return (GuestPlugin.Host) java.lang.reflect.Proxy.newProxyInstance(
                            GuestPlugin.class.getClassLoader(), new Class<?>[] {GuestPlugin.Host.class}, (self, method, given) -> {
                                if (method.getName().equals("lookup")) {
                                    throw failure;
                                }
                                return given[0];
                            });
                }

                /** What Go makes of a host function's failure. */
                private List<String> looked(GuestPlugin guest, Throwable with) {
                    failure = with;
                    return guest.looked("k");
                }

                private void fromTheGuest(GuestPlugin guest, Instance instance) {
                    GuestException wrapped = failed(() -> {
                        guest.failWith("wrapped");
                        return null;
                    });
                    check(wrapped.getClass() == GuestException.class && wrapped.sentence().equals("loading: not found: x") && wrapped.kind().equals("guest-error"));
                    check(wrapped.getCause() instanceof GuestPlugin.NotFoundException found && found.key().equals("x") && found.code() == 4
                            && found.getMessage().equals("not found: x") && found.getCause() == null);
                    check(wrapped.chain().size() == 2 && wrapped.chain().get(1) == wrapped.getCause() && wrapped.errorName().isEmpty());
                    GuestPlugin.DeniedException denied = thrown(GuestPlugin.DeniedException.class, () -> guest.failBeside("value"));
                    check(denied.roles().equals(List.of("a", "ü")) && denied.level() == GuestPlugin.Level.HIGH && denied.shape().equals(new GuestPlugin.Circle(1.5)));
                    check(denied.errorName().equals("denied") && denied.fields().get("level") == GuestPlugin.Level.HIGH && denied.stderr().isEmpty());
                    GuestPlugin.ClashException clash = (GuestPlugin.ClashException) failed(() -> {
                        guest.failWith("clash");
                        return null;
                    }).getCause();
                    check(clash.message().equals("m") && clash.kind_().equals("k") && clash.cause().equals("because") && clash.args().equals(List.of("a")));
                    check(clash.name().equals("n") && clash.stack() == -1 && clash.kind().equals("guest-error") && clash.getCause() == null);
                    check(guest.echoNotFound(new GuestPlugin.NotFound("k", 1)).equals(new GuestPlugin.NotFound("k", 1)));
                    check(failed(() -> {
                        guest.failWith("deep");
                        return null;
                    }).chain().size() == 64);
                    // By its name, without the class.
                    GuestException named = (GuestException) failed(() -> instance.call("fail-with", "wrapped")).getCause();
                    check(named.getClass() == GuestException.class && named.errorName().equals("not-found") && named.fields().equals(Map.of("key", "x", "code", 4L)));
                    CompletionException later = thrown(CompletionException.class, () -> instance.callAsync("fail-with", "marked").join());
                    check(later.getCause() instanceof GuestException marked && marked.errorName().equals("not-found"));
                }

                private void fromTheHost(GuestPlugin guest) {
                    check(looked(guest, notFound()).equals(List.of("not found: k", "k 404", "not found: k", "is")));
                    check(looked(guest, new IOException("outer", notFound())).equals(List.of("outer", "k 404", "not found: k", "is", "not found: k")));
                    check(looked(guest, new GuestException("named", "not-found", Map.of("key", "n", "code", (byte) 1))).contains("n 1"));
                    check(looked(guest, new CompletionException("later", notFound())).contains("k 404"));
                    check(looked(guest, new GuestPlugin.DeniedException("no", List.of(), GuestPlugin.Level.LOW, new GuestPlugin.Empty(), notFound())).containsAll(List.of("k 404", "denied")));
                    check(looked(guest, new GuestException("no such", "other", Map.of("key", 5))).equals(List.of("no such")));
                    check(looked(guest, new IllegalStateException()).equals(List.of("IllegalStateException")));
                    // An error that came of a call, and one of another plugin's of the same name.
                    GuestException came = failed(() -> {
                        guest.failWith("wrapped");
                        return null;
                    });
                    check(looked(guest, came).contains("x 4"));
                    check(looked(guest, new Foreign()).equals(List.of("of another plugin")));
                    // Circles end, and so do long chains.
                    Exception one = new Exception("one");
                    Exception two = new Exception("two", one);
                    one.initCause(two);
                    check(looked(guest, one).equals(List.of("one", "two")));
                    Exception deep = notFound();
                    for (int i = 0; i < 63; i++) {
                        deep = new Exception("deep", deep);
                    }
                    check(looked(guest, deep).contains("k 404"));
                    check(!looked(guest, new Exception("deeper", deep)).contains("k 404"));
                    // The class comes back as it went.
                    failure = new IOException("outer", notFound());
                    GuestException back = failed(() -> guest.lookupWrapped("k"));
                    check(back.sentence().equals("guest: outer") && back.getCause().getMessage().equals("outer"));
                    check(back.getCause().getCause() instanceof GuestPlugin.NotFoundException found && found.code() == 404 && found != failure.getCause());
                }

                /** Another plugin's error of the same name, with other fields. */
                private static final class Foreign extends GuestException {
                    private static final long serialVersionUID = 1;

                    Foreign() {
                        super("of another plugin", new RawFields("not-found", 1).with("file", "x"));
                    }
                }

                @Override
                public void accept(Plugin plugin) {
                    Options options = GuestPlugin.imports(new Options().stdout(Output.discard()).stderr(Output.discard()), host());
                    try (Instance instance = plugin.instantiate(options)) {
                        GuestPlugin guest = new GuestPlugin(instance);
                        fromTheGuest(guest, instance);
                        fromTheHost(guest);
                        check(instance.isAlive());
                    }
                    for (GuestException wrong : List.of(
                            new GuestPlugin.NotFoundException("null", null, 1),
                            new GuestPlugin.NotFoundException("half a pair", "\\ud800", 1),
                            new GuestException("named", "not-found", Map.of("key", 5, "code", 1)),
                            new GuestException("named", "not-found", Map.of("key", "n")))) {
                        try (Instance instance = plugin.instantiate(options)) {
                            failure = new Exception("outer", wrong);
                            TypeMismatchException told = thrown(TypeMismatchException.class, () -> new GuestPlugin(instance).looked("k"));
                            check(told.getMessage().contains("host.lookup(not-found") && !instance.isAlive());
                        }
                    }
                }
            }
            """;

    private static final String HANDLES =
            """
            import dev.undergo.java.*;
            import java.io.*;
            import java.util.*;

            public final class Program implements java.util.function.Consumer<Plugin> {
                private static void check(boolean holds) {
                    if (!holds) {
                        throw new AssertionError();
                    }
                }

                /** A store, as the plugin wants one. */
                private static final class Texts implements GuestPlugin.Store {
                    private final Map<String, String> texts = new HashMap<>();

                    @Override
                    public String get(String key) throws IOException {
                        if (!texts.containsKey(key)) {
                            throw new FileNotFoundException(key);
                        }
                        return texts.get(key);
                    }

                    @Override
                    public void put(String key, String value) {
                        texts.put(key, value);
                    }

                    @Override
                    public long size() {
                        return texts.size();
                    }

                    @Override
                    public GuestPlugin.Store child(String name) {
                        Texts made = new Texts();
                        made.put("name", name);
                        return made;
                    }
                }

                private static GuestPlugin.Host host() {
                    return (GuestPlugin.Host) java.lang.reflect.Proxy.newProxyInstance(
                            GuestPlugin.class.getClassLoader(), new Class<?>[] {GuestPlugin.Host.class}, (self, method, given) -> given[0]);
                }

                private static void objects(GuestPlugin guest, Instance instance) {
                    try (GuestPlugin.Tally tally = guest.newTally(5)) {
                        check(tally.add(3) == 8 && tally.value() == 8 && guest.sumTallies(tally, tally) == 16);
                        GuestPlugin.Tally same = tally.itself();
                        check(same.compare(tally) == 0 && !same.isClosed());
                        same.close();
                        check(same.isClosed() && !tally.isClosed());
                        try {
                            same.value();
                            throw new AssertionError("it returned");
                        } catch (TypeMismatchException error) {
                            check(error.path().equals("tally.value()") && error.sentence().equals("the tally is closed"));
                        }
                        // By its name.
                        check(instance.call("sum-tallies", tally, tally).equals(16L));
                    }
                    List<GuestPlugin.Tally> all = guest.countUp(3);
                    guest.addAll(all, all.get(0), 10);
                    guest.addAll(List.of(), null, 10);
                    check(all.get(0).value() == 20 && all.get(2).value() == 12);
                    check(guest.maybeTally(0) == null && guest.maybeTally(4).value() == 4);
                    check(guest.tallyAndName(3, "x").v0().value() == 3);
                    GuestPlugin.Counting counting = guest.newCounting("x", 5);
                    check(counting.main().value() == 5 && counting.spare() == null && counting.others().size() == 2 && counting.named().get("a").value() == 6);
                    counting = guest.echoCounting(counting);
                    check(counting.main().value() == 5 && guest.sumCounting(counting) > 0 && counting.main().isClosed());
                    check(guest.newLamp().class_("x", true).equals("class x"));
                }

                private static void functions(GuestPlugin guest) {
                    check(Arrays.equals(guest.apply(new long[] {1, 2}, n -> 2 * n), new long[] {2, 4}));
                    check(guest.compose(1, n -> n + 1, n -> n * 10) == 20);
                    List<String> told = new ArrayList<>();
                    guest.tell(List.of("a", "b"), told::add);
                    check(told.equals(List.of("a", "b")));
                    try {
                        guest.applyPlain(new long[] {1}, n -> {
                            throw new FileNotFoundException("there is none");
                        });
                        throw new AssertionError("it returned");
                    } catch (Exception error) {
                        check(error instanceof FileNotFoundException);
                    }
                }

                private static void stores(GuestPlugin guest) {
                    Texts store = new Texts();
                    guest.storePut(store, "a", "x");
                    check(guest.storeGet(store, "a").equals("x") && guest.sumSizes(List.of(store, store), null) == 2);
                    check(guest.childOfStore(store, "n").equals("n") && guest.openAndGet("x", "name", store::child).equals("x"));
                    check(guest.sizeOfCupboard(new GuestPlugin.Cupboard("", store, List.of(store), null)) == 2);
                    guest.newTally(5).save(store, "five");
                    check(store.texts.get("five").equals("5"));
                }

                private static void items(GuestPlugin guest) {
                    try (Items<Long> numbers = guest.countForever()) {
                        check(numbers.next() == 0 && numbers.next() == 1);
                    }
                    check(guest.ended() == 1);
                    check(guest.fields("a b").stream().toList().equals(List.of("a", "b")));
                    check(guest.entries(1).next().equals(new GuestPlugin.Tuple2<>("k0", 0)));
                    check(guest.addresses(1).next().equals(new GuestPlugin.Address("s0", null)));
                    check(guest.drawnShapes().next().equals(new GuestPlugin.Circle(1.5)));
                    check(guest.sumItems(List.of(1L, 2L)) == 3 && guest.sumItems(() -> guest.numbers(4)) == 6);
                    check(guest.collectEntries(List.of(new GuestPlugin.Tuple2<>("a", 1))).equals(Map.of("a", 1)));
                    check(Arrays.equals(guest.sumTriples(List.of(new int[] {1, 2, 3})), new int[] {6}));
                    check(guest.two(1).v1().next().equals("a"));
                }

                private static void streams(GuestPlugin guest) throws IOException {
                    ByteArrayOutputStream to = new ByteArrayOutputStream();
                    check(guest.copyStream(to, new ByteArrayInputStream(new byte[] {1, 2})) == 2 && to.size() == 2);
                    try (InputStream from = guest.repeatStream("ab", 2)) {
                        check(new String(from.readAllBytes()).equals("abab"));
                    }
                    try (OutputStream collected = guest.collectStream(10, "")) {
                        collected.write("abc".getBytes());
                    }
                    check(new String(guest.collected()).equals("abc"));
                }

                @Override
                public void accept(Plugin plugin) {
                    Options options = GuestPlugin.imports(new Options().stdout(Output.discard()).stderr(Output.discard()), host());
                    try (Instance instance = plugin.instantiate(options)) {
                        GuestPlugin guest = new GuestPlugin(instance);
                        objects(guest, instance);
                        stores(guest);
                        items(guest);
                        streams(guest);
                        check(instance.isAlive());
                        functions(guest);
                    } catch (IOException error) {
                        throw new UncheckedIOException(error);
                    }
                }
            }
            """;
}
