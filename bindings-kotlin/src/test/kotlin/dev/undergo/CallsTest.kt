package dev.undergo

import kotlinx.coroutines.CoroutineName
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertSame
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows
import java.math.BigDecimal
import java.math.BigInteger
import java.nio.file.Files
import java.nio.file.Path
import java.time.Duration
import java.time.Instant
import java.util.concurrent.Executors
import java.util.concurrent.TimeUnit
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.nanoseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.measureTime

/** Errors: a class for each kind, and what they carry. */
class ErrorsTest {
    @Test
    fun `an error has what is known of it`() {
        conformance.instantiate(Host().imports(), SILENT).use { instance ->
            val panic = assertThrows<PanicException> { instance.call("panic", "x") }
            assertEquals(listOf("panic", "", null, null), panic.run { listOf(kind, path, exitCode, denied) })
            assertEquals(panic.message, panic.sentence)
            assertEquals(panic.frames.first { !it.isRuntime }, panic.origin)
            assertTrue(panic.origin!!.function.startsWith("main."))
            assertTrue("x" in panic.stderr)
        }
        // All kinds of errors are known where one is told apart.
        fun short(error: UndergoException): String = when (error) {
            is InvalidPluginException, is MissingImportException, is UnknownExportException, is SignatureMismatchException -> "wrong plugin"
            is TypeMismatchException -> "wrong value"
            is GuestException -> "an error"
            is PanicException, is ExitException, is TrapException -> "ended by itself"
            is CallTimeoutException, is CallCancelledException, is OutOfFuelException, is OutOfMemoryException -> "ended"
            is HostException, is DeniedException, is DeadInstanceException, is BusyException -> "the host's"
        }
        assertEquals("wrong plugin", short(assertThrows<InvalidPluginException> { Plugin.compile(ByteArray(0)) }))
    }

    @Test
    fun `loading ends`() {
        fun load(loading: Loading) = Plugin.load(guestFile("UNDERGO_CONFORMANCE_WASM", "conformance.wasm"), Compile.FAST, Cache.Off, loading)
        assertThrows<CallTimeoutException> { load(Loading(timeout = 1.nanoseconds)) }
        val token = CancelToken().apply { cancel() }
        assertThrows<CallCancelledException> { load(Loading(cancel = token)) }
        val apart = Loading(bounds = 2, compiler = Path.of("/nowhere/undergo"))
        assertTrue("can't be started" in assertThrows<InvalidPluginException> { load(apart) }.message!!)
        assertThrows<IllegalArgumentException> { Loading(bounds = 0) }
        assertEquals("conformance", load(Loading(optimize = false)).name.removeSuffix(".wasm"))
    }

    @Test
    fun `what is no plugin says what to do`() {
        assertTrue("WebAssembly" in assertThrows<InvalidPluginException> { Plugin.compile("nothing".toByteArray()) }.message!!)
        assertThrows<InvalidPluginException> { Plugin.load("/nowhere/x.wasm") }
        assertThrows<IllegalArgumentException> { Plugin.loadCompiled(ROOT.resolve("x"), trusted = false) }
        assertThrows<InvalidPluginException> { Plugin.loadCompiled(ROOT.resolve("README.md"), trusted = true) }
    }

    @Test
    fun `all that is missing is named`() {
        val missing = assertThrows<MissingImportException> { conformance.instantiate() }
        assertTrue("echo-string" in missing.message!! && "reenter" in missing.message!!) { missing.message!! }
    }

    @Test
    fun `a file that the sandbox does not have is denied`() {
        val sandbox = SILENT.copy(dirs = mapOf("/data" to Dir(ROOT.resolve("nowhere"))))
        assertThrows<DeniedException> { conformance.instantiate(Host().imports(), sandbox) }
    }
}

/** Plain objects there and back. */
class ValuesTest {
    private fun echo(function: String, value: Any?): Any? =
        conformance.instantiate(Host().imports(), SILENT).use { it.call(function, value) }

