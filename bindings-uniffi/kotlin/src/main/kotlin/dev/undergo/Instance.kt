package dev.undergo

import dev.undergo.core.Value
import kotlin.coroutines.coroutineContext
import kotlin.time.Duration
import dev.undergo.core.AsyncInstance as CoreAsyncInstance
import dev.undergo.core.Instance as CoreInstance

/**
 * A running copy of a plugin: its own memory, goroutines and globals.
 *
 * Threads may share it: one call runs at a time, and others wait. When a call ends in any other way
 * than by a return or a returned Go error, the instance is dead, and each later call throws
 * [DeadInstanceException]. Close it when it is no longer needed: its memory is outside of the
 * virtual machine's.
 *
 * A thread of the virtual machine has a stack of 1 MiB, too small for a guest. Calls from such a
 * thread run, with their host functions, on a thread of the library while the caller waits, a
 * change of threads there and back; a thread with 8 MiB (`Thread(null, task, name, 8 shl 20)`) does
 * without.
 */
class Instance internal constructor(
    /** The plugin of this instance. */
    val plugin: Plugin,
    private val core: CoreInstance,
) : Exports, Usable<Exports>, AutoCloseable {
    /** Whether it answers calls. */
    val isAlive: Boolean get() = core.isAlive()

    /** What the last call used, or the initialisation before the first. */
    val usage: Usage get() = Usage(core.usage())

    /**
     * What the sandbox has denied it so far of the network, each denial once, with the rule that
     * would allow it; at most 64.
     */
    val denied: List<String> get() = core.denied()

    /** The guest's memory, for modules that pass pointers and lengths themselves. */
    val memory: Memory = Memory(core)

    override fun callValues(name: String, args: List<Value>): Value = calling { core.call(name, args, null, null) }

    override fun using(timeout: Duration?, cancel: CancelToken?): Exports = InstanceView(core, seconds(timeout), cancel)

    /**
     * Makes the guest anew, as it was after its first initialisation; a dead instance lives again.
     */
    @JvmOverloads
    fun reset(timeout: java.time.Duration? = null) = calling { core.reset(seconds(timeout)) }

    /** Lets the guest's background goroutines run, which otherwise run only during calls. */
    @JvmOverloads
    fun poll(timeout: java.time.Duration? = null) = calling { core.poll(seconds(timeout)) }

    /** Takes what the guest wrote to a captured standard output. */
    fun takeStdout(): ByteArray = core.takeStdout()

    /** Takes what the guest wrote to a captured standard error. */
    fun takeStderr(): ByteArray = core.takeStderr()

    /** Frees the guest, once no call runs. Later calls throw [IllegalStateException]. */
    override fun close() = core.close()

    override fun toString(): String = "Instance of ${plugin.name}"
}

/** A guest's memory. */
class Memory internal constructor(private val core: CoreInstance) {
    /** Bytes that it has now. */
    val size: Long get() = calling { core.memorySize() }.toLong()

    /** Reads bytes. */
    fun read(address: Long, length: Long): ByteArray = calling { core.readMemory(word(address), word(length)) }

    /** Writes bytes. */
    fun write(address: Long, bytes: ByteArray) = calling { core.writeMemory(word(address), bytes) }

    private fun word(number: Long): UInt {
        if (number !in 0..UInt.MAX_VALUE.toLong()) throw UndergoException.mismatch("$number is no address or length of a guest's memory")
        return number.toUInt()
    }
}

/**
 * A running copy of a plugin whose calls suspend: they hold no thread while the guest waits, and
 * host functions may be suspend functions. One call runs at a time; others wait, first come, first
 * served.
 */
class AsyncInstance internal constructor(
    /** The plugin of this instance. */
    val plugin: Plugin,
    private val core: CoreAsyncInstance,
) : AsyncExports, Usable<AsyncExports>, AutoCloseable {
    /** Whether it answers calls. */
    val isAlive: Boolean get() = core.isAlive()

    /** What the last call used, or the initialisation before the first. */
    val usage: Usage get() = Usage(core.usage())

    /**
     * What the sandbox has denied it so far of the network, each denial once, with the rule that
     * would allow it; at most 64.
     */
    val denied: List<String> get() = core.denied()

    override suspend fun callValues(name: String, args: List<Value>): Value =
        calling { core.call(name, args, null, null, Within.lease(coroutineContext)) }

    override fun using(timeout: Duration?, cancel: CancelToken?): AsyncExports = AsyncInstanceView(core, seconds(timeout), cancel)

    /**
     * Makes the guest anew, as it was after its first initialisation; a dead instance lives again.
     */
    suspend fun reset(timeout: Duration? = null) = calling { core.reset(seconds(timeout), Within.lease(coroutineContext)) }

    /** Lets the guest's background goroutines run, which otherwise run only during calls. */
    suspend fun poll(timeout: Duration? = null) = calling { core.poll(seconds(timeout)) }

    /** Takes what the guest wrote to a captured standard output. */
    fun takeStdout(): ByteArray = core.takeStdout()

    /** Takes what the guest wrote to a captured standard error. */
    fun takeStderr(): ByteArray = core.takeStderr()

    /** Frees the guest, once no call runs. Later calls throw [IllegalStateException]. */
    override fun close() = core.close()

    override fun toString(): String = "AsyncInstance of ${plugin.name}"
}
