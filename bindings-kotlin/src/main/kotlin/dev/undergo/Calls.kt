package dev.undergo

import dev.undergo.java.RawAsync
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.future.await
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import kotlin.coroutines.AbstractCoroutineContextElement
import kotlin.coroutines.ContinuationInterceptor
import kotlin.coroutines.CoroutineContext
import kotlin.coroutines.EmptyCoroutineContext
import dev.undergo.java.Exports as JavaExports

/**
 * Ends calls from another thread. One token may serve many calls; a cancelled token stays
 * cancelled.
 */
typealias CancelToken = dev.undergo.java.CancelToken

/** What a thread of the package for Java is doing a call for. */
private class Caller(val context: CoroutineContext, val of: JavaExports?) {
    /** Runs code that host functions are called from. What it throws comes as it is. */
    fun <T> run(code: () -> T): Result<T> {
        val outer = current.get()
        current.set(this)
        try {
            return runCatching(code)
        } finally {
            current.set(outer)
        }
    }

    companion object {
        val current = ThreadLocal<Caller?>()
    }
}

/** The thread of a host function that suspends: it alone may call back into the instance. */
private class HostThread(val of: JavaExports, val dispatcher: CoroutineContext) : AbstractCoroutineContextElement(HostThread) {
    companion object Key : CoroutineContext.Key<HostThread>
}

/**
 * Makes a call for a coroutine, on a thread of the package for Java. If the coroutine is cancelled,
 * so is the call.
 */
internal suspend fun <T> awaiting(of: JavaExports, call: (JavaExports) -> T): T {
    val context = currentCoroutineContext()
    val host = context[HostThread]
    // What comes out of withContext and await as an exception may be a copy of what was thrown.
    val outcome = if (host != null && RawAsync.isSame(host.of, of)) {
        withContext(host.dispatcher) { Caller(context, of).run { call(of) } }
    } else {
        RawAsync.call(of) { view -> Caller(context, of).run { call(view) } }.await()
    }
    return outcome.getOrThrow()
}

/** Runs code that takes long for a coroutine, which ends it by its token when it is cancelled. */
internal suspend fun <T> elsewhere(cancel: CancelToken? = null, code: (CancelToken) -> T): T {
    val context = currentCoroutineContext()
    return RawAsync.run(cancel) { token -> Caller(context, null).run { code(token) } }.await().getOrThrow()
}

/**
 * Runs a host function that suspends, in the coroutine for which its plugin was called, if any; the
 * thread of the call waits for it.
 */
internal fun <T> waiting(function: suspend () -> T): T {
    val caller = Caller.current.get()
    val context = caller?.context?.minusKey(ContinuationInterceptor) ?: EmptyCoroutineContext
    val outcome = runBlocking(context) {
        val here = coroutineContext[ContinuationInterceptor] ?: EmptyCoroutineContext
        val host = caller?.of?.let { HostThread(it, here) } ?: EmptyCoroutineContext
        // An exception is the plugin's to handle: it does not end the coroutine that called.
        withContext(host) { runCatching { function() } }
    }
    return outcome.getOrThrow()
}
