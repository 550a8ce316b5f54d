package dev.undergo.java;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** What Java's own calls have: records, exceptions, futures, and the order of closing. */
class CallsTest {
    private enum Color {
        RED,
        GREEN,
        DARK_BLUE
    }

    private enum Level {
        LOW,
        HIGH
    }

    private record Address(String street, Optional<Long> zip) {}

    private record Person(
            String name, Optional<String> email, int age, List<String> tags, Address home, List<Address> others, Map<String, Double> scores,
            Color favorite, Level level, OffsetDateTime born, Duration nap, long userId) {}

    private record Point(double x, double y, short tag) {}

    private static final Person ADA = new Person(
            "Ada", Optional.empty(), 36, List.of("a", "ü"), new Address("Main St", Optional.of(8001L)), List.of(new Address("", Optional.empty())),
            Map.of("chess", 1.5), Color.DARK_BLUE, null, OffsetDateTime.parse("1815-12-10T12:00:00.000000001+01:00"), Duration.ofMinutes(20), 7);

    private static Instance instance() {
        return instance(Support.silent());
    }

    private static Instance instance(Options options) {
        Instance[] own = new Instance[1];
        own[0] = Support.conformance().instantiate(Support.host(options, () -> own[0]));
        return own[0];
    }

    @Test
    void recordsCrossAsRecords() {
        try (Instance instance = instance()) {
            assertEquals(ADA, instance.call(Person.class, "echoPerson", ADA));
            assertEquals(ADA, instance.call(Person.class, "person-through-host", ADA));
            assertEquals(Color.DARK_BLUE, instance.call(Color.class, "echo-color", Color.DARK_BLUE));
            assertArrayEquals(
                    new Point[] {new Point(1, 2, (short) 255)}, instance.call(Point[].class, "echo-points", List.of(new Point(1, 2, (short) 255))));
            assertArrayEquals(new long[] {1, -1}, instance.call(long[].class, "echo-int64s", new long[] {1, -1}));
            assertArrayEquals(new boolean[] {true, false}, instance.call(boolean[].class, "echo-bools", new boolean[] {true, false}));
            assertEquals(3, instance.call(int.class, "pass", 2));
        }
    }

    private record WithoutZip(String street) {}

    private record Stranger(String street, Optional<Long> zip, String country) {}

    @Test
    void aRecordThatDoesNotFitIsRefused() {
        try (Instance instance = instance()) {
            Map<String, Object> person = Map.of("name", "x", "home", new Stranger("", Optional.empty(), ""));
            String text = assertThrows(TypeMismatchException.class, () -> instance.call("echo-person", person)).getMessage();
            assertTrue(text.contains("the field age of person is missing"), text);
            text = assertThrows(TypeMismatchException.class, () -> instance.call(WithoutZip.class, "echo-point", new Point(0, 0, (short) 0))).getMessage();
            assertTrue(text.contains("has the component street"), text);
            text = assertThrows(TypeMismatchException.class, () -> instance.call(byte.class, "http-status")).getMessage();
            assertTrue(text.contains("418 does not fit byte"), text);
        }
    }

    @Test
    void whatAHostFunctionThrowsIsWhatTheCallerGets() {
        Support.Refused mine = new Support.Refused("mine");
        Options options = Support.host(Support.silent(), () -> null).function("host", "crash", a -> {
            throw mine;
        });
        try (Instance instance = Support.conformance().instantiate(options)) {
            assertSame(mine, assertThrows(Support.Refused.class, () -> instance.call("crash", "x")));
            assertFalse(instance.isAlive());
            instance.reset();
            CompletionException error = assertThrows(CompletionException.class, () -> instance.callAsync("crash", "x").join());
            assertSame(mine, error.getCause());
        }
    }

    private static long endless(long depth) {
        return endless(depth + 1) + 1;
    }

