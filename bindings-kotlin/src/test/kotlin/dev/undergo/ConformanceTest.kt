package dev.undergo

import com.fasterxml.jackson.databind.JsonNode
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertInstanceOf
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Assumptions.assumeTrue
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.DynamicTest.dynamicTest
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestFactory
import java.io.IOException
import java.io.InputStream
import java.io.OutputStream
import java.math.BigInteger
import java.nio.file.Files
import java.time.Duration
import java.time.Instant
import java.time.OffsetDateTime
import java.time.ZoneOffset
import kotlin.time.Duration.Companion.milliseconds

private val CAPABILITIES = setOf("dynamic", "strict-records", "nanoseconds", "surrogates", "handles", "passing-on")

/** How the guest is loaded, and what it has then, beside what Kotlin has. */
private enum class Form(val has: Set<String>, load: () -> Plugin) {
    MODULE(setOf("module"), { conformance }),
    COMPONENT(setOf("component"), { component });

    val plugin by lazy(load)
}

/** The conformance list, run from Kotlin, in both ways to call; see conformance/README.md. */
class ConformanceTest {
    @TestFactory
    fun blocking() = tests(Form.MODULE, ::blocking)

    @TestFactory
    fun suspending() = tests(Form.MODULE, ::suspending)

    @TestFactory
    fun `the component, blocking`() = tests(Form.COMPONENT, ::blocking)

    @TestFactory
    fun `the component, suspending`() = tests(Form.COMPONENT, ::suspending)

    private fun blocking(plugin: Plugin, host: Host, sandbox: Sandbox, limits: Limits): Home =
        BlockingHome(host, plugin.instantiate(host.imports(), sandbox, limits))

    private fun suspending(plugin: Plugin, host: Host, sandbox: Sandbox, limits: Limits): Home =
        SuspendingHome(host, runBlocking { plugin.instantiateAsync(host.suspending(), sandbox, limits) })

    @Test
    fun `each export has a case`() {
        val called = files().flatMap { (_, file) -> file["cases"].flatMap { steps(it) } }.mapNotNull { it["call"]?.textValue() }.toSet()
        assertEquals(emptySet<String>(), conformance.exports.keys - called)
    }

    private fun files(): List<Pair<String, JsonNode>> =
        Files.list(ROOT.resolve("conformance/cases")).use { paths ->
            paths.sorted().map { it.fileName.toString().removeSuffix(".json") to json(it) }.toList()
        }

    private fun tests(form: Form, start: (Plugin, Host, Sandbox, Limits) -> Home): List<DynamicTest> = files().flatMap { (name, file) ->
        val shared = Runner(form, start)
        file["cases"].map { case ->
            dynamicTest("$name: ${case["name"].textValue()}") {
                // In a list, since a node is an iterable, whose parts `+` would add.
                val needs = (steps(case) + listOf(case, file)).flatMap { it["needs"]?.map(JsonNode::textValue) ?: emptyList() }
                val lacks = needs - CAPABILITIES - form.has
                assumeTrue(lacks.isEmpty()) { "this host, or the guest as it is loaded, lacks $lacks" }
                shared.run(case)
            }
        }
    }
}

private fun steps(case: JsonNode): List<JsonNode> = case["steps"]?.toList() ?: listOf(case)

/** Holds the instance that the cases of a file share. */
private class Runner(private val form: Form, private val start: (Plugin, Host, Sandbox, Limits) -> Home) {
    private val kept = Kept()
    private var home: Home? = null

    /** Another instance, as long as a case needs it. */
    private var other: Home? = null
    private var special = false

    fun run(case: JsonNode) {
        val own = listOf("limits", "env").any(case::has) || (case.has("steps") && case.has("args"))
        if (home?.isAlive != true || case["fresh"]?.booleanValue() == true || own || special) {
            home?.close()
            home = start(case)
        }
        special = own
        try {
            for (step in steps(case)) {
                if (step.has("in") && other == null) other = start(case)
                step(step, (if (step.has("in")) other else home)!!)
            }
        } finally {
            kept.end()
            other?.close()
            other = null
        }
    }

    private fun start(case: JsonNode): Home {
        val args = if (case.has("steps")) case["args"]?.map(JsonNode::textValue) ?: emptyList() else emptyList()
        val env = case["env"]?.properties()?.associate { (name, value) -> name to value.textValue() } ?: emptyMap()
        val limits = case["limits"]
        return start(
            form.plugin,
            Host(),
            SILENT.copy(args = args, env = env),
            Limits(
                memory = limits?.get("memory_mib")?.intValue()?.MiB,
                timeout = limits?.get("timeout_ms")?.intValue()?.milliseconds,
                handles = limits?.get("handles")?.intValue(),
            ),
        )
    }

    /** Does what a step says, and gives its result. */
    private fun done(step: JsonNode, home: Home): Any? {
        fun arguments(types: List<String> = emptyList()) =
            step["args"]?.mapIndexed { i, value -> Values(kept, home, form).argument(value, types.getOrElse(i) { "" }) } ?: emptyList()
        return when {
            step.has("close") -> kept[step["close"].textValue()].close()
            step.has("next") && step.has("end") -> assertFalse(kept.iterator(step["next"].textValue()).hasNext())
            step.has("next") -> kept.iterator(step["next"].textValue()).next()
            step.has("read") -> (kept[step["read"].textValue()] as InputStream).readNBytes(step["most"].intValue())
            step.has("write") -> with(kept[step["write"].textValue()] as OutputStream) {
                write(Values(kept, home, form).argument(step["data"]) as ByteArray)
                flush()
            }
            step.has("written") -> kept.written(step["written"].textValue())
            step.has("reset") -> home.reset()
            step.has("on") -> home.call(kept[step["on"].textValue()] as Resource, step["call"].textValue(), arguments())
            step.has("new") -> home.construct(step["new"].textValue(), arguments())
            else -> {
                val name = step["call"].textValue()
                home.call(name, arguments(form.plugin.exports[name]?.params?.values?.toList() ?: emptyList()))
            }
        }
    }

