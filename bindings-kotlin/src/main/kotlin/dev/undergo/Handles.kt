package dev.undergo

import dev.undergo.java.RawAsync
import kotlin.time.Duration
import dev.undergo.java.Items as JavaItems
import dev.undergo.java.Resource as JavaResource

/**
 * An object of a plugin, whose methods are called by their names: what `construct` gives, and calls
 * whose result is, or has, an object.
 *
 * The guest keeps the object until this is closed, or until nobody has it any more. It can't be
 * used after that, nor after a reset of its instance.
 */
class Resource internal constructor(
    /** The same for the package for Java. */
    val asJava: JavaResource,
) : AutoCloseable {
    /** The name of its resource in WIT. */
    val resource: String get() = asJava.resource()

    /** Whether it was closed, given away to the guest, or ended with its instance. */
    val isClosed: Boolean get() = asJava.isClosed

    /** Calls a method by its name, in WIT or in Kotlin; otherwise as [Exports.call]. */
    fun call(method: String, vararg args: Any?): Any? = taken(asJava.call(method, *given(args)))

    /** The same on another thread, as [AsyncExports.call]. */
    suspend fun callAsync(method: String, vararg args: Any?): Any? {
        val arguments = given(args)
        return taken(awaiting(RawAsync.exports(asJava)) { RawAsync.on(it, asJava).call(method, *arguments) })
    }

    /** A view of the same object with other options for its calls: see [Exports.using]. */
    fun using(timeout: Duration? = null, cancel: CancelToken? = null): Resource = Resource(asJava.using(timeout.java(), cancel))

    /**
     * Has the guest release the object, which runs its `Close`: at once, or after the call that is
     * under way.
     */
    override fun close() = asJava.close()

    override fun toString(): String = asJava.toString()
}

/**
 * The items of a plugin's iterator, which runs as far as they are asked for, and a batch ahead.
 * They can be iterated once.
 *
 * Closing it ends it: the Go function's `yield` returns false. Otherwise it ends when its last item
 * has come, or when nobody has it any more. An error comes after the items before it.
 */
class Items<out T> internal constructor(private val items: JavaItems<*>, private val read: (Any?) -> T) : Sequence<T>, AutoCloseable {
    override fun iterator(): Iterator<T> = object : Iterator<T> {
        override fun hasNext(): Boolean = items.hasNext()

        override fun next(): T = read(items.next())
    }

    /** Ends the iterator. */
    override fun close() = items.close()

    override fun toString(): String = items.toString()
}

/** How many handles an instance has: those that its guest has, and those of the guest's objects. */
typealias HandleCounts = dev.undergo.java.HandleCounts

/**
 * An object for a plugin, for programs that don't know its methods when they are compiled. Any
 * object with public methods of the names and as many parameters serves as well.
 */
fun interface HostObject {
    /** Runs a method, by its name in WIT; otherwise as [HostFunction.call]. */
    fun call(method: String, args: List<Any?>): Any?
}
