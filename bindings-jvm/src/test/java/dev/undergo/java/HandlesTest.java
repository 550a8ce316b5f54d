package dev.undergo.java;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongUnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Objects, functions, iterators and streams, also where they are not used as they should be. */
class HandlesTest {
    private Instance instance;

    @BeforeEach
    void start() {
        instance = make();
    }

    @AfterEach
    void end() {
        instance.close();
    }

    private static Instance make() {
        Instance[] made = {null};
        made[0] = Support.conformance().instantiate(Support.host(Support.silent(), () -> made[0]));
        return made[0];
    }

    private static String refused(Class<? extends UndergoException> kind, Runnable call) {
        return assertThrows(kind, call::run).getMessage();
    }

    @Test
    void anObjectSaysWhatItIs() {
        try (Resource tally = instance.construct("tally", 1)) {
            assertEquals("tally", tally.resource());
            assertEquals("Resource(tally)", tally.toString());
            assertEquals(3, tally.call(int.class, "add", 2));
            tally.close();
            assertTrue(tally.isClosed());
            assertEquals("Resource(tally, closed)", tally.toString());
        }
    }

    @Test
    void whatIsClosedIsRefused() {
        Resource tally = instance.construct("tally", 1);
        tally.close();
        assertEquals("tally.value(self): the tally is closed", refused(TypeMismatchException.class, () -> tally.call("value")));
        Resource other = instance.construct("Tally", 2);
        assertEquals("sum-tallies(b): the tally is closed", refused(TypeMismatchException.class, () -> instance.call("sumTallies", other, tally)));
        assertEquals(2L, other.call("value"));
    }

    @Test
    void whatIsNotThereIsNamed() {
        assertTrue(refused(UnknownExportException.class, () -> instance.construct("tellies")).contains("no resource 'tellies'"));
        Resource tally = instance.construct("tally", 1);
        String text = refused(UnknownExportException.class, () -> tally.call("subtract"));
        assertTrue(text.startsWith("tally has no method 'subtract'; it has ") && text.contains("add"), text);
        assertEquals("tally.add(): expected 1 arguments, got 0", refused(TypeMismatchException.class, () -> tally.call("add")));
        assertEquals("tally.add(n): expected s64, got java.lang.String", refused(TypeMismatchException.class, () -> tally.call("add", "1")));
        assertEquals("sum-tallies(b): expected borrow<tally>, got java.lang.Long", refused(TypeMismatchException.class, () -> instance.call("sum-tallies", tally, 1L)));
    }

    @Test
    void objectsEndWithTheirInstance() {
        Resource tally = instance.construct("tally", 1);
        Items<?> items = (Items<?>) instance.call("numbers", 3);
        assertEquals(new HandleCounts(0, 2), instance.handles());
        instance.close();
        assertTrue(tally.isClosed());
        assertEquals("the instance is closed", refused(DeadInstanceException.class, () -> tally.call("value")));
        refused(DeadInstanceException.class, items::next);
        tally.close();
        items.close();
    }

    @Test
    void objectsKeepTheirInstance() throws InterruptedException {
        Resource tally = make().construct("tally", 1);
        for (int i = 0; i < 5; i++) {
            System.gc();
            Thread.sleep(20);
        }
        assertEquals(1L, tally.call("value"));
    }

    @Test
    void theCollectorEndsWhatNobodyHas() throws InterruptedException {
        for (int i = 0; i < 100; i++) {
            instance.construct("tally", i);
        }
        long ended = 0;
        for (int i = 0; i < 100 && ended < 100; i++) {
            System.gc();
            Thread.sleep(20);
            ended += instance.call(long.class, "closed-tallies");
        }
        assertEquals(100, ended);
        assertEquals(0, instance.handles().given());
    }

    @Test
    void anObjectThatAFunctionClosesLivesUntilTheCallEnds() {
        Resource tally = instance.construct("tally", 21);
        Object updated = tally.call("update", (HostFunction) arguments -> {
            tally.close();
            return arguments.number(0) * 2;
        });
        assertEquals(42L, updated);
        assertTrue(tally.isClosed());
        assertEquals(1L, instance.call("closed-tallies"));
    }

