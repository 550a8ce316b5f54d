package dev.undergo

import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertInstanceOf
import org.junit.jupiter.api.Assertions.assertSame
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows
import java.io.IOException
import java.net.HttpURLConnection
import java.net.URI
import java.util.concurrent.CompletableFuture
import java.util.concurrent.LinkedBlockingQueue
import kotlin.time.Duration.Companion.milliseconds

/** Servers of HTTP. What they do to the virtual machine is tested in bindings-jvm. */
class ServerTest {
    private val server = served("server")
    private val asking = served("asking")
    private val failures = LinkedBlockingQueue<UndergoException>()

    private fun served(name: String) = Plugin.load(ROOT.resolve("conformance/http/$name.wasm"))

    /** The status of an answer; 0 if there is none. */
    private fun get(of: Server, path: String): Int {
        val connection = URI.create("http://${of.address}$path").toURL().openConnection() as HttpURLConnection
        return try {
            connection.responseCode
        } catch (_: IOException) {
            0
        } finally {
            connection.disconnect()
        }
    }

    @Test
    fun `requests are answered`() {
        val served = server.serve(LOCAL, instances = 2, sandbox = SILENT, limits = Limits(timeout = 500.milliseconds), onError = failures::add)
        assertEquals(listOf(200, 500, 504), listOf("/", "/trap", "/spin").map { get(served, it) })
        assertInstanceOf(TrapException::class.java, failures.take())
        assertInstanceOf(CallTimeoutException::class.java, failures.take())
        assertEquals(listOf(3L, 2L), listOf(served.stats.requests, served.stats.failed))
        assertSame(server, served.plugin)
        assertFalse(served.isClosed)
        runBlocking { served.shutDown(ENOUGH) }
        served.close()
        assertTrue(served.isClosed && get(served, "/") == 0)
    }

    @Test
    fun `functions of the host are called`() {
        val imports = Imports().apply {
            suspending("test:host/ask", "ask") { (what) -> if (what == 'e'.code.toLong()) throw Refused("no") else 203 }
        }
        asking.serve(LOCAL, imports = imports, sandbox = SILENT, onError = failures::add).use {
            assertEquals(listOf(203, 500), listOf(get(it, "/a1"), get(it, "/ae")))
            assertInstanceOf(Refused::class.java, failures.take().cause)
        }
    }

    @Test
    fun `what runs too long is ended`() {
        val served = server.serve(LOCAL, instances = 1, sandbox = SILENT, maxCalls = 1, queue = 0, connections = 10, body = 0)
        val running = CompletableFuture.supplyAsync { get(served, "/spin") }
        while (served.stats.pool.busy == 0L) Thread.onSpinWait()
        assertThrows<CallTimeoutException> { served.close(50.milliseconds) }
        assertEquals(0, running.get())
    }

    @Test
    fun `what is wrong is refused`() {
        assertThrows<InvalidPluginException> { hostile.serve(LOCAL) }
        assertThrows<TypeMismatchException> { server.serve("localhost") }
        assertThrows<MissingImportException> { asking.serve(LOCAL) }
        server.serve(LOCAL, sandbox = SILENT).use { taken -> assertThrows<DeniedException> { server.serve(taken.address) } }
        assertThrows<IllegalArgumentException> { server.serve(LOCAL, instances = 0) }
        assertThrows<IllegalArgumentException> { server.serve(LOCAL, queue = -1) }
    }

    private companion object {
        const val LOCAL = "127.0.0.1:0"
    }
}