    @Test
    void aStackOverflowInAHostFunctionIsAnError() throws Exception {
        for (long size : new long[] {0, 256L << 10, 16L << 20}) {
            Throwable[] thrown = new Throwable[1];
            Thread thread = new Thread(null, () -> {
                Options options = Support.host(Support.silent(), () -> null).function("host", "crash", a -> endless(0));
                try (Instance instance = Support.conformance().instantiate(options)) {
                    for (int i = 0; i < 3; i++) {
                        thrown[0] = assertThrows(Throwable.class, () -> instance.call("crash", "x"));
                        instance.reset();
                        assertEquals(3L, instance.call("pass", 2));
                    }
                }
            }, "sized", size);
            thread.start();
            thread.join();
            assertInstanceOf(StackOverflowError.class, thrown[0]);
        }
    }

    @Test
    void anEndlessRecursionThroughTheHostIsAnError() throws Exception {
        for (long size : new long[] {0, 256L << 10, 16L << 20}) {
            Throwable[] thrown = new Throwable[1];
            Thread thread = new Thread(null, () -> {
                Instance[] own = new Instance[1];
                Options options = Support.host(Support.silent(), () -> null).function("host", "reenter", a -> own[0].call("reenter", 1000));
                try (Instance instance = Support.conformance().instantiate(options)) {
                    own[0] = instance;
                    thrown[0] = assertThrows(Throwable.class, () -> instance.call("reenter", 1000));
                    instance.reset();
                    assertEquals(3L, instance.call("pass", 2));
                }
            }, "sized", size);
            thread.start();
            thread.join();
            assertTrue(thrown[0] instanceof UndergoException || thrown[0] instanceof StackOverflowError, () -> String.valueOf(thrown[0]));
        }
    }

    @Test
    void manyThreadsShareAnInstance() throws Exception {
        try (Instance instance = instance()) {
            List<Thread> threads = new ArrayList<>();
            AtomicInteger failed = new AtomicInteger();
            for (int i = 0; i < 50; i++) {
                Thread thread = new Thread(() -> {
                    for (int j = 0; j < 20; j++) {
                        instance.call("counter");
                    }
                });
                thread.setUncaughtExceptionHandler((of, thrown) -> failed.incrementAndGet());
                thread.start();
                threads.add(thread);
            }
            for (Thread thread : threads) {
                thread.join();
            }
            assertEquals(0, failed.get());
            assertEquals(1001L, instance.call("counter"));
        }
    }

    @Test
    void futuresTakeTurnsWithoutAThreadEach() {
        try (Instance instance = instance()) {
            List<CompletableFuture<Object>> futures = new ArrayList<>();
            for (int i = 0; i < 2000; i++) {
                futures.add(instance.callAsync("counter"));
            }
            CompletableFuture.allOf(futures.toArray(CompletableFuture<?>[]::new)).join();
            assertEquals(2001L, instance.call("counter"));
        }
    }

    @Test
    void aCancelledFutureEndsItsCall() throws Exception {
        CountDownLatch inside = new CountDownLatch(1);
        Instance[] own = new Instance[1];
        Options options = Support.host(Support.silent(), () -> own[0]).function("host", "note", a -> {
            inside.countDown();
            return own[0].call("spin");
        });
        try (Instance instance = Support.conformance().instantiate(options)) {
            own[0] = instance;
            CompletableFuture<Object> call = instance.callAsync("notes", List.of("x"));
            assertTrue(inside.await(60, TimeUnit.SECONDS));
            CompletableFuture<Object> waiting = instance.callAsync("counter");
            assertTrue(call.cancel(true));
            assertInstanceOf(DeadInstanceException.class, assertThrows(CompletionException.class, waiting::join).getCause());
            assertFalse(instance.isAlive());
        }
    }

    @Test
    void aTokenEndsACallAndWhatWaits() {
        try (Instance instance = instance()) {
            CancelToken token = new CancelToken();
            CompletableFuture<Object> call = instance.using(null, token).callAsync("spin");
            CompletableFuture<Object> waiting = instance.using(null, token).callAsync("counter");
            token.cancel();
            assertTrue(token.isCancelled());
            for (CompletableFuture<Object> each : List.of(call, waiting)) {
                assertInstanceOf(CallCancelledException.class, assertThrows(CompletionException.class, each::join).getCause());
            }
        }
    }