    @Test
    void aFunctionThrowsItsOwnException() {
        IOException thrown = new IOException("no disk");
        HostFunction failing = arguments -> {
            throw thrown;
        };
        assertSame(thrown, assertThrows(IOException.class, () -> instance.call("apply-plain", List.of(1), failing)));
    }

    @Test
    void whatIsNoFunctionIsRefused() {
        String text = refused(TypeMismatchException.class, () -> instance.call("apply", List.of(1), "x"));
        assertEquals("apply(f): expected a HostFunction, or another functional interface with 1 parameters for apply-f, got java.lang.String", text);
        Runnable none = () -> {};
        refused(TypeMismatchException.class, () -> instance.call("apply", List.of(1), none));
        assertEquals(List.of(2L), instance.call("apply", List.of(1), (LongUnaryOperator) n -> n + 1));
    }

    /** Has one of the methods of a store. */
    public record Half() {
        public String get(String key) {
            return key;
        }
    }

    @Test
    void whatLacksAMethodIsRefused() {
        String text = refused(TypeMismatchException.class, () -> instance.call("store-get", new Half(), "a"));
        assertTrue(text.startsWith("store-get(s): expected an object with the methods get, put, size, child for store, got "), text);
        assertTrue(text.endsWith("which has no public put with 2 parameters"), text);
    }

    @Test
    void anObjectMayFindItsMethodsItself() {
        Map<String, Object> texts = new HashMap<>(Map.of("a", "x"));
        HostObject store = (method, arguments) -> switch (method) {
            case "get" -> texts.get(arguments.text(0));
            case "put" -> texts.put(arguments.text(0), arguments.text(1));
            case "size" -> texts.size();
            default -> throw new IllegalStateException(method);
        };
        assertEquals("x", instance.call("store-get", store, "a"));
        instance.call("store-put", store, "b", "y");
        assertEquals("y", texts.get("b"));
    }

    @Test
    void nothingOfTheHostIsLeft() throws InterruptedException {
        int before = Handles.count();
        for (int i = 0; i < 50; i++) {
            instance.call("apply", List.of(1), (LongUnaryOperator) n -> n);
            instance.call("sum-items", List.of(1, 2, 3));
            instance.call("read-stream", new ByteArrayInputStream(new byte[10]));
            refused(TypeMismatchException.class, () -> instance.call("interleave", List.of(1), "x"));
        }
        // What the guest's collector has to let go of first.
        for (int i = 0; i < 50 && Handles.count() > before; i++) {
            instance.call("handles-of-host");
        }
        assertEquals(before, Handles.count());
    }

    @Test
    void itemsAreAStreamToo() {
        try (Stream<?> numbers = instance.call(Stream.class, "count-forever")) {
            assertEquals(List.of(0L, 1L, 2L), numbers.limit(3).toList());
        }
        assertEquals(1L, instance.call("ended"));
        Iterator<?> iterator = instance.call(Iterator.class, "numbers", 2);
        List<Object> found = new ArrayList<>();
        iterator.forEachRemaining(found::add);
        assertEquals(List.of(0L, 1L), found);
    }

    /** A pair of the entries of the conformance guest. */
    record Taken(Items<Long> numbers, Items<String> texts) {}

    @Test
    void itemsAreOfTheClassThatARecordHas() {
        Taken taken = instance.call(Taken.class, "two", 2);
        long first = taken.numbers().next();
        String text = taken.texts().next();
        assertEquals("0a", first + text);
        refused(TypeMismatchException.class, () -> instance.call(String.class, "numbers", 2));
        assertEquals(2, instance.handles().given());
    }

    @Test
    void anIteratorThatComesBackToItselfIsBusy() {
        Items<?>[] own = {null};
        Iterator<Long> items = Stream.generate(() -> {
            refused(BusyException.class, () -> own[0].next());
            return 4L;
        }).iterator();
        own[0] = (Items<?>) instance.call("doubled-items", items);
        assertEquals(8L, own[0].next());
        own[0].close();
    }