    @Test
    fun `numbers keep their values`() {
        assertEquals(Long.MIN_VALUE, echo("echoInt64", Long.MIN_VALUE))
        assertEquals(ULong.MAX_VALUE, echo("echoUint64", ULong.MAX_VALUE))
        assertEquals(listOf(1L, -2L), echo("echoInt32s", intArrayOf(1, -2)))
        assertEquals(listOf(0.5), echo("echoFloat64s", doubleArrayOf(0.5)))
    }

    @Test
    fun `bytes and times`() {
        val bytes = ByteArray(1 shl 20) { it.toByte() }
        assertArrayEquals(bytes, echo("echoBytes", bytes) as ByteArray)
        assertEquals(Duration.ofNanos(5), echo("echoDuration", Duration.ofNanos(5)))
        assertEquals(Duration.ofSeconds(2), echo("echoDuration", 2.seconds))
        val now = Instant.ofEpochSecond(1_700_000_000, 123_456_789)
        assertEquals(now, (echo("echoTime", now) as java.time.OffsetDateTime).toInstant())
    }

    @Test
    fun `what can't cross says where`() {
        val error = assertThrows<TypeMismatchException> { echo("echoStrings", listOf("a", this)) }
        assertEquals("echo-strings(v[1])", error.path)
        assertTrue("expected string, got " in error.message!!)
        assertTrue("292 years" in assertThrows<TypeMismatchException> { echo("echoDuration", Duration.ofDays(200_000)) }.message!!)
    }

    @Test
    fun `code that runs while an argument is read`() {
        conformance.instantiate(Host().imports(), SILENT).use { instance ->
            fun list(at: (Int) -> Any?) = object : AbstractList<Any?>() {
                override val size = 3
                override fun get(index: Int) = at(index)
            }
            fun echo(value: Any?) = instance.call("echoStrings", value)
            // What it throws is the caller's.
            val mine = IllegalStateException("mine")
            assertSame(mine, assertThrows<IllegalStateException> { echo(list { throw mine }) })
            val fatal = OutOfMemoryError("not really")
            assertSame(fatal, assertThrows<OutOfMemoryError> { echo(listOf("a", list { throw fatal })) })
            // A list that grows, one that is emptied, and one that says another size: what is read
            // is what its iterator gave.
            val grows = mutableListOf<Any?>("a")
            grows.add(list { if (it == 0) grows.add("c"); "b" })
            assertThrows<ConcurrentModificationException> { echo(grows) }
            val cleared = mutableListOf<Any?>("a")
            cleared.add(object : Iterable<Any?> {
                override fun iterator() = emptyList<Any?>().iterator().also { cleared.clear() }
            })
            assertThrows<RuntimeException> { echo(cleared) }
            val lies = object : AbstractCollection<Any?>() {
                override val size = 1 shl 20
                override fun iterator() = listOf("a", "b").iterator()
            }
            assertEquals(listOf("a", "b"), echo(lies))
            val map = object : AbstractMap<String, Any?>() {
                override val entries: Set<Map.Entry<String, Any?>> get() = throw mine
            }
            assertSame(mine, assertThrows<IllegalStateException> { instance.call("echoCounts", map) })
            // Calls, and a new beginning, in the middle.
            assertEquals(listOf("a", "a", "a"), echo(list { instance.call("echoString", "a") }))
            assertEquals(1, instance.call("counter").let { (it as Long).toInt() })
            assertEquals(listOf("x", "x", "x"), echo(list { instance.reset(); "x" }))
            assertEquals(1, instance.call("counter").let { (it as Long).toInt() })
            // One that ends its own instance.
            assertThrows<DeadInstanceException> { echo(list { instance.close(); "x" }) }
        }
    }

