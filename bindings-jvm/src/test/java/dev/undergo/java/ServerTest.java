package dev.undergo.java;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.HttpURLConnection;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntUnaryOperator;
import org.junit.jupiter.api.Test;

/** Servers of HTTP: what they answer, how they end, and who may end them when. */
class ServerTest {
    private static final String LOCAL = "127.0.0.1:0";

    private static Plugin served(String name) {
        return Plugin.open(Support.ROOT.resolve("conformance/http/" + name + ".wasm"));
    }

    private static final Plugin SERVER = served("server");
    private static final Plugin ASKING = served("asking");

    private final BlockingQueue<UndergoException> failures = new LinkedBlockingQueue<>();

    private ServeOptions options(int instances) {
        return new ServeOptions().instances(instances).onError(failures::add);
    }

    /** Serves what asks a function, which gets the character of the path. */
    private Server asking(int instances, IntUnaryOperator ask) {
        return ASKING.serve(LOCAL, options(instances), Support.silent().function("test:host/ask", "ask", a -> ask.applyAsInt((int) a.number(0))));
    }

    /** The status of an answer; 0 if there is none. */
    private static int get(String address, String path) {
        try {
            HttpURLConnection connection = (HttpURLConnection) URI.create("http://" + address + path).toURL().openConnection();
            connection.setReadTimeout(30_000);
            try {
                return connection.getResponseCode();
            } catch (IOException error) {
                return 0;
            } finally {
                connection.disconnect();
            }
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    private static boolean listens(String address) {
        String[] parts = address.split(":");
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(parts[0], Integer.parseInt(parts[1])));
            return true;
        } catch (IOException refused) {
            return false;
        }
    }

    @Test
    void requestsAreAnswered() throws Exception {
        Plugin plugin = served("server");
        Server server = plugin.serve(LOCAL, options(2), Support.silent().timeout(Duration.ofMillis(500)));
        // It needs the plugin no more.
        plugin.close();
        assertEquals(List.of(200, 500, 504), List.of(get(server.address(), "/"), get(server.address(), "/trap"), get(server.address(), "/spin")));
        assertInstanceOf(TrapException.class, failures.take());
        assertInstanceOf(CallTimeoutException.class, failures.take());
        ServerStats stats = server.stats();
        assertEquals(List.of(3L, 0L, 2L, 3L, 2L), List.of(stats.requests(), stats.refused(), stats.failed(), stats.pool().calls(), stats.pool().died()));
        assertSame(plugin, server.plugin());
        assertFalse(server.isClosed());
        server.close(Support.ENOUGH);
        server.close();
        server.close(null);
        assertTrue(server.isClosed() && !listens(server.address()) && server.toString().contains("closed"));
        assertEquals(3, server.stats().requests());
    }

