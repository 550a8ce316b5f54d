package dev.undergo

import com.fasterxml.jackson.databind.JsonNode
import java.io.ByteArrayInputStream
import java.io.ByteArrayOutputStream
import java.io.IOException
import java.io.InputStream
import java.io.OutputStream

/** What is called, as a case needs it: an instance, in one of the two ways to call. */
abstract class Home(val host: Host) : AutoCloseable {
    val store = Store()

    abstract val isAlive: Boolean

    abstract fun call(name: String, args: List<Any?>): Any?

    abstract fun construct(resource: String, args: List<Any?>): Resource

    abstract fun call(on: Resource, method: String, args: List<Any?>): Any?

    abstract fun reset()
}

/**
 * What a case keeps, and the functions, objects and streams that a runner passes: see
 * conformance/README.md.
 */
class Kept {
    private val named = mutableMapOf<String, AutoCloseable>()
    private val all = mutableListOf<AutoCloseable>()
    private val written = mutableMapOf<String, ByteArrayOutputStream>()

    fun keep(name: String, given: Any?) {
        val handle = given as AutoCloseable
        named[name] = handle
        all.add(handle)
        if (handle is Items<*>) iterators[name] = handle.iterator()
    }

    private val iterators = mutableMapOf<String, Iterator<Any?>>()

    operator fun get(name: String): AutoCloseable = named.getValue(name)

    fun iterator(name: String): Iterator<Any?> = iterators.getValue(name)

    fun written(name: String): ByteArray = written.getValue(name).toByteArray()

    /** Closes all that a case has kept, and forgets the names. */
    fun end() {
        all.forEach(AutoCloseable::close)
        listOf(named, written, iterators).forEach { it.clear() }
        all.clear()
    }

    /** What stands for a value that lives longer than a call. */
    fun passed(key: String, value: JsonNode, inner: () -> Any?, home: Home): Any {
        val given = value[key]
        return when (key) {
            "\$handle" -> get(given.textValue())
            "\$callback" -> callback(given.textValue(), home)
            "\$object" -> home.store
            "\$items" -> items(inner() as List<*>, value.has("then"))
            "\$endless" -> generateSequence(inner)
            "\$reader" -> reader(inner() as ByteArray, value["then"]?.textValue())
            "\$writer" -> ByteArrayOutputStream().let { collected ->
                written[given["as"].textValue()] = collected
                Bounded(collected, given["most"]?.intValue() ?: Int.MAX_VALUE)
            }
            else -> error("$key is no value of the list")
        }
    }

    private fun callback(name: String, home: Home): Any = when (name) {
        "double" -> { number: Long -> 2 * number }
        "fail" -> { _: Any? -> throw Refused("the callback failed") }
        "reenter" -> { number: Any? -> home.call("echo-int64", listOf(number)) }
        "apply-reenter" -> { number: Any? -> (home.call("apply", listOf(listOf(number), { n: Long -> 2 * n })) as List<*>).first() }
        "open-store" -> { child: String -> if (child.isEmpty()) throw Refused("no name") else home.store.child(child) }
        "note" -> HostFunction { (text) -> home.host.notes.add(text).let { null } }
        "wrong-type" -> { _: Any? -> "not a number" }
        else -> error("$name is no function of the list")
    }

    /** All that may stand for an iterable, in turn. */
    private fun items(items: List<*>, fails: Boolean): Any = when {
        fails -> items.asSequence() + sequence { throw Refused("no more items") }
        else -> listOf(items.iterator(), items.asSequence(), items.toTypedArray(), items)[items.size % 4]
    }

    private fun reader(bytes: ByteArray, then: String?): InputStream = when (then) {
        "fail" -> object : ByteArrayInputStream(bytes) {
            override fun read(into: ByteArray, offset: Int, length: Int): Int {
                val count = super.read(into, offset, length)
                return if (count < 0) throw Refused("broken reader") else count
            }
        }
        "repeat" -> object : InputStream() {
            private var at = 0

            override fun read(): Int = bytes[at++ % bytes.size].toInt() and 0xff
        }
        else -> ByteArrayInputStream(bytes)
    }

    /** Takes so many bytes at most. */
    private class Bounded(private val to: ByteArrayOutputStream, private val most: Int) : OutputStream() {
        override fun write(one: Int) = write(byteArrayOf(one.toByte()))

        override fun write(bytes: ByteArray, offset: Int, length: Int) {
            if (to.size() + length > most) throw IOException("broken writer")
            to.write(bytes, offset, length)
        }
    }
}

/** The runner's store of texts. */
class Store {
    private val texts = linkedMapOf<String, String>()

    fun get(key: String): String = texts[key] ?: throw Refused("no such key: $key")

    fun put(key: String, value: String) {
        texts[key] = value
    }

    fun size(): Int = texts.size

    fun child(name: String): Store = Store().also { it.put("name", name) }
}
