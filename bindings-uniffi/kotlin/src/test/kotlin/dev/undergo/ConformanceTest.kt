package dev.undergo

import com.fasterxml.jackson.databind.JsonNode
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertInstanceOf
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Assumptions.assumeTrue
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.DynamicTest.dynamicTest
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestFactory
import java.math.BigInteger
import java.nio.file.Files
import java.time.Duration
import java.time.Instant
import java.time.OffsetDateTime
import java.time.ZoneOffset
import kotlin.time.Duration.Companion.milliseconds

private val CAPABILITIES = setOf("dynamic", "strict-records", "nanoseconds", "surrogates")

/** The conformance list, run from Kotlin, in both ways to call; see conformance/README.md. */
class ConformanceTest {
    @TestFactory
    fun blocking(): List<DynamicTest> = tests { BlockingRunner() }

    @TestFactory
    fun suspending(): List<DynamicTest> = tests { SuspendingRunner() }

    @Test
    fun `each export has a case`() {
        val called = files().flatMap { (_, file) -> file["cases"].flatMap { steps(it) } }.mapNotNull { it["call"]?.textValue() }.toSet()
        assertEquals(emptySet<String>(), conformance.exports.keys - called)
    }

    private fun files(): List<Pair<String, JsonNode>> =
        Files.list(ROOT.resolve("conformance/cases")).use { paths ->
            paths.sorted().map { it.fileName.toString().removeSuffix(".json") to json(it) }.toList()
        }

    private fun tests(runner: () -> Runner): List<DynamicTest> = files().flatMap { (name, file) ->
        val shared = runner()
        file["cases"].map { case ->
            dynamicTest("$name: ${case["name"].textValue()}") {
                // In a list, since a node is an iterable, whose parts `+` would add.
                val needs = (steps(case) + listOf(case, file)).flatMap { it["needs"]?.map(JsonNode::textValue) ?: emptyList() }
                assumeTrue(CAPABILITIES.containsAll(needs)) { "this host lacks ${needs - CAPABILITIES}" }
                shared.run(case)
            }
        }
    }
}

private fun steps(case: JsonNode): List<JsonNode> = case["steps"]?.toList() ?: listOf(case)

/** Holds the instance that the cases of a file share. */
private abstract class Runner {
    private var special = false

    protected abstract val isAlive: Boolean?

    protected abstract fun start(sandbox: Sandbox, limits: Limits)

    protected abstract fun call(name: String, args: List<Any?>): Any?

    fun run(case: JsonNode) {
        val own = listOf("limits", "env").any(case::has) || (case.has("steps") && case.has("args"))
        if (isAlive != true || case["fresh"]?.booleanValue() == true || own || special) {
            val args = if (case.has("steps")) case["args"]?.map(JsonNode::textValue) ?: emptyList() else emptyList()
            val env = case["env"]?.properties()?.associate { (name, value) -> name to value.textValue() } ?: emptyMap()
            val limits = case["limits"]
            start(
                SILENT.copy(args = args, env = env),
                Limits(memory = limits?.get("memory_mib")?.intValue()?.MiB, timeout = limits?.get("timeout_ms")?.intValue()?.milliseconds),
            )
        }
        special = own
        for (step in steps(case)) step(step)
    }

    private fun step(step: JsonNode) {
        val name = step["call"].textValue()
        val types = conformance.exports[name]?.params?.values?.toList() ?: emptyList()
        val outcome = runCatching {
            call(name, step["args"]?.mapIndexed { i, value -> argument(value, types.getOrElse(i) { "" }) } ?: emptyList())
        }
        val error = step["error"]
        if (error == null) {
            check(outcome.getOrThrow(), step["result"])
        } else {
            checkError(outcome.exceptionOrNull() ?: throw AssertionError("it returned ${outcome.getOrNull()}"), error)
        }
        step["alive"]?.let { assertEquals(it.booleanValue(), isAlive) }
    }

    private fun checkError(error: Throwable, expected: JsonNode) {
        val kind = expected["kind"].textValue()
        if (kind == "host-error") {
            // What a host function has thrown is what the caller gets.
            assertInstanceOf(Refused::class.java, error)
        } else {
            if (error !is UndergoException) throw error
            assertEquals(kind, error.kind, error.message)
            expected["path"]?.let { assertTrue(it.textValue() in "${error.path} ${error.message}") { "$it is not in ${error.path}: ${error.message}" } }
        }
        expected["contains"]?.let { assertTrue(it.textValue() in error.message!!) { "$it is not in ${error.message}" } }
        expected["chain"]?.let { checkChain(error, it) }
    }

    private fun checkChain(error: Throwable, expected: JsonNode) {
        val chain = generateSequence(error) { it.cause }.toList()
        assertEquals(expected.map { it["text"].textValue() }, chain.map { it.message })
        chain.zip(expected).forEach { (link, wanted) ->
            val guest = assertInstanceOf(GuestException::class.java, link)
            assertEquals(wanted["name"]?.textValue(), guest.errorName)
            wanted["fields"]?.let { check(toPlain(guest.errorFields!!), it) }
        }
    }
}

private class BlockingRunner : Runner() {
    private var instance: Instance? = null

    override val isAlive get() = instance?.isAlive

    override fun start(sandbox: Sandbox, limits: Limits) {
        instance?.close()
        val host = Host()
        instance = conformance.instantiate(host.imports(), sandbox, limits).also { host.instance = it }
    }

    override fun call(name: String, args: List<Any?>): Any? = instance!!.call(name, *args.toTypedArray())
}

private class SuspendingRunner : Runner() {
    private var instance: AsyncInstance? = null

    override val isAlive get() = instance?.isAlive

