package dev.undergo

import com.fasterxml.jackson.databind.JsonNode
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertSame
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.DynamicTest.dynamicTest
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestFactory
import org.junit.jupiter.api.assertThrows
import java.nio.file.Files
import java.nio.file.Path
import kotlin.io.path.readLines
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds

/** The hostile guest of conformance/hostile; conformance/README.md says how the list is run. */
class HostileTest {
    private val folder: Path = ROOT.resolve("conformance/hostile")
    private val cases: List<JsonNode> = json(folder.resolve("misdeeds.json"))["cases"].toList()

    /** Function, file and line that the trace of a misdeed must name first. */
    private val marks: Map<String, Triple<String, String, Int>> = buildMap {
        val mark = Regex(" // at: (\\S+)(?: in (\\S+))?$")
        val files = Files.list(folder).use { paths -> paths.filter { it.toString().endsWith(".go") }.toList() }
        for (file in files) {
            file.readLines().forEachIndexed { number, line ->
                mark.find(line)?.let { found ->
                    val (misdeed, function) = found.destructured
                    put(misdeed, Triple(function.ifEmpty { "main." + camelCase(misdeed) }, file.fileName.toString(), number + 1))
                }
            }
        }
    }

    private fun imports(): Imports = Imports()
        .function("host", "do") { "nothing done" }
        .function("host", "echo") { (s) -> s }
        .function("host", "fail") { throw Refused("refused by the host") }

    private fun limits(case: JsonNode) = Limits(memory = 64.MiB, timeout = patience(case))

    private fun patience(case: JsonNode): Duration = if (case["kind"].textValue() == "timeout") 300.milliseconds else ENOUGH

    private fun start(limits: Limits = Limits(64.MiB, ENOUGH), env: Map<String, String> = emptyMap(), imports: Imports = imports()) =
        hostile.instantiate(imports, SILENT.copy(env = env), limits)

    private val bystander by lazy { start() }

    private fun check(case: JsonNode, error: Throwable?) {
        if (case["misdeed"].textValue() == "host-fail") {
            // What the host function has thrown.
            assertEquals("refused by the host", (error as Refused).message)
            return
        }
        if (error !is UndergoException) throw error ?: AssertionError("it returned")
        assertEquals(case["kind"].textValue(), error.kind, error.message)
        assertEquals(case["exit_code"]?.intValue(), error.exitCode)
        for (part in case["contains"] ?: emptyList()) assertTrue(part.textValue() in error.sentence) { "$part is not in ${error.sentence}" }
        val mark = marks[case["misdeed"].textValue()]
        if (mark != null && error.kind in listOf("panic", "out-of-memory")) {
            val origin = error.origin!!
            assertEquals(mark, Triple(origin.function, Path.of(origin.file).fileName.toString(), origin.line.toInt()))
            // The Go code is on the stack trace.
            assertTrue(error.stackTrace.any { it.fileName == origin.file && it.lineNumber == origin.line.toInt() })
        }
    }

    private fun tests(run: (JsonNode) -> Unit): List<DynamicTest> =
        cases.map { case -> dynamicTest("${case["misdeed"].textValue()}(${case["n"]?.longValue() ?: 0})") { run(case) } }

    private fun othersWork() {
        assertEquals(338350L, bystander.call("work", 100))
        start().use { assertEquals(338350L, it.call("work", 100)) }
    }

    @TestFactory
    fun `a misdeed in a call`(): List<DynamicTest> = tests { case ->
        start(limits(case)).use { instance ->
            val outcome = runCatching { instance.call("do", case["misdeed"].textValue(), case["n"]?.longValue() ?: 0) }
            if (case["kind"].textValue() == "done") {
                assertEquals("done", outcome.getOrThrow())
                assertEquals(338350L, instance.call("work", 100))
            } else {
                check(case, outcome.exceptionOrNull())
                assertFalse(instance.isAlive)
                val dead = assertThrows<DeadInstanceException> { instance.call("ready") }
                assertTrue("its end was ${case["kind"].textValue()}" in dead.message!!) { dead.message!! }
            }
        }
        othersWork()
    }

    @TestFactory
    fun `a misdeed in a call that suspends`(): List<DynamicTest> = tests { case ->
        runBlocking {
            hostile.instantiateAsync(imports(), SILENT, limits(case)).use { instance ->
                val outcome = runCatching { instance.call("do", case["misdeed"].textValue(), case["n"]?.longValue() ?: 0) }
                if (case["kind"].textValue() == "done") {
                    assertEquals("done", outcome.getOrThrow())
                    assertEquals(338350L, instance.call("work", 100))
                } else {
                    check(case, outcome.exceptionOrNull())
                    assertFalse(instance.isAlive)
                    assertThrows<DeadInstanceException> { runBlocking { instance.call("ready") } }
                }
            }
        }
        othersWork()
    }

    @TestFactory
    fun `a misdeed in init`(): List<DynamicTest> = tests { case ->
        val env = mapOf("MISDEED" to case["misdeed"].textValue(), "MISDEED_N" to (case["n"]?.asText() ?: "0"))
        val outcome = runCatching { start(limits(case), env) }
        if (case["kind"].textValue() == "done") {
            outcome.getOrThrow().use { assertEquals(338350L, it.call("work", 100)) }
        } else {
            check(case, outcome.exceptionOrNull())
        }
        othersWork()
    }

    @Test
    fun `a host function cannot swallow the end of its guest`() {
        for ((what, kind) in listOf("panic-string" to "panic", "exit" to "exit", "recursion" to "trap")) {
            var own: Instance? = null
            val swallowing = imports().function("host", "do") { (misdeed, n) ->
                runCatching { own!!.call("do", misdeed, n) }.getOrDefault("as if nothing had happened")
            }
            own = start(imports = swallowing)
            assertEquals(kind, assertThrows<UndergoException> { own.call("through", what, 0) }.kind)
            own.close()
        }
    }

    @Test
    fun `threads with small and with large stacks survive a recursion`() {
        for (size in listOf(0L, 256L shl 10, 16L shl 20)) {
            var outcome: Result<Unit>? = null
            val work = Runnable {
                outcome = runCatching {
                    start().use { assertEquals("done", it.call("do", "finite-recursion", 5000)) }
                    start().use { instance -> assertThrows<TrapException> { instance.call("do", "recursion", 0) } }
                    Unit
                }
            }
            Thread(null, work, "small", size).apply { start() }.join()
            outcome!!.getOrThrow()
        }
    }

    @Test
    fun `the same error object comes back through threads`() {
        val mine = Refused("mine")
        start(imports = imports().function("host", "fail") { throw mine }).use { instance ->
            assertSame(mine, assertThrows<Refused> { instance.call("do", "host-fail", 0) })
        }
    }
}
