package dev.undergo

import dev.undergo.core.Entry
import dev.undergo.core.NamedValue
import dev.undergo.core.Value
import java.math.BigInteger
import java.time.Duration
import java.time.Instant
import java.time.OffsetDateTime
import java.time.ZoneOffset
import java.time.ZonedDateTime
import kotlin.time.toJavaDuration

/**
 * What can cross as a [Value] of its own making: the data classes that `undergo bindgen` writes are
 * of this kind.
 */
interface ToValue {
    /** The value that stands for it. */
    fun toValue(): Value
}

/**
 * A case of a variant, by its name in WIT.
 *
 * @property value its value as a plain object; [Unit] for a case without one.
 */
data class Case(val name: String, val value: Any? = Unit)

/**
 * A plain object as a [Value].
 *
 * | Kotlin | for |
 * | --- | --- |
 * | `null` | an option without a value |
 * | `Boolean`, `String`, `ByteArray` | bool, string, list<u8> |
 * | `Byte` … `Long`, `UByte` … `ULong`, `BigInteger` | integers |
 * | `Float`, `Double` | floats |
 * | `Iterable`, arrays, `Pair`, `Triple` | lists and several values |
 * | `Map` | maps, records (by the names of their fields, as in Kotlin or in WIT), objects of JSON |
 * | an enum's constant | a case: `DARK_RED` is `dark-red` |
 * | [Case] | a case of a variant |
 * | `kotlin.time.Duration`, `java.time.Duration` | durations |
 * | `Instant`, `OffsetDateTime`, `ZonedDateTime` | times |
 * | [Value], [ToValue] | what they are |
 *
 * Anything else fits no type: the call throws [TypeMismatchException] with its path.
 */
fun toValue(plain: Any?): Value = value(plain, 0)

/** Deeper ones are refused, since those that contain themselves are that, too. */
private const val DEPTH = 500

private fun value(plain: Any?, depth: Int): Value = when (plain) {
    null, Unit -> Value.None
    is Value -> plain
    is ToValue -> plain.toValue()
    is Boolean -> Value.Bool(plain)
    is String -> text(plain)
    is CharSequence, is Char -> text(plain.toString())
    is Byte, is Short, is Int, is Long -> Value.Int((plain as Number).toLong())
    is UByte -> Value.Int(plain.toLong())
    is UShort -> Value.Int(plain.toLong())
    is UInt -> Value.Int(plain.toLong())
    is ULong -> Value.Uint(plain)
    is BigInteger -> integer(plain)
    is Float -> Value.Float(plain.toDouble())
    is Double -> Value.Float(plain)
    is ByteArray -> Value.Bytes(plain)
    is Map<*, *> -> within(depth) { Value.Entries(plain.map { (key, item) -> Entry(value(key, it), value(item, it)) }) }
    is Iterable<*> -> within(depth) { Value.Items(plain.map { item -> value(item, it) }) }
    is Array<*> -> within(depth) { Value.Items(plain.map { item -> value(item, it) }) }
    is IntArray -> Value.Items(plain.map { Value.Int(it.toLong()) })
    is LongArray -> Value.Items(plain.map { Value.Int(it) })
    is ShortArray -> Value.Items(plain.map { Value.Int(it.toLong()) })
    is DoubleArray -> Value.Items(plain.map { Value.Float(it) })
    is FloatArray -> Value.Items(plain.map { Value.Float(it.toDouble()) })
    is BooleanArray -> Value.Items(plain.map { Value.Bool(it) })
    is Pair<*, *> -> within(depth) { Value.Items(listOf(value(plain.first, it), value(plain.second, it))) }
    is Triple<*, *, *> -> within(depth) { Value.Items(listOf(value(plain.first, it), value(plain.second, it), value(plain.third, it))) }
    is Case -> within(depth) { Value.Case(plain.name, if (plain.value == Unit) null else value(plain.value, it)) }
    is Enum<*> -> Value.Text(plain.name.lowercase().replace('_', '-'))
    is kotlin.time.Duration -> duration(plain.toJavaDuration())
    is Duration -> duration(plain)
    is Instant -> Value.Time(plain.epochSecond, plain.nano.toUInt(), 0)
    is OffsetDateTime -> time(plain)
    is ZonedDateTime -> time(plain.toOffsetDateTime())
    else -> Value.Unfit("a ${plain.javaClass.name} is no value that can cross: give a Map for a record, or a Value")
}

private inline fun within(depth: Int, make: (Int) -> Value): Value =
    if (depth == DEPTH) Value.Unfit("it is nested more than $DEPTH deep, or contains itself") else make(depth + 1)

/**
 * A [Value] as a plain object: integers as `Long` (above its range `ULong`, and in JSON
 * `BigInteger`), floats as `Double` (in JSON `BigDecimal` where that can't hold them), lists and
 * several results as `List`, maps as `Map`, records as `Map` by the names of their fields in
 * Kotlin, cases of enums as `String`, cases of variants as [Case], durations and times as
 * `java.time.Duration` and `OffsetDateTime`.
 */