    @Test
    void functionsOfTheHostAreCalledBySeveralThreads() throws Exception {
        AtomicInteger asked = new AtomicInteger();
        IntUnaryOperator ask = what -> {
            asked.incrementAndGet();
            if (what == 'e') {
                throw new IllegalStateException("the host has failed");
            }
            try {
                Thread.sleep(what == 'w' ? 50 : 0);
            } catch (InterruptedException error) {
                throw new IllegalStateException(error);
            }
            // Its thread is one for all that Java does.
            return 203 + deep(1000);
        };
        try (Server server = asking(16, ask)) {
            assertEquals(List.of(203, 500), List.of(get(server.address(), "/a1"), get(server.address(), "/ae")));
            UndergoException failure = failures.take();
            assertEquals("the host has failed", assertInstanceOf(IllegalStateException.class, failure.getCause()).getMessage());
            List<CompletableFuture<Integer>> waiting = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                waiting.add(CompletableFuture.supplyAsync(() -> get(server.address(), "/aw"), Elsewhere.THREADS));
            }
            for (CompletableFuture<Integer> each : waiting) {
                assertEquals(203, each.get(60, TimeUnit.SECONDS));
            }
            assertEquals(102, asked.get());
        }
    }

    private static int deep(int calls) {
        return calls == 0 ? 0 : deep(calls - 1);
    }

    @Test
    void aRequestMayEndItsServer() {
        for (String path : List.of("/at", "/ac")) {
            AtomicReference<Server> own = new AtomicReference<>();
            AtomicReference<Throwable> thrown = new AtomicReference<>();
            IntUnaryOperator ask = what -> {
                try {
                    if (what == 't') {
                        own.get().close(null);
                    } else {
                        own.get().close();
                    }
                } catch (BusyException isItsOwn) {
                    thrown.set(isItsOwn);
                }
                return own.get().isClosed() && own.get().stats().requests() == 1 ? 203 : 500;
            };
            own.set(asking(1, ask));
            assertEquals(203, get(own.get().address(), path));
            if (path.equals("/at")) {
                assertInstanceOf(BusyException.class, thrown.get());
            } else {
                assertNull(thrown.get());
            }
            assertTimeoutPreemptively(Support.ENOUGH, () -> own.get().close());
            assertFalse(listens(own.get().address()));
        }
    }

    @Test
    void whatRunsTooLongIsEnded() throws Exception {
        Server server = SERVER.serve(LOCAL, options(1), Support.silent());
        CompletableFuture<Integer> running = CompletableFuture.supplyAsync(() -> get(server.address(), "/spin"), Elsewhere.THREADS);
        while (server.stats().pool().busy() == 0) {
            Thread.onSpinWait();
        }
        // From several threads, one of which does not wait for long.
        List<CompletableFuture<Void>> closing = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            closing.add(CompletableFuture.runAsync(server::close, Elsewhere.THREADS));
        }
        while (!server.isClosed()) {
            Thread.onSpinWait();
        }
        assertThrows(CallTimeoutException.class, () -> server.close(Duration.ofMillis(50)));
        for (CompletableFuture<Void> each : closing) {
            each.get(60, TimeUnit.SECONDS);
        }
        assertEquals(0, running.get(60, TimeUnit.SECONDS));
    }

    @Test
    void whatIsWrongIsRefused() {
        assertThrows(InvalidPluginException.class, () -> Support.hostile().serve(LOCAL, Support.silent()));
        assertThrows(TypeMismatchException.class, () -> SERVER.serve("localhost", Support.silent()));
        assertThrows(TypeMismatchException.class, () -> SERVER.serve("127.0.0.1:99999", Support.silent()));
        assertThrows(MissingImportException.class, () -> ASKING.serve(LOCAL, Support.silent()));
        try (Server taken = SERVER.serve(LOCAL, options(1).queue(0).body(0).maxCalls(1).idle(Duration.ofSeconds(1)), Support.silent())) {
            assertThrows(DeniedException.class, () -> SERVER.serve(taken.address(), Support.silent()));
            assertEquals(200, get(taken.address(), "/"));
        }
        ServeOptions options = new ServeOptions();
        assertThrows(IllegalArgumentException.class, () -> options.instances(0));
        assertThrows(IllegalArgumentException.class, () -> options.connections(0));
        assertThrows(IllegalArgumentException.class, () -> options.queue(-1));
        assertThrows(IllegalArgumentException.class, () -> options.body(-1));
        assertThrows(IllegalArgumentException.class, () -> options.idle(Duration.ZERO));
        assertThrows(NullPointerException.class, () -> options.onError(null));
    }

    @Test
    void whatItHeldIsLetGo() throws Exception {
        int before = Handles.count();
        asking(1, what -> 203).close();
        while (Handles.count() > before) {
            Thread.sleep(5);
        }
    }

    /** A program that ends with a server that answers. */
    static final class Ending {
        public static void main(String[] args) throws Exception {
            BlockingQueue<Integer> asked = new LinkedBlockingQueue<>();
            Options options = new Options().function("test:host/ask", "ask", a -> {
                asked.add(1);
                Thread.sleep(60_000);
                return 203;
            });
            Server server = ASKING.serve(LOCAL, new ServeOptions().instances(2), options);
            for (String path : List.of("/a1", "/spin")) {
                CompletableFuture.supplyAsync(() -> get(server.address(), path), Elsewhere.THREADS);
            }
            asked.take();
            System.out.println("over");
        }
    }

    @Test
    void aProgramEndsWithAServer() throws Exception {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        List<String> command = new ArrayList<>(List.of(java, "-cp", System.getProperty("java.class.path")));
        if (System.getProperty("undergo.library") != null) {
            command.add("-Dundergo.library=" + System.getProperty("undergo.library"));
        }
        command.add(Ending.class.getName());
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String printed = new String(process.getInputStream().readAllBytes());
        assertTrue(process.waitFor(60, TimeUnit.SECONDS));
        assertEquals(0, process.exitValue(), printed);
        assertTrue(printed.contains("over"), printed);
    }
}
