package dev.undergo

import dev.undergo.core.Value
import kotlin.coroutines.coroutineContext
import kotlin.time.Duration
import dev.undergo.core.AsyncPool as CoreAsyncPool
import dev.undergo.core.Pool as CorePool

/**
 * Interchangeable instances of one plugin, for many threads. A call takes a free instance, creates
 * one, or waits for its turn: first come, first served. An instance that a call has killed is
 * replaced.
 */
class Pool internal constructor(
    /** The plugin of these instances. */
    val plugin: Plugin,
    private val core: CorePool,
) : Exports, Usable<Exports>, AutoCloseable {
    /** The maximum number of instances. */
    val size: Int get() = core.size().toInt()

    /** What it has done so far, and what it has now. */
    val stats: PoolStats get() = PoolStats(core.stats())

    /** Whether it is closed. */
    val isClosed: Boolean get() = core.isClosed()

    override fun callValues(name: String, args: List<Value>): Value = calling { core.call(name, args, null, null) }

    override fun using(timeout: Duration?, cancel: CancelToken?): Exports = PoolView(core, seconds(timeout), cancel)

    /** Creates instances until there are that many, or as many as the pool may have. */
    fun warmUp(instances: Int) {
        require(instances >= 0) { "a pool can't be warmed up to $instances instances" }
        calling { core.warmUp(instances.toULong()) }
    }

    /** Refuses new and waiting calls, and waits for running calls. */
    override fun close() = close(null)

    /**
     * The same; after that time it throws [CallTimeoutException], and the pool is closed all the
     * same.
     */
    fun close(timeout: java.time.Duration?) = calling { core.shutDown(seconds(timeout)) }

    override fun toString(): String = "Pool($size × ${plugin.name})"
}

/** Interchangeable instances of one plugin, for many coroutines: a [Pool] whose calls suspend. */
class AsyncPool internal constructor(
    /** The plugin of these instances. */
    val plugin: Plugin,
    private val core: CoreAsyncPool,
) : AsyncExports, Usable<AsyncExports>, AutoCloseable {
    /** The maximum number of instances. */
    val size: Int get() = core.size().toInt()

    /** What it has done so far, and what it has now. */
    val stats: PoolStats get() = PoolStats(core.stats())

    /** Whether it is closed. */
    val isClosed: Boolean get() = core.isClosed()

    override suspend fun callValues(name: String, args: List<Value>): Value =
        calling { core.call(name, args, null, null, Within.lease(coroutineContext)) }

    override fun using(timeout: Duration?, cancel: CancelToken?): AsyncExports = AsyncPoolView(core, seconds(timeout), cancel)

    /** Creates instances until there are that many, or as many as the pool may have. */
    suspend fun warmUp(instances: Int) {
        require(instances >= 0) { "a pool can't be warmed up to $instances instances" }
        calling { core.warmUp(instances.toULong()) }
    }

    /**
     * Refuses new and waiting calls, and waits for running calls; after [timeout] it throws
     * [CallTimeoutException].
     */
    suspend fun shutDown(timeout: Duration? = null) = calling { core.shutDown(seconds(timeout)) }

    /** The same without waiting for running calls. */
    override fun close() = core.shutDownNow()

    override fun toString(): String = "AsyncPool($size × ${plugin.name})"
}
