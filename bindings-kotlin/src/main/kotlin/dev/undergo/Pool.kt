package dev.undergo

import kotlin.time.Duration
import dev.undergo.java.Pool as JavaPool

/**
 * What a pool has done so far, and what it has now: instances that are `busy` with a call and those
 * that are `idle`, callers that are `waiting`; `calls` that got an instance; instances that were
 * `made`, that `died` in a call, that were `retired` after their number of calls, and dropped since
 * they were unused for long (`shrunk`).
 */
typealias PoolStats = dev.undergo.java.PoolStats

/**
 * Interchangeable instances of one plugin, for many threads. A call takes a free instance, creates
 * one, or waits for its turn: first come, first served. An instance that a call has killed is
 * replaced.
 */
class Pool internal constructor(
    /** The plugin of these instances. */
    val plugin: Plugin,
    override val asJava: JavaPool,
) : Exports, AutoCloseable {
    /** The maximum number of instances. */
    val size: Int get() = asJava.size()

    /** What it has done so far, and what it has now. */
    val stats: PoolStats get() = asJava.stats()

    /** Whether it is closed. */
    val isClosed: Boolean get() = asJava.isClosed

    /**
     * Lends an instance to one caller, for calls that belong together, and for handles, which
     * calls of a pool can't give: `pool.take().use { … }`. [Instance.close] returns it, on any
     * thread, and closes its handles. It counts as one call. A thread that has the last one waits
     * for another in vain.
     *
     * @param timeout how long the wait for an instance may take; the limit of the instances when
     *   null.
     */
    fun take(timeout: Duration? = null): Instance = Instance(plugin, asJava.take(timeout.java()))

    /** Creates instances until there are that many, or as many as the pool may have. */
    fun warmUp(instances: Int) = asJava.warmUp(instances)

    /** Refuses new and waiting calls, and waits for running calls. */
    override fun close() = close(null)

    /**
     * The same; after that time it throws [CallTimeoutException], and the pool is closed all the
     * same.
     */
    fun close(timeout: Duration?) {
        if (!isClosed) asJava.close(timeout.java())
    }

    override fun toString(): String = "Pool($size × ${plugin.name})"
}

/** Interchangeable instances of one plugin, for many coroutines: a [Pool] whose calls suspend. */
class AsyncPool internal constructor(
    /** The plugin of these instances. */
    val plugin: Plugin,
    override val asJava: JavaPool,
) : AsyncExports, AutoCloseable {
    /** The maximum number of instances. */
    val size: Int get() = asJava.size()

    /** What it has done so far, and what it has now. */
    val stats: PoolStats get() = asJava.stats()

    /** Whether it is closed. */
    val isClosed: Boolean get() = asJava.isClosed

    /** Lends an instance to one caller, as [Pool.take] does. */
    suspend fun take(timeout: Duration? = null): AsyncInstance = AsyncInstance(
        plugin,
        elsewhere { token ->
            // A coroutine that is cancelled meanwhile does not get it.
            asJava.take(timeout.java()).also { if (token.isCancelled) it.close() }
        },
    )

    /** Creates instances until there are that many, or as many as the pool may have. */
    suspend fun warmUp(instances: Int) = elsewhere { asJava.warmUp(instances) }

    /**
     * Refuses new and waiting calls, and waits for running calls; after [timeout] it throws
     * [CallTimeoutException].
     */
    suspend fun shutDown(timeout: Duration? = null) = elsewhere { if (!isClosed) asJava.close(timeout.java()) }

    /** The same without waiting for running calls. */
    override fun close() = asJava.close()

    override fun toString(): String = "AsyncPool($size × ${plugin.name})"
}
