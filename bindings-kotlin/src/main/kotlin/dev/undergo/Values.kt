package dev.undergo

import dev.undergo.java.Arguments
import java.math.BigInteger
import java.util.Collections
import kotlin.time.Duration
import kotlin.time.toJavaDuration
import dev.undergo.java.HostFunction as JavaHostFunction
import dev.undergo.java.HostObject as JavaHostObject
import dev.undergo.java.Items as JavaItems
import dev.undergo.java.Resource as JavaResource

/** A case of a variant: its name in WIT and its value, which is null for a case without one. */
typealias Case = dev.undergo.java.Case

/** The name of the case in WIT. */
val Case.name: String get() = tag()

/** One JSON value as its text, in place of the objects that it stands for. */
typealias Json = dev.undergo.java.Json

/** Deeper ones are left as they are: those that contain themselves are that, too. */
private const val DEPTH = 500

/** An object of a program's as the package for Java knows it. */
internal fun given(value: Any?, depth: Int = 0): Any? = when (value) {
    null, is String, is Number, is Boolean, is ByteArray -> value
    Unit -> null
    is UByte -> value.toLong()
    is UShort -> value.toLong()
    is UInt -> value.toLong()
    is ULong -> BigInteger(value.toString())
    is Duration -> value.toJavaDuration()
    is Pair<*, *> -> given(value.toList(), depth)
    is Triple<*, *, *> -> given(value.toList(), depth)
    is Enum<*> -> value.name.lowercase().replace('_', '-')
    is Map<*, *> -> if (depth == DEPTH) value else value.entries.associate { (key, of) -> given(key, depth + 1) to given(of, depth + 1) }
    is Collection<*> -> if (depth == DEPTH) value else value.map { given(it, depth + 1) }
    // It may have no end.
    is Iterable<*> -> if (depth == DEPTH) value else Iterable { givenEach(value.iterator(), depth + 1) }
    is Sequence<*> -> Iterable { givenEach(value.iterator(), depth + 1) }
    is Iterator<*> -> Iterable { givenEach(value, depth + 1) }
    is Array<*> -> if (depth == DEPTH) value else value.map { given(it, depth + 1) }
    is Case -> if (depth == DEPTH) value else Case(value.tag, given(value.value, depth + 1))
    is Resource -> value.asJava
    is HostFunction -> JavaHostFunction { given(value.call(read(it))) }
    is HostObject -> Given(value)
    is Function0<*> -> JavaHostFunction { given(value()) }
    is Function1<*, *> -> calling(value) { function: (Any?) -> Any?, (a) -> function(a) }
    is Function2<*, *, *> -> calling(value) { function: (Any?, Any?) -> Any?, (a, b) -> function(a, b) }
    is Function3<*, *, *, *> -> calling(value) { function: (Any?, Any?, Any?) -> Any?, (a, b, c) -> function(a, b, c) }
    else -> value
}

/** An object of the program's, which it gets back where a component passes it. */
private class Given(val own: HostObject) : JavaHostObject {
    override fun call(method: String, args: Arguments): Any? = given(own.call(method, read(args)))
}

private fun givenEach(items: Iterator<Any?>, depth: Int): Iterator<Any?> = object : Iterator<Any?> {
    override fun hasNext(): Boolean = items.hasNext()

    override fun next(): Any? = given(items.next(), depth)
}

/** A function of a program's for the plugin, which sees to the types of what it gives. */
@Suppress("UNCHECKED_CAST")
private fun <F> calling(function: Any, call: (F, List<Any?>) -> Any?): JavaHostFunction =
    JavaHostFunction { given(call(function as F, read(it))) }

/** The arguments of a host function. */
internal fun read(arguments: Arguments): List<Any?> = List(arguments.size()) { taken(arguments.get(it)) }

/** The arguments of a call. */
internal fun given(values: Array<out Any?>): Array<Any?> = Array(values.size) { given(values[it]) }

private val BITS = BigInteger.ONE.shiftLeft(ULong.SIZE_BITS)

/** An object of the package for Java as programs get it. */
internal fun taken(value: Any?): Any? = when (value) {
    null, is String, is Long, is Double, is Boolean, is ByteArray -> value
    is BigInteger -> if (value.signum() > 0 && value < BITS) value.toLong().toULong() else value
    is Json -> taken(value.value())
    is List<*> -> Collections.unmodifiableList(value.map(::taken))
    is Map<*, *> -> Collections.unmodifiableMap(value.entries.associate { (key, of) -> taken(key) to taken(of) })
    is Case -> Case(value.tag, taken(value.value))
    is JavaResource -> Resource(value)
    is JavaItems<*> -> Items(value, ::taken)
    is Given -> value.own
    else -> value
}
