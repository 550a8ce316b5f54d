package dev.undergo

import dev.undergo.core.CancelToken as CoreToken

/**
 * Ends calls from another thread. One token may serve many calls; a cancelled token stays
 * cancelled.
 */
class CancelToken {
    internal val core = CoreToken()

    /** Ends all calls that have the token, now and later. Does not wait for them to end. */
    fun cancel() = core.cancel()

    /** Whether it is cancelled. */
    val isCancelled: Boolean get() = core.isCancelled()
}
