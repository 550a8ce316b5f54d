package dev.undergo

import dev.undergo.core.CancelToken as CoreToken

/** Ends calls from another thread. One token may serve many calls, and is used up once it is cancelled. */
class CancelToken {
    internal val core = CoreToken()

    /** Ends all calls that have the token, now and later. Does not wait for their end. */
    fun cancel() = core.cancel()

    /** Whether it was cancelled. */
    val isCancelled: Boolean get() = core.isCancelled()
}