    @Test
    fun `what contains itself is told where`() {
        val list = mutableListOf<Any?>()
        list.add(list)
        val map = mutableMapOf<String, Any?>()
        map["me"] = mapOf("and" to map)
        for ((function, value) in listOf("echoAny" to list, "echoAny" to map, "echoStrings" to list, "echoAny" to arrayOf(list))) {
            val error = assertThrows<TypeMismatchException> { echo(function, value) }
            assertTrue("contains itself" in error.message!! || "expected string" in error.message!!, error.message)
        }
    }

    @Test
    fun `of equal keys the last counts`() {
        assertEquals(mapOf(7L to "last"), echo("echoLabels", linkedMapOf<Any, String>(7 to "first", 7L to "second", 7u to "last")))
        assertEquals(mapOf("a" to 2L), echo("echoCounts", linkedMapOf<Any, Int>("a" to 1, StringBuilder("a") to 2)))
    }

    @Test
    fun `JSON is plain objects`() {
        val value = mapOf("a" to listOf(null, true, 7L, 0.25, "ü"), "b" to emptyMap<String, Any>())
        assertEquals(value, echo("echoAny", value))
        assertTrue("number of JSON" in assertThrows<TypeMismatchException> { echo("echoAny", Double.NaN) }.message!!)
    }

    @Test
    fun `numbers in JSON keep all their digits`() {
        val numbers = listOf((1L shl 53) + 1, Long.MIN_VALUE, ULong.MAX_VALUE, BigInteger("123456789012345678901234567890"), 0.1, 5e-324)
        assertEquals(numbers, echo("echoAny", numbers))
        assertEquals(BigDecimal("1e400"), echo("echoRaw", Json("1e400")))
        // No thread should be busy for minutes with the digits that a plugin gives.
        assertEquals(BigInteger("7".repeat(4300)), echo("echoRaw", Json("7".repeat(4300))))
        val long = assertThrows<TypeMismatchException> { echo("echoRaw", Json("7".repeat(100_000))) }
        assertTrue("a number has 100000 digits" in long.message!!, long.message)
    }

    @Test
    fun `what JSON can't hold is named with the way to it`() {
        val wrong = mapOf("a" to listOf(1, Double.NaN))
        val error = assertThrows<TypeMismatchException> { echo("echoAny", wrong) }
        assertTrue("(v.a[1])" in error.message!!, error.message)
        for (broken in listOf("", "{", "[1,]", "NaN")) {
            assertTrue("not JSON" in assertThrows<TypeMismatchException> { echo("echoRaw", Json(broken)) }.message!!)
        }
        // A key is text.
        assertEquals(mapOf("1" to 2L), echo("echoAny", mapOf(1 to 2)))
    }
}

/** Host functions: what they throw, and from where they are called. */
class HostFunctionsTest {
    private fun start(host: Imports) = conformance.instantiate(host, SILENT)

    @Test
    fun `what a host function throws is what the caller gets`() {
        val mine = IllegalStateException("mine")
        start(Host().imports().function("host", "crash") { throw mine }).use { instance ->
            assertSame(mine, assertThrows<IllegalStateException> { instance.call("crash", "x") })
            assertFalse(instance.isAlive)
        }
        val fatal = OutOfMemoryError("not really")
        start(Host().imports().function("host", "check") { throw fatal }).use { instance ->
            // An Error is no Go error: no plugin should handle it.
            assertSame(fatal, assertThrows<OutOfMemoryError> { instance.call("passFailure", "x") })
        }
    }

    @Test
    fun `the same with suspend functions`() = runBlocking {
        val mine = IllegalStateException("mine")
        conformance.instantiateAsync(Host().suspending().suspending("host", "crash") { delay(1); throw mine }, SILENT).use { instance ->
            assertSame(mine, runCatching { instance.call("crash", "x") }.exceptionOrNull())
        }
    }

    @Test
    fun `a Go error has the text of the exception`() {
        start(Host().imports()).use { instance ->
            val error = assertThrows<GuestException> { instance.call("passFailure", "no such thing") }
            assertTrue("no such thing" in error.message!!)
            assertTrue(instance.isAlive)
        }
    }

