package dev.undergo

import com.fasterxml.jackson.databind.JsonNode
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertSame
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.DynamicTest.dynamicTest
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestFactory
import org.junit.jupiter.api.assertThrows
import org.junit.jupiter.api.io.TempDir
import java.nio.file.Path
import java.time.Instant
import kotlin.concurrent.thread
import kotlin.io.path.writeText
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds

/**
 * Commands: programs that begin, end, and answer with their exit code. Each in both ways to run
 * one.
 */
class CommandTest {
    private fun interface Way {
        fun run(args: List<String>?, env: Map<String, String>?, stdin: Input?, sandbox: Sandbox, limits: Limits, timeout: Duration?, cancel: CancelToken?): Completed
    }

    private val ways = mapOf(
        "run" to Way { args, env, stdin, sandbox, limits, timeout, cancel ->
            command.run(args, env, stdin, sandbox = sandbox, limits = limits, timeout = timeout, cancel = cancel)
        },
        "runAsync" to Way { args, env, stdin, sandbox, limits, timeout, cancel ->
            runBlocking { command.runAsync(args, env, stdin, sandbox = sandbox, limits = limits, timeout = timeout, cancel = cancel) }
        },
    )

    private fun Way.run(
        vararg args: String,
        sandbox: Sandbox = Sandbox(),
        limits: Limits = Limits(),
        timeout: Duration? = null,
        cancel: CancelToken? = null,
        stdin: Input? = null,
    ) = run(args.toList(), null, stdin, sandbox, limits, timeout, cancel)

    @TestFactory
    fun runs(): List<DynamicTest> = ways.flatMap { (name, way) ->
        json(ROOT.resolve("conformance/command/runs.json"))["runs"].map { row ->
            dynamicTest("$name: ${row["name"].textValue()}") {
                val env = row["env"]?.properties()?.associate { (variable, value) -> variable to value.textValue() }
                val stdin = row["stdin"]?.let { Input.Content(it.textValue().toByteArray()) }
                val done = way.run(row["args"]?.map(JsonNode::textValue), env, stdin, Sandbox(), Limits(), null, null)
                assertEquals(row["code"]?.intValue() ?: 0, done.code)
                if (row.has("length")) assertEquals(row["length"].intValue(), done.stdout.size)
                else assertEquals(row["stdout"]?.textValue() ?: "", String(done.stdout))
                val stderr = String(done.stderr)
                if (row.has("stderr")) assertTrue(row["stderr"].textValue() in stderr, stderr) else assertEquals("", stderr)
                assertEquals(row["truncated"]?.booleanValue() ?: false, done.truncated)
                assertTrue(done.usage.time.isPositive() && done.usage.memory >= 65536)
                assertNull(done.usage.fuel)
            }
        }
    }

    @Test
    fun `the sandbox says where output goes`() {
        for (way in ways.values) {
            val lines = mutableListOf<String>()
            val sandbox = Sandbox(args = listOf("exit", "1"), stdout = Output.Lines(lines::add), stderr = Output.Capture(2))
            val done = way.run(null, null, null, sandbox, Limits(), null, null)
            assertEquals(listOf(1, 0, "er", true, listOf("out")), listOf(done.code, done.stdout.size, String(done.stderr), done.truncated, lines))
            // What is given for the run is in place of the sandbox's own, and leaves that as it is.
            assertEquals(2, way.run("exit", "2", sandbox = sandbox).code)
            assertEquals(listOf("exit", "1"), sandbox.args)
        }
    }

    @Test
    fun `it reaches what the sandbox has`(@TempDir folder: Path) {
        folder.resolve("in.txt").writeText("content")
        for (way in ways.values) {
            val sandbox = Sandbox(dirs = mapOf("/data" to Dir(folder, readonly = true)))
            assertEquals("content", String(way.run("read", "/data/in.txt", sandbox = sandbox).stdout))
            assertEquals("/tmp", String(way.run("temp", sandbox = Sandbox(temp = true)).stdout))
            assertEquals(1, way.run("temp").code)
            assertTrue("stdin \"content\"" in String(way.run("show", stdin = Input.File(folder.resolve("in.txt"))).stdout))
        }
    }

    @Test
    fun `a run can be repeated`() {
        for (way in ways.values) {
            fun chance(start: String, seed: ULong) =
                String(way.run("chance", sandbox = Sandbox(clock = Instant.parse(start), seed = seed)).stdout)
            val first = chance("2026-02-03T04:05:06.5Z", 7u)
            assertTrue(first.startsWith("now 2026-02-03T04:05:06.5000"), first)
            assertEquals(first, chance("2026-02-03T04:05:06.5Z", 7u))
            val other = chance("2026-02-03T04:05:06.5Z", ULong.MAX_VALUE)
            assertEquals(listOf(true, true, false, false, false, false), first.lines().zip(other.lines()).dropLast(1).map { (a, b) -> a == b })
        }
        assertThrows<IllegalArgumentException> { Sandbox(clock = Instant.EPOCH.minusNanos(1)) }
    }

    @Test
    fun `what has no end is ended`() {
        for (way in ways.values) for (what in listOf("spin", "sleep")) {
            assertThrows<CallTimeoutException> { way.run(what, timeout = 50.milliseconds) }
            assertThrows<CallTimeoutException> { way.run(what, limits = Limits(timeout = 50.milliseconds)) }
            val token = CancelToken()
            val other = thread { token.cancel() }
            assertThrows<CallCancelledException> { way.run(what, cancel = token) }
            other.join()
        }
    }

    @Test
    fun `a coroutine that is cancelled ends its command, and others go on`() = runBlocking {
        val running = async { command.runAsync(listOf("spin")) }
        delay(1.milliseconds)
        assertEquals(listOf(0, 1, 2, 3), (0..3).map { async { command.runAsync(listOf("exit", "$it")).code } }.awaitAll())
        assertFalse(running.isCompleted)
        running.cancelAndJoin()
        assertThrows<CancellationException> { runBlocking { running.await() } }
        Unit
    }

    @Test
    fun `what a function for output throws reaches the caller`() {
        val refused = Refused("no log")
        for (way in ways.values) {
            val sandbox = Sandbox(stdout = Output.Lines { throw refused })
            assertSame(refused, assertThrows<Refused> { way.run("exit", "0", sandbox = sandbox) })
        }
    }

    @Test
    fun `what is no run`() {
        assertThrows<InvalidPluginException> { conformance.run() }
        assertThrows<InvalidPluginException> { runBlocking { conformance.runAsync() } }
        assertThrows<InvalidPluginException> { command.instantiate() }
        assertEquals(5, command.run(listOf("exit", "5")).code)
    }
}
