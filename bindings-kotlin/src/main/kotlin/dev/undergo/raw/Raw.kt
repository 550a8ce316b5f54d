/** What `undergo bindgen --lang kotlin` writes uses these; they change with it. */
package dev.undergo.raw

import dev.undergo.Items
import dev.undergo.awaiting
import dev.undergo.given
import dev.undergo.java.Raw
import dev.undergo.java.RawCall
import dev.undergo.java.RawClient
import dev.undergo.java.RawRoom
import dev.undergo.taken
import dev.undergo.waiting

/**
 * Calls an export.
 *
 * @param export its index in the client.
 * @param name its name in WIT.
 * @param args bytes of the struct of the arguments, which [put] writes.
 * @param result bytes of the result, which [get] reads; 0 for none.
 */
inline fun <T> RawClient.call(export: Int, name: String, args: Int, result: Int, put: (RawCall, Long) -> Unit, get: (Long) -> T): T {
    val call = begin(export, args, result)
    try {
        put(call, call.args())
        call.run()
        return get(call.result())
    } catch (error: RuntimeException) {
        throw call.failed(name, error)
    } finally {
        call.end()
    }
}

/** Makes calls for a coroutine, on another thread. */
suspend fun <T> RawClient.awaited(calls: (RawClient) -> T): T = awaiting(exports()) { calls(on(it)) }

/** Runs a host function that suspends. */
fun <T> suspended(function: suspend () -> T): T = waiting(function)

/** Writes what JSON can hold. */
fun putAny(room: RawRoom, at: Long, value: Any?) = Raw.putPlain(room, at, given(value))

/** Reads JSON. */
fun getAny(at: Long): Any? = taken(Raw.getJson(at))

/** Reads an iterator, of items of so many bytes; null where there is none. */
fun <T> getItems(client: RawClient, at: Long, resource: String, size: Int, get: Raw.Get<T>): Items<T>? =
    Raw.getItems(client, at, resource, size, get)?.let { items ->
        @Suppress("UNCHECKED_CAST")
        Items(items) { it as T }
    }
