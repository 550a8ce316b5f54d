package dev.undergo

import kotlin.time.Duration
import dev.undergo.java.Server as JavaServer

/**
 * What a server has done so far, and what it has now: `connections` that are open; `requests` that
 * were read, those that were `refused` because no instance was free (status 503), and those that
 * `failed` (status 500 or 504, or an answer that ended early); its instances, as a `pool`.
 */
typealias ServerStats = dev.undergo.java.ServerStats

/**
 * A plugin that serves HTTP, on threads of its own. It serves until it is closed, also when nobody
 * has it any more; but it does not keep the virtual machine from ending.
 */
class Server internal constructor(
    /** The plugin that serves. */
    val plugin: Plugin,
    private val java: JavaServer,
) : AutoCloseable {
    /** Where it listens: `127.0.0.1:8080`, with the port that the system chose for 0. */
    val address: String get() = java.address()

    /** What it has done so far, and what it has now. */
    val stats: ServerStats get() = java.stats()

    /** Whether it is closed, or about to end. */
    val isClosed: Boolean get() = java.isClosed

    /**
     * Accepts no more connections, and waits for running requests. In a host function that one of
     * its requests has called, it does not wait: the server ends behind its running requests then.
     */
    override fun close() = java.close()

    /**
     * The same within a time. After it, requests that are still running are cut off, and it throws
     * [CallTimeoutException]; it throws [BusyException] where it can't wait. The server is closed
     * in both cases.
     *
     * @param timeout null for as long as it takes.
     */
    fun close(timeout: Duration?) = java.close(timeout.java())

    /** The same without holding a thread of the caller's. */
    suspend fun shutDown(timeout: Duration? = null) = elsewhere { close(timeout) }

    override fun toString(): String = "Server(${plugin.name} at $address)"
}