    @Test
    fun `an asynchronous instance takes functions that block, which may call back`() = runBlocking {
        val host = Host()
        var own: AsyncInstance? = null
        val imports = host.imports().function("host", "reenter") { (depth) ->
            runBlocking { (own!!.call("reenter", (depth as Long) - 1) as Long) + 1 }
        }
        own = conformance.instantiateAsync(imports, SILENT)
        own.use { assertEquals(conformance.instantiate(host.imports(), SILENT).also { host.instance = it }.call("reenter", 5), it.call("reenter", 5)) }
    }

    @Test
    fun `the thread of a call that blocks waits for a suspend function`() {
        val host = Host()
        start(host.suspending().suspending("host", "lookup") { (key) -> delay(1); key }).use { instance ->
            assertEquals("x", instance.call("lookup", "x"))
        }
    }

    @Test
    fun `a suspend function is part of the coroutine that calls`() = runBlocking {
        val imports = Host().suspending().suspending("host", "lookup") { currentCoroutineContext()[CoroutineName]?.name }
        conformance.instantiateAsync(imports, SILENT).use { instance ->
            assertEquals("mine", withContext(CoroutineName("mine")) { instance.call("lookup", "x") })
            // What it throws, and Go handles, does not end the coroutine.
            coroutineScope { assertTrue("x" in instance.call("catchFailure", "x") as String) }
        }
        var cancelled = false
        val waits = Host().suspending().suspending("host", "note") {
            try {
                awaitCancellation()
            } finally {
                cancelled = true
            }
        }
        conformance.instantiateAsync(waits, SILENT).use { instance ->
            val call = launch { instance.call("notes", listOf("x")) }
            delay(100)
            call.cancelAndJoin()
            withTimeout(ENOUGH) { while (instance.isAlive) delay(5) }
            assertTrue(cancelled)
        }
    }

    @Test
    fun `a suspend function calls back from any thread`() = runBlocking {
        lateinit var own: AsyncInstance
        val imports = Host().suspending().suspending("host", "reenter") { (depth) ->
            withContext(Dispatchers.IO) { (own.call("reenter", (depth as Long) - 1) as Long) + 1 }
        }
        own = conformance.instantiateAsync(imports, SILENT)
        own.use { assertEquals(5L, it.call("reenter", 5)) }
    }

    @Test
    fun `nothing is left of many calls`() {
        fun resident() = Files.readAllLines(Path.of("/proc/self/status")).first { it.startsWith("VmRSS") }.filter(Char::isDigit).toLong()
        start(Host().imports()).use { instance ->
            fun round() = repeat(CALLS / 4) {
                instance.call("divmodThroughHost", 7, 2)
                assertTrue("x" in instance.call("catchFailure", "x") as String)
            }
            round()
            System.gc()
            val memory = resident()
            round()
            System.gc()
            assertTrue(resident() < memory + 128_000) { "from $memory to ${resident()} KiB" }
        }
    }

    private companion object {
        /** By a build that is not optimised, a call takes a good part of a millisecond. */
        val CALLS = (System.getenv("UNDERGO_LEAK_CALLS") ?: "20000").toInt()
    }
}

/** Deadlines and cancelling. */
class LimitsTest {
    private fun start(limits: Limits = Limits()) = conformance.instantiate(Host().imports(), SILENT, limits)

    @Test
    fun `a deadline ends a call and its instance`() {
        start(Limits(timeout = 200.milliseconds)).use { instance ->
            val took = measureTime { assertThrows<CallTimeoutException> { instance.call("spin") } }
            assertTrue(took in 150.milliseconds..10.seconds) { "$took" }
            assertFalse(instance.isAlive)
            instance.reset()
            assertEquals(1L, instance.call("started"))
            assertThrows<CallTimeoutException> { instance.using(timeout = 50.milliseconds).call("sleep", 60_000) }
        }
    }