fun toPlain(value: Value): Any? = when (value) {
    is Value.None -> null
    is Value.Bool -> value.value
    is Value.Int -> value.value
    is Value.Uint -> value.value
    is Value.Float -> value.value
    is Value.Text -> value.value
    is Value.Bytes -> value.value
    is Value.Items -> value.items.map(::toPlain)
    is Value.Entries -> value.entries.associate { toPlain(it.key) to toPlain(it.value) }
    is Value.Fields -> value.fields.associate { camel(it.name) to toPlain(it.value) }
    is Value.Case -> Case(value.name, if (value.value == null) Unit else toPlain(value.value))
    is Value.Json -> value.text.toBigIntegerOrNull() ?: value.text.toBigDecimalOrNull() ?: value.text
    is Value.Duration -> Duration.ofNanos(value.nanoseconds)
    is Value.Time -> value.asTime()
    is Value.Unfit -> null
}

/** A string as a value. One with a lone surrogate has no UTF-8. */
fun text(text: String): Value {
    if (!Charsets.UTF_8.newEncoder().canEncode(text)) {
        return Value.Unfit("the string holds a lone surrogate, which UTF-8 has no form for")
    }
    return Value.Text(text)
}

/** A record as a value. */
fun record(vararg fields: Pair<String, Value>): Value = Value.Fields(fields.map { (name, value) -> NamedValue(name, value) })

/** A duration as a value; at most 292 years. */
fun duration(duration: Duration): Value =
    try {
        Value.Duration(duration.toNanos())
    } catch (_: ArithmeticException) {
        Value.Unfit("it is longer than 292 years, which a duration can't hold")
    }

/** An instant with its offset as a value. */
fun time(time: OffsetDateTime): Value = Value.Time(time.toEpochSecond(), time.nano.toUInt(), time.offset.totalSeconds)

/** The bool that it is. */
fun Value.asBoolean(): Boolean = (this as? Value.Bool)?.value ?: wrong("a bool")

/** The integer that it is. */
fun Value.asLong(): Long = (this as? Value.Int)?.value ?: wrong("an integer")

/** The integer that it is, unsigned. */
fun Value.asULong(): ULong = when (this) {
    is Value.Uint -> value
    is Value.Int -> value.toULong()
    else -> wrong("an integer")
}

/** The float that it is. */
fun Value.asDouble(): Double = (this as? Value.Float)?.value ?: wrong("a float")

/** The string that it is, or the name of an enum's case. */
fun Value.asText(): String = (this as? Value.Text)?.value ?: wrong("a string")

/** The bytes that it is. */
fun Value.asBytes(): ByteArray = (this as? Value.Bytes)?.value ?: wrong("bytes")

/** The items of a list, or several results. */
fun Value.asItems(): List<Value> = (this as? Value.Items)?.items ?: wrong("a list")

/** The entries of a map. */
fun Value.asEntries(): List<Entry> = (this as? Value.Entries)?.entries ?: wrong("a map")

/** The values of a record's fields, in their order. */
fun Value.asFields(): List<Value> = (this as? Value.Fields)?.fields?.map { it.value } ?: wrong("a record")

/** The case of a variant that it is: its name in WIT and its value, [Value.None] if it has none. */
fun Value.asCase(): Pair<String, Value> = (this as? Value.Case)?.let { it.name to (it.value ?: Value.None) } ?: wrong("a variant")

/** Fails for a case that the class does not know. */
fun unknownCase(name: String): Nothing =
    throw UndergoException.mismatch("there is no case $name: was the class written for another plugin?")

/** The duration that it is. */
fun Value.asDuration(): Duration = (this as? Value.Duration)?.let { Duration.ofNanos(it.nanoseconds) } ?: wrong("a duration")

/** The instant that it is, in the offset in which it was written. */
fun Value.asTime(): OffsetDateTime {
    val time = this as? Value.Time ?: wrong("a time")
    // Go has any offset; java.time has 18 hours at the most.
    val most = ZoneOffset.MAX.totalSeconds
    val offset = if (time.offset in -most..most) ZoneOffset.ofTotalSeconds(time.offset) else ZoneOffset.UTC
    return Instant.ofEpochSecond(time.seconds, time.nanoseconds.toLong()).atOffset(offset)
}

/** Nothing as null, anything else as what is made of it. */
inline fun <T : Any> Value.orNull(make: (Value) -> T?): T? = if (this is Value.None) null else make(this)

private fun Value.wrong(wanted: String): Nothing =
    throw UndergoException.mismatch("expected $wanted, got ${this::class.simpleName?.lowercase()}: was the class written for another plugin?")

private fun integer(number: BigInteger): Value = when {
    number.bitLength() < Long.SIZE_BITS -> Value.Int(number.toLong())
    number.signum() > 0 && number.bitLength() <= Long.SIZE_BITS -> Value.Uint(number.toLong().toULong())
    // JSON alone can hold it.
    else -> Value.Json(number.toString())
}

private fun camel(kebab: String): String =
    kebab.split('-').mapIndexed { i, word -> if (i == 0) word else word.replaceFirstChar(Char::uppercaseChar) }.joinToString("")
