package dev.undergo

import com.sun.jna.Native
import dev.undergo.core.Lease
import dev.undergo.core.Value
import kotlinx.coroutines.withContext
import kotlin.coroutines.AbstractCoroutineContextElement
import kotlin.coroutines.CoroutineContext
import dev.undergo.core.AsyncHostFunction as CoreAsyncFunction
import dev.undergo.core.HostFunction as CoreFunction
import dev.undergo.core.Imports as CoreImports

/** A function that a plugin may call. */
fun interface HostFunction {
    /**
     * Runs it, with plain objects as [toPlain] makes them; the result is what [toValue] takes.
     * Called on a thread of the library, or the caller's, several at once for a pool. It may call
     * back into the instance that called it.
     *
     * What it throws becomes the Go `error` where the Go function has one among its results;
     * elsewhere it ends the call. Either way the caller of the plugin gets the same object, unless
     * the Go code handles the error.
     */
    fun call(args: List<Any?>): Any?
}

/**
 * The functions that are given to a plugin, by interface and name: as in WIT (`echo-string`) or as
 * in Kotlin (`echoString`). What the plugin does not import is left alone.
 */
class Imports {
    internal val core = CoreImports()

    /** Gives a function. */
    fun function(module: String, name: String, function: HostFunction): Imports =
        functionOfValues(module, name) { args -> toValue(function.call(args.map(::toPlain))) }

    /** Gives a function that takes and returns [Value]s. */
    fun functionOfValues(module: String, name: String, function: (List<Value>) -> Value): Imports {
        core.give(module, name, Direct(function))
        return this
    }

    /**
     * Gives a suspend function, for an [AsyncInstance] or an [AsyncPool]: the guest waits for it
     * without a thread.
     */
    fun suspending(module: String, name: String, function: suspend (List<Any?>) -> Any?): Imports =
        suspendingOfValues(module, name) { args -> toValue(function(args.map(::toPlain))) }

    /** Gives a suspend function that takes and returns [Value]s. */
    fun suspendingOfValues(module: String, name: String, function: suspend (List<Value>) -> Value): Imports {
        core.giveAsync(module, name, Suspending(function))
        return this
    }

    /** Begins an interface: `"directory" { function("lookup") { (name) -> … } }`. */
    operator fun String.invoke(functions: Module.() -> Unit) = Module(this).functions()

    /** An interface of the plugin's imports. */
    inner class Module internal constructor(private val name: String) {
        /** Gives a function. */
        fun function(name: String, function: HostFunction) {
            this@Imports.function(this.name, name, function)
        }

        /** Gives a suspend function. */
        fun suspending(name: String, function: suspend (List<Any?>) -> Any?) {
            this@Imports.suspending(this.name, name, function)
        }
    }
}

/**
 * The functions that are given to a plugin: `imports { "directory" { function("lookup") { (name) ->
 * … } } }`.
 */
fun imports(give: Imports.() -> Unit): Imports = Imports().apply(give)

/**
 * The right of a host function that runs to call back into the asynchronous instance that called
 * it.
 */
internal class Within(val lease: Lease?) : AbstractCoroutineContextElement(Within) {
    companion object Key : CoroutineContext.Key<Within> {
        val thread = ThreadLocal<Lease?>()

        /** That of the host function from which a call comes. */
        fun lease(context: CoroutineContext): Lease? = context[Within]?.lease ?: thread.get()
    }
}

/**
 * A thread of the library that calls back stays known to the virtual machine until it ends: to
 * introduce it takes longer than most calls, and JNA would send it off in the middle of a call when
 * a function that it called from there is done.
 */
private val stayed: ThreadLocal<Unit> = ThreadLocal.withInitial { Native.detach(false) }

private class Direct(private val function: (List<Value>) -> Value) : CoreFunction {
    override fun call(args: List<Value>, lease: Lease?): Value {
        stayed.get()
        val outer = Within.thread.get()
        if (lease !== outer) Within.thread.set(lease)
        try {
            return function(args)
        } catch (thrown: Throwable) {
            throw raised(thrown)
        } finally {
            if (lease !== outer) Within.thread.set(outer)
        }
    }
}

private class Suspending(private val function: suspend (List<Value>) -> Value) : CoreAsyncFunction {
    override suspend fun call(args: List<Value>, lease: Lease?): Value {
        // Caught within: what leaves withContext may be a copy of what was thrown.
        val outcome = withContext(Within(lease)) { runCatching { function(args) } }
        return outcome.getOrElse { throw raised(it) }
    }
}
