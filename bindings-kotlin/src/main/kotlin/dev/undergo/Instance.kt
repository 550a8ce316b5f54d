package dev.undergo

import kotlin.time.Duration
import dev.undergo.java.Instance as JavaInstance

/**
 * A running copy of a plugin: its own memory, goroutines and globals.
 *
 * Threads may share it: one call runs at a time, and others wait. When a call ends in any other way
 * than by a return or a returned Go error, the instance is dead, and each later call throws
 * [DeadInstanceException]. Close it when it is no longer needed: its memory is outside of the
 * virtual machine's.
 */
class Instance internal constructor(
    /** The plugin of this instance. */
    val plugin: Plugin,
    override val asJava: JavaInstance,
) : Exports, AutoCloseable {
    /** Whether it answers calls. */
    val isAlive: Boolean get() = asJava.isAlive

    /** What the last call used, or the initialisation before the first. */
    val usage: Usage get() = Usage(asJava.usage())

    /**
     * What the sandbox has denied it so far of the network, each denial once, with the rule that
     * would allow it; at most 64.
     */
    val denied: List<String> get() = asJava.denied()

    /** How many handles it has now. It can be read during a call. */
    val handles: HandleCounts get() = asJava.handles()

    /** The guest's memory, for modules that pass pointers and lengths themselves. */
    val memory: Memory = Memory(asJava)

    /**
     * Makes the guest anew, as it was after its first initialisation; a dead instance lives again.
     */
    fun reset(timeout: Duration? = null) = asJava.reset(timeout.java())

    /** Lets the guest's background goroutines run, which otherwise run only during calls. */
    fun poll(timeout: Duration? = null) = asJava.poll(timeout.java())

    /** Takes what the guest wrote to a captured standard output. */
    fun takeStdout(): ByteArray = asJava.takeStdout()

    /** Takes what the guest wrote to a captured standard error. */
    fun takeStderr(): ByteArray = asJava.takeStderr()

    /**
     * Frees the guest, once no call runs. Later calls throw [DeadInstanceException].
     */
    override fun close() = asJava.close()

    override fun toString(): String = "Instance of ${plugin.name}"
}

/** A guest's memory. */
class Memory internal constructor(private val instance: JavaInstance) {
    /** Bytes that it has now. */
    val size: Long get() = instance.memorySize()

    /** Reads bytes. */
    fun read(address: Long, length: Long): ByteArray = instance.readMemory(address, Math.toIntExact(length))

    /** Writes bytes. */
    fun write(address: Long, bytes: ByteArray) = instance.writeMemory(address, bytes)
}

/**
 * A running copy of a plugin whose calls suspend, on threads of the package. One call runs at a
 * time; others wait without a thread, first come, first served.
 */
class AsyncInstance internal constructor(
    /** The plugin of this instance. */
    val plugin: Plugin,
    override val asJava: JavaInstance,
) : AsyncExports, AutoCloseable {
    /** Whether it answers calls. */
    val isAlive: Boolean get() = asJava.isAlive

    /** What the last call used, or the initialisation before the first. */
    val usage: Usage get() = Usage(asJava.usage())

    /**
     * What the sandbox has denied it so far of the network, each denial once, with the rule that
     * would allow it; at most 64.
     */
    val denied: List<String> get() = asJava.denied()

    /** How many handles it has now. It can be read during a call. */
    val handles: HandleCounts get() = asJava.handles()

    /**
     * Makes the guest anew, as it was after its first initialisation; a dead instance lives again.
     */
    suspend fun reset(timeout: Duration? = null) = awaiting(asJava) { asJava.reset(timeout.java()) }

    /** Lets the guest's background goroutines run, which otherwise run only during calls. */
    suspend fun poll(timeout: Duration? = null) = awaiting(asJava) { asJava.poll(timeout.java()) }

    /** Takes what the guest wrote to a captured standard output. */
    fun takeStdout(): ByteArray = asJava.takeStdout()

    /** Takes what the guest wrote to a captured standard error. */
    fun takeStderr(): ByteArray = asJava.takeStderr()

    /**
     * Frees the guest, once no call runs. Later calls throw [DeadInstanceException].
     */
    override fun close() = asJava.close()

    override fun toString(): String = "AsyncInstance of ${plugin.name}"
}