    private fun step(step: JsonNode, home: Home) {
        val outcome = runCatching { done(step, home) }.recoverCatching { thrown ->
            // What a stream of the plugin's has failed with.
            throw if (thrown is IOException) thrown.cause ?: thrown else thrown
        }
        val error = step["error"]
        when {
            error != null -> checkError(outcome.exceptionOrNull() ?: throw AssertionError("it returned ${outcome.getOrNull()}"), error)
            step.has("result") -> Values(kept, home, form).check(outcome.getOrThrow(), step["result"])
            else -> outcome.getOrThrow()
        }
        step["alive"]?.let { assertEquals(it.booleanValue(), home.isAlive) }
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
            wanted["fields"]?.let { Values(kept, home!!, form).check(guest.errorFields, it) }
        }
    }
}

private class BlockingHome(host: Host, private val instance: Instance) : Home(host) {
    init {
        host.instance = instance
    }

    override val isAlive get() = instance.isAlive

    override fun call(name: String, args: List<Any?>) = instance.call(name, *args.toTypedArray())

    override fun construct(resource: String, args: List<Any?>) = instance.construct(resource, *args.toTypedArray())

    override fun call(on: Resource, method: String, args: List<Any?>) = on.call(method, *args.toTypedArray())

    override fun reset() = instance.reset()

    override fun close() = instance.close()
}

private class SuspendingHome(host: Host, private val instance: AsyncInstance) : Home(host) {
    init {
        host.asyncInstance = instance
    }

    override val isAlive get() = instance.isAlive

    override fun call(name: String, args: List<Any?>) = runBlocking { instance.call(name, *args.toTypedArray()) }

    override fun construct(resource: String, args: List<Any?>) = runBlocking { instance.construct(resource, *args.toTypedArray()) }

    override fun call(on: Resource, method: String, args: List<Any?>) = runBlocking { on.callAsync(method, *args.toTypedArray()) }

    override fun reset() = runBlocking { instance.reset() }

    override fun close() = instance.close()
}

/** Values of the list, which may be of an instance, or are kept. */
private class Values(private val kept: Kept, private val home: Home, private val form: Form) {
    /** The first key of an object, if it begins with a dollar. */
    private fun first(value: JsonNode): String = if (value.isObject && !value.isEmpty) value.fieldNames().next() else ""

    /**
     * The plain object of a JSON value. The WIT type tells a long list of strings from a long
     * string.
     */
    fun argument(value: JsonNode, type: String = ""): Any? = when {
        value.isNull -> null
        value.isBoolean -> value.booleanValue()
        value.isTextual -> value.textValue()
        value.isIntegralNumber -> value.longValue()
        value.isNumber -> value.doubleValue()
        value.isArray -> value.map { argument(it) }
        first(value).startsWith("$") -> special(first(value), value, type)
        else -> value.properties().associate { (name, inner) -> name to argument(inner) }
    }

    private fun special(key: String, value: JsonNode, type: String, inner: JsonNode = value[key]): Any? = when (key) {
        "\$int" -> BigInteger(inner.textValue())
        "\$float" -> when (inner.textValue()) {
            "nan" -> Double.NaN
            "inf" -> Double.POSITIVE_INFINITY
            "-inf" -> Double.NEGATIVE_INFINITY
            else -> inner.textValue().toDouble()
        }
        "\$bytes" -> inner.textValue().chunked(2).map { it.toInt(16).toByte() }.toByteArray()
        // A component's maps are lists of pairs.
        "\$map" -> if (form == Form.COMPONENT) argument(inner) else inner.associate { argument(it[0]) to argument(it[1]) }
        "\$duration" -> Duration.ofNanos(inner.textValue().toLong())
        "\$time" -> time(inner)
        "\$json" -> plain(inner)
        "\$case" -> Case(inner[0].textValue(), if (inner.size() > 1) argument(inner[1]) else null)
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
        else -> kept.passed(key, value, { argument(inner) }, home)
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
    fun check(actual: Any?, expected: JsonNode?) {
        val key = expected?.let(::first) ?: ""
        when {
            expected == null || expected.isNull -> assertEquals(null, actual)
            key == "\$between" -> assertTrue((actual as Long) in expected[key][0].longValue()..expected[key][1].longValue())
            key == "\$json" -> checkJson(actual, expected[key])
            key == "\$keep" -> kept.keep(expected[key].textValue(), actual)
            key == "\$items" -> {
                val items = (actual as Items<*>).toList()
                assertEquals(expected[key].size(), items.size)
                items.zip(expected[key]).forEach { (item, wanted) -> check(item, wanted) }
            }
            key == "\$reader" -> (actual as InputStream).use { check(it.readAllBytes(), expected[key]) }
            key == "\$map" -> {
                val map = if (form == Form.COMPONENT) (actual as List<*>).associate { (it as List<*>)[0] to it[1] } else actual as Map<*, *>
                assertEquals(expected[key].size(), map.size)
                val found = map.mapKeys { number(it.key) }
                assertEquals(expected[key].map { number(argument(it[0])) }.toSet(), found.keys)
                for (pair in expected[key]) check(found[number(argument(pair[0]))], pair[1])
            }
            key == "\$case" -> {
                val case = assertInstanceOf(Case::class.java, actual)
                assertEquals(expected[key][0].textValue(), case.name)
                if (expected[key].size() > 1) check(case.value, expected[key][1]) else assertNull(case.value)
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
}
