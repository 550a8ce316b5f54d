package dev.undergo.java;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a guest reaches over the network, and what it says of what it may not. */
class NetworkTest {
    private ServerSocket server;
    private String address;
    private String refused;

    @BeforeEach
    void listen() throws IOException {
        server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        address = "127.0.0.1:" + server.getLocalPort();
        refused = "the sandbox denied connecting to " + address + "; it takes the rule connect=" + address;
    }

    @AfterEach
    void close() throws IOException {
        server.close();
    }

    /** Greets whoever connects, until the test closes the server. */
    private void answer() {
        Thread thread = new Thread(() -> {
            while (true) {
                try (Socket client = server.accept()) {
                    client.getOutputStream().write("hello".getBytes(StandardCharsets.UTF_8));
                } catch (IOException closed) {
                    return;
                }
            }
        });
        thread.setDaemon(true);
        thread.start();
    }

    private static Instance start(Options options) {
        return Support.hostile().instantiate(options);
    }

    private static Options options() {
        return HostileTest.options(Support.ENOUGH);
    }

    @Test
    void aCommandReachesWhatARuleAllows() {
        Completed nothing = Support.command().run(new Options().args("dial", address));
        assertEquals(1, nothing.code());
        assertTrue(nothing.denied().get(0).contains("the use of the network"), () -> nothing.denied().toString());
        assertEquals(List.of(refused), Support.command().run(new Options().args("dial", address).network("10.0.0.0/8:*", "listen=any")).denied());
        answer();
        for (String rule : List.of(address, "connect=any")) {
            Completed done = Support.command().run(new Options().args("dial", address).network("10.0.0.0/8:*", rule));
            assertEquals(0, done.code());
            assertEquals("hello", new String(done.stdout(), StandardCharsets.UTF_8));
            assertEquals(List.of(), done.denied());
        }
    }

    @Test
    void anInstanceTellsWhatWasDenied() {
        try (Instance instance = start(options().network("127.0.0.1:1"))) {
            assertEquals(List.of(), instance.denied());
            GuestException error = assertThrows(GuestException.class, () -> instance.call("connect", address));
            assertEquals(Optional.of(refused), error.denied());
            assertEquals("Permission denied", error.sentence());
            assertEquals(List.of(refused), instance.denied());
            assertEquals(Optional.empty(), assertThrows(GuestException.class, () -> instance.call("connect", "nowhere")).denied());
        }
        try (Instance instance = start(options().network(address))) {
            assertNull(instance.call("connect", address));
            assertEquals(List.of(), instance.denied());
        }
    }

    /** A port at which nobody listens. */
    private static int free() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    @Test
    void aCommandAnswersAtAListenerOfTheHost() throws Exception {
        int port = free();
        CompletableFuture<Completed> running = CompletableFuture.supplyAsync(
                () -> Support.command().run(new Options().args("answer").listen("127.0.0.1:" + port).timeout(Support.ENOUGH)));
        String said = null;
        while (said == null) {
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
                said = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            } catch (ConnectException notYet) {
                // It does not listen yet. What does not become so by the end of the run is a
                // failure.
                if (running.isDone()) {
                    throw new AssertionError("the run has ended with " + running.get(), notYet);
                }
            }
        }
        assertEquals("hello", said);
        assertEquals(0, running.get().code());
    }

    @Test
    void whatIsGivenInVainIsTold() {
        // A module that has nothing to do with the network.
        byte[] plain = Base64.getDecoder().decode("AGFzbQEAAAABBAFgAAADAgEABQMBAAEHGAIGbWVtb3J5AgALX2luaXRpYWxpemUAAAoEAQIACw==");
        try (Plugin plugin = Plugin.open("plain.wasm", plain, new LoadOptions())) {
            assertEquals(List.of(), plugin.diagnostics());
            plugin.instantiate(new Options().network("example.org:443")).close();
            assertTrue(plugin.diagnostics().get(0).contains("opens no sockets"), () -> plugin.diagnostics().toString());
        }
    }

    @Test
    void whatCanNotBeAllowed() {
        assertTrue(assertThrows(TypeMismatchException.class, () -> start(options().network("example.org"))).getMessage().contains("example.org"));
        String text = assertThrows(TypeMismatchException.class, () -> start(options().listen("example.org:80"))).getMessage();
        assertTrue(text.contains("no address to listen at"), text);
        text = assertThrows(DeniedException.class, () -> start(options().listen(address))).getMessage();
        assertTrue(text.contains("refuses to listen at " + address), text);
    }
}
