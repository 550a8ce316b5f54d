package dev.undergo

import kotlin.time.Duration
import dev.undergo.java.Exports as JavaExports

/** The exports of an instance or a pool: what its class and its views share. */
sealed interface Exports {
    /** The same for the package for Java. */
    val asJava: JavaExports

    /**
     * Calls an export, by its name in WIT or in Kotlin, with plain objects, and gives one.
     *
     * | WIT | as an argument | as a result |
     * | --- | --- | --- |
     * | bool, string | `Boolean`, `String` | the same |
     * | integers | any integer that fits, `BigInteger` too | `Long`, above its range `ULong` |
     * | floats | `Float`, `Double`, and integers that it holds | `Double` |
     * | list<u8> | `ByteArray` | `ByteArray` |
     * | lists, tuples | any `Iterable`, arrays, `Pair`, `Triple` | `List` |
     * | maps | `Map` | `Map` |
     * | records | `Map`, by the names of the fields in Kotlin or in WIT | `Map`, by those in Kotlin |
     * | options | null, or the value | the same |
     * | enums | an enum's constant, whose `DARK_RED` is `dark-red`, or the case as a `String` | `String` |
     * | variants | [Case] | [Case] |
     * | json | null, booleans, numbers, strings, lists and maps, or [Json] | the same, without [Json]; numbers with all their digits, as `BigInteger` and `BigDecimal` where that needs them |
     * | resources | [Resource]; for one of the host an object with its methods, or [HostObject] | [Resource] |
     * | functions | a lambda, or [HostFunction] | |
     * | iterators | any `Iterable`, `Sequence` or `Iterator` | [Items] |
     * | streams | `InputStream`, `OutputStream` | the same |
     * | durations | `kotlin.time.Duration`, `java.time.Duration` | `java.time.Duration` |
     * | times | `Instant`, `OffsetDateTime`, `ZonedDateTime` | `OffsetDateTime` |
     *
     * @throws UndergoException when the call does not return; what a host function has thrown comes
     *   as it is.
     */
    fun call(name: String, vararg args: Any?): Any? = taken(asJava.call(name, *given(args)))

    /**
     * Makes an object of a resource of the plugin, whose name is that in WIT or in Kotlin:
     * `construct("document", "text")` calls the Go function `NewDocument`.
     */
    fun construct(resource: String, vararg args: Any?): Resource = Resource(asJava.construct(resource, *given(args)))

    /**
     * A view of the same thing with other options for its calls.
     *
     * @param timeout how long a call may take, including the wait for its turn; the limit of the
     *   instance when null.
     * @param cancel can end the calls earlier, from any thread.
     */
    fun using(timeout: Duration? = null, cancel: CancelToken? = null): Exports = View(asJava.using(timeout.java(), cancel))
}

/** The exports of an instance or a pool whose calls suspend. */
sealed interface AsyncExports {
    /** The same for the package for Java. */
    val asJava: JavaExports

    /**
     * Calls an export as [Exports.call] does, on another thread. When the coroutine is cancelled,
     * so is the call, which ends the instance.
     */
    suspend fun call(name: String, vararg args: Any?): Any? {
        val arguments = given(args)
        return taken(awaiting(asJava) { it.call(name, *arguments) })
    }

    /** Makes an object of a resource of the plugin, as [Exports.construct] does. */
    suspend fun construct(resource: String, vararg args: Any?): Resource {
        val arguments = given(args)
        return Resource(awaiting(asJava) { it.construct(resource, *arguments) })
    }

    /** A view of the same thing, as that of [Exports.using]. */
    fun using(timeout: Duration? = null, cancel: CancelToken? = null): AsyncExports = AsyncView(asJava.using(timeout.java(), cancel))
}

private class View(override val asJava: JavaExports) : Exports

private class AsyncView(override val asJava: JavaExports) : AsyncExports
