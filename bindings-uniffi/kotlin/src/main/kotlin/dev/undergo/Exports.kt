package dev.undergo

import dev.undergo.core.Value
import kotlin.coroutines.coroutineContext
import kotlin.time.Duration
import kotlin.time.toKotlinDuration
import dev.undergo.core.AsyncInstance as CoreAsyncInstance
import dev.undergo.core.AsyncPool as CoreAsyncPool
import dev.undergo.core.Instance as CoreInstance
import dev.undergo.core.Pool as CorePool

/** The exports of an instance or a pool: what its class and its views share. */
interface Exports {
    /**
     * Calls an export, by its name in WIT or in Kotlin, with plain objects; gives one: see
     * [toValue] and [toPlain].
     *
     * @throws UndergoException when the call does not return; what a host function has thrown comes
     *   as it is.
     */
    fun call(name: String, vararg args: Any?): Any? = toPlain(callValues(name, args.map(::toValue)))

    /** The same with [Value]s. */
    fun callValues(name: String, args: List<Value>): Value
}

/** The exports of an instance or a pool whose calls suspend. */
interface AsyncExports {
    /**
     * Calls an export as [Exports.call] does. When the coroutine is cancelled, so is the call,
     * which ends the instance.
     */
    suspend fun call(name: String, vararg args: Any?): Any? = toPlain(callValues(name, args.map(::toValue)))

    /** The same with [Value]s. */
    suspend fun callValues(name: String, args: List<Value>): Value
}

/** The same exports; the errors that they return are of the classes that [make] makes. */
fun Exports.withErrors(make: ErrorMaker): Exports {
    val exports = this
    return object : Exports {
        override fun callValues(name: String, args: List<Value>): Value = making(make) { exports.callValues(name, args) }
    }
}

/** The same exports; the errors that they return are of the classes that [make] makes. */
fun AsyncExports.withErrors(make: ErrorMaker): AsyncExports {
    val exports = this
    return object : AsyncExports {
        override suspend fun callValues(name: String, args: List<Value>): Value = making(make) { exports.callValues(name, args) }
    }
}

/** What has views with other options for their calls. */
interface Usable<E> {
    /**
     * A view of the same thing with other options for its calls.
     *
     * @param timeout how long a call may take, including the wait for its turn; the limit of the
     *   instance when null.
     * @param cancel can end the calls earlier, from any thread.
     */
    fun using(timeout: Duration? = null, cancel: CancelToken? = null): E

    /** Overload for Java. */
    fun using(timeout: java.time.Duration?, cancel: CancelToken?): E = using(timeout?.toKotlinDuration(), cancel)
}

internal class InstanceView(private val core: CoreInstance, private val timeout: Double?, private val cancel: CancelToken?) : Exports {
    override fun callValues(name: String, args: List<Value>): Value = calling { core.call(name, args, timeout, cancel?.core) }
}

internal class PoolView(private val core: CorePool, private val timeout: Double?, private val cancel: CancelToken?) : Exports {
    override fun callValues(name: String, args: List<Value>): Value = calling { core.call(name, args, timeout, cancel?.core) }
}

internal class AsyncInstanceView(private val core: CoreAsyncInstance, private val timeout: Double?, private val cancel: CancelToken?) :
    AsyncExports {
    override suspend fun callValues(name: String, args: List<Value>): Value =
        calling { core.call(name, args, timeout, cancel?.core, Within.lease(coroutineContext)) }
}

internal class AsyncPoolView(private val core: CoreAsyncPool, private val timeout: Double?, private val cancel: CancelToken?) :
    AsyncExports {
    override suspend fun callValues(name: String, args: List<Value>): Value =
        calling { core.call(name, args, timeout, cancel?.core, Within.lease(coroutineContext)) }
}