    @Test
    void anErrorThatStreamsHaveIsAnIOException() throws IOException {
        try (InputStream stream = instance.call(InputStream.class, "text-then-error", "abc", "disk on fire", false)) {
            assertArrayEquals(new byte[] {'a', 'b', 'c'}, stream.readNBytes(3));
            IOException error = assertThrows(IOException.class, stream::read);
            assertInstanceOf(GuestException.class, error.getCause());
            assertEquals("disk on fire", error.getMessage());
            stream.close();
            assertEquals("the stream is closed", assertThrows(IOException.class, stream::read).getMessage());
        }
    }

    @Test
    void streamsAreCopiedInPieces() throws IOException {
        byte[] much = new byte[3 << 20];
        for (int i = 0; i < much.length; i++) {
            much[i] = (byte) (i * 31);
        }
        ByteArrayOutputStream copied = new ByteArrayOutputStream();
        assertEquals((long) much.length, instance.call("copy-stream", copied, new ByteArrayInputStream(much)));
        assertArrayEquals(much, copied.toByteArray());
        copied.reset();
        try (InputStream stream = instance.call(InputStream.class, "upper-stream", new ByteArrayInputStream(new byte[1 << 20]))) {
            assertEquals(1 << 20, stream.transferTo(copied));
        }
        try (OutputStream stream = instance.call(OutputStream.class, "collect-stream", much.length, "")) {
            stream.write(much);
            assertArrayEquals(much, (byte[]) instance.call("collected"));
        }
    }

    @Test
    void callsOfAnObjectHaveABound() {
        Resource tally = instance.construct("tally", 1).using(Duration.ofMillis(200), null);
        refused(CallTimeoutException.class, () -> tally.call("update", (HostFunction) arguments -> {
            Thread.sleep(5_000);
            return 1;
        }));
        assertFalse(instance.isAlive());
    }

    @Test
    void manyThreadsUseAndCloseTheSame() {
        List<CompletableFuture<Void>> threads = new ArrayList<>();
        for (int round = 0; round < 20; round++) {
            Resource tally = instance.construct("tally", 0);
            for (int i = 0; i < 4; i++) {
                threads.add(CompletableFuture.runAsync(() -> {
                    for (int call = 0; call < 50; call++) {
                        try {
                            tally.call("add", 1);
                        } catch (TypeMismatchException closed) {
                            assertTrue(closed.getMessage().contains("the tally is closed"));
                        }
                    }
                }));
            }
            threads.add(CompletableFuture.runAsync(tally::close));
        }
        threads.forEach(CompletableFuture::join);
        assertEquals(20L, instance.call("closed-tallies"));
        assertTrue(instance.isAlive());
    }

    @Test
    void aPoolGivesNoHandles() {
        try (Pool pool = Support.conformance().pool(1, Support.host(Support.silent(), () -> null))) {
            refused(SignatureMismatchException.class, () -> pool.construct("tally", 1));
            refused(SignatureMismatchException.class, () -> pool.call("numbers", 3));
            assertEquals(List.of(2L), pool.call("apply", List.of(1), (LongUnaryOperator) n -> 2 * n));
        }
    }

    @Test
    void aPoolLendsAnInstance() throws Exception {
        try (Pool pool = Support.conformance().pool(1, Support.host(Support.silent(), () -> null))) {
            Resource tally;
            try (Instance lent = pool.take()) {
                tally = lent.construct("tally", 1);
                assertEquals(2L, tally.call("add", 1));
                assertEquals(1, pool.stats().busy());
                Throwable waited = CompletableFuture.supplyAsync(() -> pool.take(Duration.ofMillis(50))).handle((none, error) -> error.getCause()).join();
                assertInstanceOf(CallTimeoutException.class, waited);
            }
            refused(DeadInstanceException.class, () -> tally.call("value"));
            assertTrue(tally.isClosed());
            try (Instance again = pool.take(Duration.ofSeconds(30))) {
                assertEquals(1L, again.call("closed-tallies"));
                assertEquals(0, again.handles().given());
            }
            // On another thread.
            Instance lent = pool.take();
            CompletableFuture.runAsync(lent::close).join();
            assertEquals(0L, pool.call("closed-tallies"));
        }
    }
}