    @Test
    void aTimeEndsACallAndWhatWaits() {
        try (Instance instance = instance()) {
            Exports quick = instance.using(Duration.ofMillis(50), null);
            CompletableFuture<Object> call = quick.callAsync("spin");
            CompletableFuture<Object> waiting = quick.callAsync("counter");
            assertInstanceOf(CallTimeoutException.class, assertThrows(CompletionException.class, call::join).getCause());
            Throwable late = assertThrows(CompletionException.class, waiting::join).getCause();
            // Which of the two it is depends on which one the system lets run first.
            assertTrue(late instanceof CallTimeoutException || late instanceof DeadInstanceException, () -> String.valueOf(late));
        }
    }

    private static boolean hasVirtualThreads() {
        return Runtime.version().feature() >= 21;
    }

    /** Starts a virtual thread, which the Java that compiles this may not know. */
    private static Thread virtual(Runnable task) {
        try {
            return (Thread) Thread.class.getMethod("startVirtualThread", Runnable.class).invoke(null, task);
        } catch (ReflectiveOperationException error) {
            throw new AssertionError(error);
        }
    }

    @Test
    void virtualThreadsWaitWithoutTheirCarriers() throws Exception {
        org.junit.jupiter.api.Assumptions.assumeTrue(hasVirtualThreads(), "this Java has no virtual threads");
        // A host function waits until another virtual thread has run: if the waiting calls held the
        // carriers, it never would.
        int count = 4 * Runtime.getRuntime().availableProcessors();
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        List<Throwable> failed = new ArrayList<>();
        Instance[] own = new Instance[1];
        Options options = Support.host(Support.silent(), () -> own[0]).function("host", "note", a -> {
            inside.countDown();
            if (!go.await(60, TimeUnit.SECONDS)) {
                throw new AssertionError("nobody came");
            }
            return null;
        });
        try (Instance instance = Support.conformance().instantiate(options)) {
            own[0] = instance;
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                threads.add(virtual(() -> {
                    try {
                        instance.call("notes", List.of("x"));
                    } catch (Throwable thrown) {
                        synchronized (failed) {
                            failed.add(thrown);
                        }
                    }
                }));
            }
            assertTrue(inside.await(60, TimeUnit.SECONDS));
            virtual(go::countDown);
            for (Thread thread : threads) {
                thread.join();
            }
        }
        assertEquals(List.of(), failed);
    }

    @Test
    void closingInAHostFunctionLetsTheCallGoOn() {
        Instance[] own = new Instance[1];
        Throwable[] inner = new Throwable[1];
        Options options = Support.host(Support.silent(), () -> own[0]).function("host", "note", a -> {
            own[0].close();
            inner[0] = assertThrows(Throwable.class, () -> own[0].call("nothing"));
            return null;
        });
        own[0] = Support.conformance().instantiate(options);
        own[0].call("notes", List.of("x"));
        assertInstanceOf(DeadInstanceException.class, inner[0]);
        assertThrows(DeadInstanceException.class, () -> own[0].call("nothing"));
        own[0].close();
        assertFalse(own[0].isAlive());
    }

    @Test
    void argumentsAreReadWhileTheFunctionRuns() {
        Arguments[] kept = new Arguments[1];
        Options options = Support.host(Support.silent(), () -> null).function("host", "note", a -> {
            kept[0] = a;
            return null;
        });
        try (Instance instance = Support.conformance().instantiate(options)) {
            instance.call("notes", List.of("x"));
            assertThrows(IllegalStateException.class, () -> kept[0].get(0));
        }
    }

    @Test
    void aPoolAnswersManyThreads() throws Exception {
        Pool pool = Support.conformance().pool(new PoolOptions(2, 0, null, 1), Support.host(Support.silent(), () -> null));
        List<Thread> threads = new ArrayList<>();
        AtomicInteger done = new AtomicInteger();
        AtomicInteger refused = new AtomicInteger();
        for (int i = 0; i < 20; i++) {
            boolean closes = i == 7;
            Thread thread = new Thread(() -> {
                for (int j = 0; j < 20; j++) {
                    try {
                        pool.call("churn", 1);
                        done.incrementAndGet();
                    } catch (DeadInstanceException closed) {
                        refused.incrementAndGet();
                    }
                }
                if (closes) {
                    pool.close();
                }
            });
            thread.start();
            threads.add(thread);
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertTrue(done.get() >= 20 && done.get() + refused.get() == 400, done + " and " + refused);
        assertTrue(pool.isClosed());
        assertThrows(DeadInstanceException.class, pool::stats);
    }

    @Test
    void handlesMayBeClosedInAnyOrder() {
        Plugin plugin = Plugin.open(java.nio.file.Path.of(System.getenv("UNDERGO_CONFORMANCE_WASM")));
        Instance instance = plugin.instantiate(Support.host(Support.silent(), () -> null));
        plugin.close();
        plugin.close();
        instance.call("nothing");
        assertThrows(DeadInstanceException.class, plugin::instantiate);
        instance.close();
    }

    @Test
    void nothingOfJavasIsKept() throws Exception {
        Handles.count();
        int before = Handles.count();
        for (int i = 0; i < 100; i++) {
            try (Instance instance = instance()) {
                assertThrows(Support.Refused.class, () -> instance.call("crash", "x"));
            }
        }
        assertTrue(Handles.count() <= before + 5, () -> Handles.count() + " objects, " + before + " before");
    }

    @Test
    void outputComesInLinesOrCaptured() {
        List<String> lines = new ArrayList<>();
        try (Instance instance = Support.conformance().instantiate(
                Support.host(new Options().stdout(Output.lines(lines::add)).stderr(Output.capture()), () -> null))) {
            instance.call("print", "one\ntwo", "err");
            assertEquals(List.of("one", "two"), lines);
            assertEquals("err", new String(instance.takeStderr()));
            byte[] written = "abc".getBytes();
            assertTrue(instance.memorySize() > 1 << 16);
            instance.writeMemory(64, written);
            assertArrayEquals(written, instance.readMemory(64, 3));
            assertThrows(TypeMismatchException.class, () -> instance.readMemory(1L << 40, 3));
        }
        Support.Refused mine = new Support.Refused("no output");
        Options refusing = Support.host(new Options().stderr(Output.discard()), () -> null).stdout(Output.lines(line -> {
            throw mine;
        }));
        try (Instance instance = Support.conformance().instantiate(refusing)) {
            assertSame(mine, assertThrows(Support.Refused.class, () -> instance.call("print", "x\n", "")));
        }
    }

    @Test
    void limitsAndClocksHold() {
        try (Instance instance = instance(Support.silent().fuel(50_000_000).clock(Instant.EPOCH).seed(1))) {
            instance.call("nothing");
            assertTrue(instance.usage().fuel().isPresent() && instance.usage().memory() > 0);
            assertThrows(OutOfFuelException.class, () -> instance.call("spin"));
        }
        assertThrows(IllegalArgumentException.class, () -> new Options().memory(-1));
        assertThrows(IllegalArgumentException.class, () -> new Options().timeout(Duration.ofSeconds(-1)));
        assertThrows(DeniedException.class, () -> instance(Support.silent().dir("/data", java.nio.file.Path.of("/no/such/folder"))));
    }

    @Test
    void largeValuesCross() {
        byte[] large = new byte[3 << 20];
        Arrays.fill(large, (byte) 7);
        String text = "ü".repeat(1 << 20);
        try (Instance instance = instance()) {
            assertArrayEquals(large, instance.call(byte[].class, "echo-bytes", (Object) large));
            assertEquals(text, instance.call("echo-string", text));
            assertEquals("", instance.call("echo-string", ""));
            assertArrayEquals(new byte[0], (byte[]) instance.call("echo-bytes", (Object) new byte[0]));
        }
    }

    @Test
    void instancesAreLinked() {
        Instance inner = instance();
        Options options = Support.host(Support.silent(), () -> null).link("host", inner);
        UndergoException refused = assertThrows(SignatureMismatchException.class, () -> Support.conformance().instantiate(options));
        assertTrue(refused.getMessage().contains("the import is host.many("), refused.getMessage());
        // What one imports with other types than the other exports.
        for (String other : List.of("many", "notes", "fail")) {
            options.function("host", other, arguments -> null);
        }
        try (Instance outer = Support.conformance().instantiate(options)) {
            // The link keeps it.
            inner.close();
            assertEquals(List.of(3L, 2L), outer.call("divmod-through-host", 17, 5));
        }
        assertThrows(DeadInstanceException.class, () -> Support.conformance().instantiate(options));
    }
}
