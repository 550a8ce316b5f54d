package dev.undergo

import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows
import java.net.ConnectException
import java.net.InetAddress
import java.net.ServerSocket
import java.net.Socket
import java.net.SocketException
import java.util.Base64
import java.util.concurrent.CompletableFuture
import kotlin.concurrent.thread

/** What the sandbox lets a guest reach over the network, and what it tells of the rest. */
class NetworkTest {
    private val server = ServerSocket(0, 50, InetAddress.getLoopbackAddress())
    private val address = "127.0.0.1:${server.localPort}"
    private val refused = "the sandbox denied connecting to $address; it takes the rule connect=$address"

    @AfterEach
    fun close() = server.close()

    /** Greets whoever connects, until the test closes the server. */
    private fun answer() = thread {
        try {
            while (true) server.accept().use { it.getOutputStream().write("hello".toByteArray()) }
        } catch (_: SocketException) {
        }
    }

    /** The module `host` of the hostile guest, of which these tests call nothing. */
    private fun imports() = Imports().apply { for (name in listOf("do", "echo", "fail")) function("host", name) { error("it was not to be called") } }

    private fun start(sandbox: Sandbox) = hostile.instantiate(imports(), sandbox, Limits(timeout = ENOUGH))

    @Test
    fun `a command reaches what a rule allows`() {
        val ways = listOf<(Sandbox) -> Completed>(
            { command.run(listOf("dial", address), sandbox = it, timeout = ENOUGH) },
            { runBlocking { command.runAsync(listOf("dial", address), sandbox = it, timeout = ENOUGH) } },
        )
        for (run in ways) {
            val nothing = run(Sandbox())
            assertEquals(1, nothing.code)
            assertTrue("the use of the network" in nothing.denied.single(), "${nothing.denied}")
            assertEquals(listOf(refused), run(Sandbox(network = listOf("10.0.0.0/8:*", "listen=any"))).denied)
        }
        answer()
        for (run in ways) for (rule in listOf(address, "connect=any")) {
            val done = run(Sandbox(network = listOf("10.0.0.0/8:*", rule)))
            assertEquals(listOf(0, "hello", emptyList<String>()), listOf(done.code, String(done.stdout), done.denied))
        }
    }

    @Test
    fun `an instance tells what was denied`() {
        start(SILENT.copy(network = listOf("127.0.0.1:1"))).use { instance ->
            assertEquals(emptyList<String>(), instance.denied)
            val error = assertThrows<GuestException> { instance.call("connect", address) }
            assertEquals(listOf(refused, "Permission denied"), listOf(error.denied, error.sentence))
            assertEquals(listOf(refused), instance.denied)
            assertNull(assertThrows<GuestException> { instance.call("connect", "nowhere") }.denied)
        }
        start(SILENT.copy(network = listOf(address))).use { instance ->
            assertNull(instance.call("connect", address))
            assertEquals(emptyList<String>(), instance.denied)
        }
    }

    @Test
    fun `an instance whose calls suspend tells what was denied`() = runBlocking {
        hostile.instantiateAsync(imports(), SILENT.copy(network = listOf("127.0.0.1:1")), Limits(timeout = ENOUGH)).use { instance ->
            val error = assertThrows<GuestException> { runBlocking { instance.call("connect", address) } }
            assertEquals(refused, error.denied)
            assertEquals(listOf(refused), instance.denied)
        }
    }

    /** A port at which nobody listens. */
    private fun free(): Int = ServerSocket(0, 50, InetAddress.getLoopbackAddress()).use { it.localPort }

    @Test
    fun `a listener of the host is its instance's, and closed with it`() {
        val sandbox = SILENT.copy(listeners = listOf("127.0.0.1:${free()}"))
        repeat(2) {
            start(sandbox).use { assertThrows<DeniedException> { start(sandbox) } }
        }
    }

    @Test
    fun `a command answers at a listener of the host`() {
        val port = free()
        val sandbox = Sandbox(args = listOf("answer"), listeners = listOf("127.0.0.1:$port"))
        val running = CompletableFuture.supplyAsync { command.run(sandbox = sandbox, timeout = ENOUGH) }
        var said: String? = null
        while (said == null) {
            try {
                said = Socket(InetAddress.getLoopbackAddress(), port).use { String(it.getInputStream().readAllBytes()) }
            } catch (notYet: ConnectException) {
                // It does not listen yet. What does not become so by the end of the run is a
                // failure.
                if (running.isDone) throw AssertionError("the run has ended with ${running.get()}", notYet)
            }
        }
        assertEquals(listOf("hello", 0, emptyList<String>()), running.get().run { listOf(said, code, denied) })
    }

    /** A module whose export opens a socket, and gives the number for what went wrong. */
    private val opens = Base64.getDecoder().decode(
        "AGFzbQEAAAABDwNgA39/fwF/YAABf2AAAAIkARZ3YXNpX3NuYXBzaG90X3ByZXZpZXcxCXNvY2tfb3BlbgAAAwMCAQIFAwEAAQcfAwZtZW1vcnkC" +
            "AARvcGVuAAELX2luaXRpYWxpemUAAgoPAgoAQQFBAkEAEAALAgAL",
    )

    /** One that has nothing to do with the network. */
    private val plain = Base64.getDecoder().decode("AGFzbQEAAAABBAFgAAADAgEABQMBAAEHGAIGbWVtb3J5AgALX2luaXRpYWxpemUAAAoEAQIACw==")

    @Test
    fun `a guest holds so many descriptors`() {
        val plugin = Plugin.compile(opens)
        for ((limits, most) in listOf(Limits(descriptors = 3) to 3, Limits() to 128)) {
            plugin.instantiate(Imports(), Sandbox(network = listOf("any")), limits).use { instance ->
                repeat(most) { assertEquals(0, (instance.call("open") as Number).toInt()) }
                assertEquals(33, (instance.call("open") as Number).toInt())
            }
        }
        assertThrows<IllegalArgumentException> { Limits(descriptors = -1) }
    }

    @Test
    fun `what is given in vain is told`() {
        val plugin = Plugin.compile(plain)
        assertEquals(emptyList<String>(), plugin.diagnostics)
        repeat(2) { plugin.instantiate(Imports(), Sandbox(network = listOf("example.org:443"))).close() }
        assertTrue("opens no sockets" in plugin.diagnostics.single())
    }

    @Test
    fun `what can not be allowed`() {
        assertTrue("example.org" in assertThrows<TypeMismatchException> { start(Sandbox(network = listOf("example.org"))) }.message!!)
        val wrong = assertThrows<TypeMismatchException> { start(Sandbox(listeners = listOf("example.org:80"))) }
        assertTrue("no address to listen at" in wrong.message!!, wrong.message)
        assertThrows<IllegalArgumentException> { Sandbox(listeners = listOf("127.0.0.1:0")) }
        val taken = assertThrows<DeniedException> { start(Sandbox(listeners = listOf(address))) }
        assertTrue("refuses to listen at $address" in taken.message!!, taken.message)
    }
}