    @Test
    fun `a token ends calls from another thread`() {
        val token = CancelToken()
        start().use { instance ->
            val timer = Executors.newSingleThreadScheduledExecutor()
            timer.schedule(token::cancel, 100, TimeUnit.MILLISECONDS)
            assertThrows<CallCancelledException> { instance.using(cancel = token).call("spin") }
            timer.shutdown()
            assertTrue(token.isCancelled)
        }
    }

    @Test
    fun `a cancelled coroutine ends its call`() = runBlocking {
        conformance.instantiateAsync(Host().suspending(), SILENT).use { instance ->
            val call = launch { instance.call("spin") }
            delay(100)
            call.cancel()
            call.join()
            withTimeout(ENOUGH) { while (instance.isAlive) delay(5) }
            assertThrows<DeadInstanceException> { runBlocking { instance.call("started") } }
            instance.reset()
            assertEquals(1L, instance.call("started"))
        }
    }

    @Test
    fun `memory and fuel`() {
        assertThrows<OutOfMemoryException> { start(Limits(memory = 1.MiB)) }
        val fuel = assertThrows<OutOfFuelException> { start(Limits(fuel = 30_000_000)).use { it.call("spin") } }
        assertTrue("30000000" in fuel.message!!)
        start(Limits(fuel = 100_000_000)).use { assertTrue(it.usage.fuel!! > 0 && it.usage.memory > 0 && it.usage.time.isPositive()) }
    }

    @Test
    fun `limits that can't be are refused`() {
        assertEquals(listOf(65_536L, 64L shl 20, 1_500_000_000L, 64L shl 20), listOf("65536", "64 MiB", "1.5 GB", "64M").map { it.bytes })
        assertTrue(assertThrows<IllegalArgumentException> { "lots".bytes }.message!!.startsWith("the size is 'lots'; write a number of bytes"))
        for (wrong in listOf<() -> Any>({ Limits(stack = 1) }, { Limits(fuel = 0) }, { Limits(memory = -1) }, { Limits(timeout = (-1).seconds) })) {
            assertThrows<IllegalArgumentException> { wrong() }
        }
    }
}

/** Pools, from threads and coroutines. */
class PoolTest {
    @Test
    fun `many threads`() {
        conformance.pool(3, Host().imports(), SILENT, warm = 2).use { pool ->
            assertEquals(2L, pool.stats.made)
            val threads = Executors.newFixedThreadPool(16)
            val results = (1..400).map { n -> threads.submit<Any?> { pool.call("divmodThroughHost", n, 7) } }.map { it.get(60, TimeUnit.SECONDS) }
            threads.shutdown()
            assertEquals((1L..400L).map { listOf(it / 7, it % 7) }, results)
            assertTrue(pool.stats.calls >= 400 && pool.stats.made <= 3 && pool.size == 3)
            assertThrows<PanicException> { pool.call("panic", "x") }
            assertEquals("still", pool.call("echoString", "still"))
            assertEquals(1L, pool.stats.died)
        }
    }

    @Test
    fun `a pool that is closed says so`() {
        val pool = conformance.pool(1, Host().imports(), SILENT)
        pool.close()
        assertTrue(pool.isClosed)
        assertThrows<DeadInstanceException> { pool.call("started") }
        assertThrows<IllegalArgumentException> { conformance.pool(0, Host().imports()) }
        assertThrows<IllegalArgumentException> { conformance.pool(1, Host().imports(), maxCalls = 0) }
    }

    @Test
    fun `a host function of a full pool is told that it is busy`() {
        var own: Pool? = null
        val imports = Host().imports().function("host", "check") { own!!.call("started") }
        own = conformance.pool(1, imports, SILENT)
        own.use { pool ->
            val error = assertThrows<GuestException> { pool.call("passFailure", "x") }
            assertTrue("busy" in error.message!!) { error.message!! }
        }
    }