    override fun start(sandbox: Sandbox, limits: Limits) = runBlocking {
        instance?.close()
        val host = Host()
        instance = conformance.instantiateAsync(host.suspending(), sandbox, limits).also { host.asyncInstance = it }
    }

    override fun call(name: String, args: List<Any?>): Any? = runBlocking { instance!!.call(name, *args.toTypedArray()) }
}

/**
 * The plain object of a JSON value. The WIT type tells a long list of strings from a long string.
 */
private fun argument(value: JsonNode, type: String = ""): Any? = when {
    value.isNull -> null
    value.isBoolean -> value.booleanValue()
    value.isTextual -> value.textValue()
    value.isIntegralNumber -> value.longValue()
    value.isNumber -> value.doubleValue()
    value.isArray -> value.map { argument(it) }
    value.size() == 1 && value.fieldNames().next().startsWith("$") -> value.properties().first().let { (key, inner) -> special(key, inner, type) }
    else -> value.properties().associate { (name, inner) -> name to argument(inner) }
}

private fun special(key: String, inner: JsonNode, type: String): Any? = when (key) {
    "\$int" -> BigInteger(inner.textValue())
    "\$float" -> when (inner.textValue()) {
        "nan" -> Double.NaN
        "inf" -> Double.POSITIVE_INFINITY
        "-inf" -> Double.NEGATIVE_INFINITY
        else -> inner.textValue().toDouble()
    }
    "\$bytes" -> inner.textValue().chunked(2).map { it.toInt(16).toByte() }.toByteArray()
    "\$map" -> inner.associate { argument(it[0]) to argument(it[1]) }
    "\$duration" -> Duration.ofNanos(inner.textValue().toLong())
    "\$time" -> time(inner)
    "\$json" -> plain(inner)
    "\$case" -> Case(inner[0].textValue(), if (inner.size() > 1) argument(inner[1]) else Unit)
    "\$surrogate" -> inner.textValue().toInt(16).toChar().toString()
    "\$repeat" -> {
        val one = argument(inner["value"])
        val count = inner["count"].intValue()
        when {
            one is String && !type.startsWith("list") -> one.repeat(count)
            one is ByteArray && type != "list<list<u8>>" -> ByteArray(one.size * count) { one[it % one.size] }
            else -> List(count) { one }
        }
    }
    else -> error("$key is no value of the list")
}

private fun time(parts: JsonNode): OffsetDateTime =
    Instant.ofEpochSecond(parts["seconds"].longValue(), parts["nanoseconds"].longValue()).atOffset(ZoneOffset.ofTotalSeconds(parts["offset"].intValue()))

private fun plain(value: JsonNode): Any? = when {
    value.isObject -> value.properties().associate { (name, inner) -> name to plain(inner) }
    value.isArray -> value.map(::plain)
    value.isBigInteger -> value.bigIntegerValue()
    else -> argument(value)
}

/** Compares a result with the JSON value that stands for it. */
private fun check(actual: Any?, expected: JsonNode?) {
    val key = if (expected != null && expected.isObject && expected.size() == 1) expected.fieldNames().next() else ""
    when {
        expected == null || expected.isNull -> assertEquals(null, actual)
        key == "\$between" -> assertTrue((actual as Long) in expected[key][0].longValue()..expected[key][1].longValue())
        key == "\$json" -> checkJson(actual, expected[key])
        key == "\$map" -> {
            val map = actual as Map<*, *>
            assertEquals(expected[key].size(), map.size)
            val found = map.mapKeys { number(it.key) }
            assertEquals(expected[key].map { number(argument(it[0])) }.toSet(), found.keys)
            for (pair in expected[key]) check(found[number(argument(pair[0]))], pair[1])
        }
        key == "\$case" -> {
            val case = assertInstanceOf(Case::class.java, actual)
            assertEquals(expected[key][0].textValue(), case.name)
            if (expected[key].size() > 1) check(case.value, expected[key][1]) else assertEquals(Unit, case.value)
        }
        key == "\$repeat" && actual is List<*> -> {
            assertEquals(expected[key]["count"].intValue(), actual.size)
            for (one in actual) check(one, expected[key]["value"])
        }
        expected.isArray -> {
            val list = actual as List<*>
            assertEquals(expected.size(), list.size)
            list.zip(expected).forEach { (one, wanted) -> check(one, wanted) }
        }
        expected.isObject && !key.startsWith("$") -> {
            val fields = actual as Map<*, *>
            assertEquals(expected.fieldNames().asSequence().map(::camelCase).toSet(), fields.keys)
            for ((name, wanted) in expected.properties()) check(fields[camelCase(name)], wanted)
        }
        actual is ByteArray -> assertArrayEquals(argument(expected, "list<u8>") as ByteArray, actual)
        // NaN equals NaN here, and 0.0 does not equal -0.0.
        actual is Double -> assertEquals((argument(expected) as Number).toDouble(), actual)
        else -> assertEquals(number(argument(expected)), number(actual))
    }
}

/** Integers of any class as one. */
private fun number(value: Any?): Any? = when (value) {
    is Long -> BigInteger.valueOf(value)
    is ULong -> BigInteger(value.toString())
    else -> value
}

private fun checkJson(actual: Any?, expected: JsonNode) {
    when {
        expected.isObject -> {
            val members = actual as Map<*, *>
            assertEquals(expected.fieldNames().asSequence().toSet(), members.keys)
            for ((name, wanted) in expected.properties()) checkJson(members[name], wanted)
        }
        expected.isArray -> {
            assertEquals(expected.size(), (actual as List<*>).size)
            actual.zip(expected).forEach { (one, wanted) -> checkJson(one, wanted) }
        }
        expected.isNumber -> assertEquals(expected.decimalValue().toDouble(), actual.toString().toDouble())
        else -> assertEquals(argument(expected), actual)
    }
}