    @Test
    fun `many coroutines`() = runBlocking {
        conformance.asyncPool(3, Host().suspending(), SILENT, maxCalls = 50).use { pool ->
            pool.warmUp(2)
            val results = (1..200).map { n -> async { pool.call("divmodThroughHost", n, 7) } }.awaitAll()
            assertEquals((1L..200L).map { listOf(it / 7, it % 7) }, results)
            // Two at the least, of which one may still be on its way back.
            assertTrue(pool.stats.retired >= 1)
            assertThrows<CallTimeoutException> { runBlocking { pool.using(timeout = 50.milliseconds).call("spin") } }
            pool.shutDown(ENOUGH)
            assertTrue(pool.isClosed)
        }
    }
}

/** An instance's life, streams and memory. */
class InstanceTest {
    private fun start(sandbox: Sandbox = SILENT) = conformance.instantiate(Host().imports(), sandbox)

    @Test
    fun `output goes where it should`() {
        start(Sandbox(stdout = Output.Capture(), stderr = Output.Capture(4))).use { instance ->
            instance.call("print", "out\n", "error\n")
            assertEquals("out\n", String(instance.takeStdout()))
            assertEquals("erro", String(instance.takeStderr()))
            assertEquals("", String(instance.takeStdout()))
        }
        val lines = mutableListOf<String>()
        start(Sandbox(stdout = Output.Lines { lines.add(it) }, stderr = Output.Discard)).use { it.call("print", "a\nb\nc", "") }
        assertEquals(listOf("a", "b", "c"), lines)
        val mine = IllegalStateException("no more")
        start(Sandbox(stdout = Output.Lines { throw mine })).use { instance ->
            assertSame(mine, assertThrows<IllegalStateException> { instance.call("print", "x\n", "") })
        }
    }

    @Test
    fun `lines of an asynchronous instance`() = runBlocking {
        val lines = mutableListOf<String>()
        val sandbox = Sandbox(stdout = Output.Lines { lines.add(it) }, stderr = Output.Discard)
        conformance.instantiateAsync(Host().suspending(), sandbox).use { it.call("print", "a\nb", "") }
        assertEquals(listOf("a", "b"), lines)
    }

    @Test
    fun `arguments, environment and files`() {
        val sandbox = SILENT.copy(args = listOf("-v"), env = mapOf("MODE" to "prod"), dirs = mapOf("/data" to Dir(ROOT, readonly = true)))
        start(sandbox).use { instance ->
            assertEquals(listOf("-v"), instance.call("args"))
            assertEquals("prod", instance.call("env", "MODE"))
            assertTrue("Undergo" in String(instance.call("readFile", "/data/README.md") as ByteArray))
        }
    }

    @Test
    fun `memory is checked`() {
        start().use { instance ->
            val memory = instance.memory
            val before = memory.read(memory.size - 4, 4)
            memory.write(memory.size - 4, byteArrayOf(1, 2, 3, 4))
            assertArrayEquals(byteArrayOf(1, 2, 3, 4), memory.read(memory.size - 4, 4))
            memory.write(memory.size - 4, before)
            assertThrows<TypeMismatchException> { memory.read(memory.size, 1) }
            assertThrows<TypeMismatchException> { memory.write(-1, before) }
        }
    }

    @Test
    fun `begin anew, and background goroutines`() {
        start().use { instance ->
            instance.call("counter")
            assertEquals(2L, instance.call("counter"))
            instance.reset()
            assertEquals(1L, instance.call("counter"))
            instance.poll()
        }
    }

    @Test
    fun `what is closed can't be called`() {
        val instance = start()
        instance.close()
        instance.close()
        assertThrows<DeadInstanceException> { instance.call("started") }
    }

    @Test
    fun `a plugin tells of itself`() {
        assertEquals("conformance.wasm", conformance.name)
        assertEquals("reactor", conformance.kind)
        assertTrue(conformance.tier in listOf("fast", "best"))
        assertTrue("export" in conformance.wit!! && conformance.goVersion != null)
        val divmod = conformance.exports.getValue("divmod")
        assertEquals(listOf("s64", "s64"), divmod.params.values.toList())
        assertEquals("divmod(a: s64, b: s64) -> tuple<s64, s64>", divmod.signature)
        assertTrue("echo-string" in conformance.imports.getValue("host"))
        assertNull(conformance.exports.getValue("nothing").result)
    }
}

/** Variants and errors with fields, without typed code. */
class CasesTest {
    private fun host(lookup: (String) -> Any?): Imports = Host().imports().function("host", "lookup") { (key) -> lookup(key as String) }

    @Test
    fun `a case there and back`() {
        conformance.instantiate(Host().imports(), SILENT).use { instance ->
            val shapes = listOf(Case("circle", mapOf("radius" to 1.5)), Case("label", "x"), Case("empty"))
            assertEquals(shapes, instance.call("echoShapes", shapes))
            assertEquals(null, instance.call("echoMaybeShape", null))
            for ((given, text) in listOf(
                Case("square") to "\"square\" is not a case of shape",
                Case("circle") to "expected circle, got null",
                Case("empty", 1) to "the case empty of shape has no value",
                "empty" to "expected shape, got java.lang.String",
                null to "expected shape, got null",
            )) {
                val error = assertThrows<TypeMismatchException> { instance.call("echoShape", given) }
                assertTrue(text in error.message!!) { error.message!! }
            }
            val wide = Case("circle", mapOf("radius" to "wide"))
            assertEquals("echo-shape(s.circle.radius)", assertThrows<TypeMismatchException> { instance.call("echoShape", wide) }.path)
            assertTrue(instance.isAlive)
        }
    }

    @Test
    fun `an error has a name and fields`() {
        conformance.instantiate(Host().imports(), SILENT).use { instance ->
            val error = assertThrows<GuestException> { instance.call("failWith", "wrapped") }
            val cause = error.cause as GuestException
            assertEquals(listOf(null, "not-found"), listOf(error.errorName, cause.errorName))
            assertEquals(mapOf("key" to "x", "code" to 4L), cause.errorFields)
            assertEquals(mapOf("key" to "x", "code" to 4L), instance.call("echoNotFound", cause.errorFields))
        }
    }

    @Test
    fun `Go gets what a host function throws`() {
        conformance.instantiate(host { throw IllegalStateException("up", notFound(it)) }, SILENT).use { instance ->
            assertEquals(listOf("up", "k 404", "not found: k", "is", "not found: k"), instance.call("looked", "k"))
        }
        // An error that the plugin does not have is a text.
        conformance.instantiate(host { throw GuestException("not-here", mapOf("id" to 1), "theirs") }, SILENT).use { instance ->
            assertEquals(listOf("theirs"), instance.call("looked", "k"))
        }
    }

    @Test
    fun `causes may be long, or a circle`() {
        class Circle(message: String) : Exception(message) {
            override var cause: Throwable? = null
        }
        val one = Circle("one")
        one.cause = Circle("two").also { it.cause = one }
        fun texts(thrown: Throwable): List<String?> = conformance.instantiate(host { throw thrown }, SILENT).use { instance ->
            generateSequence<Throwable>(assertThrows<GuestException> { instance.call("lookup", "k") }) { it.cause }.map { it.message }.toList()
        }
        assertEquals(listOf("one", "two"), texts(one))
        val deep = (1..200).fold(Exception("0")) { cause, depth -> Exception("$depth", cause) }
        assertEquals((0 until 64).map { "${200 - it}" }, texts(deep))
    }

    @Test
    fun `a field that does not fit`() {
        val wrong = GuestException("not-found", mapOf("key" to 5, "code" to 1))
        assertEquals("not found", wrong.message)
        conformance.instantiate(host { throw wrong }, SILENT).use { instance ->
            val error = assertThrows<TypeMismatchException> { instance.call("lookup", "k") }
            assertTrue("host.lookup(not-found.key)" in error.message!!) { error.message!! }
        }
    }
}
