package dev.undergo

import dev.undergo.java.Options

/** A function that a plugin may call. */
fun interface HostFunction {
    /**
     * Runs it, with plain objects as [Exports.call] gives them; the result is what that takes. It
     * runs on the thread of the call, several at once for a pool, and may call back into the
     * instance that called it.
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
    private val given = mutableListOf<(Options) -> Unit>()

    internal fun give(options: Options) = given.forEach { it(options) }

    /** Gives functions of a generated client. For what bindgen writes. */
    fun raw(give: (Options) -> Unit): Imports {
        given.add(give)
        return this
    }

    /** Gives a function. */
    fun function(module: String, name: String, function: HostFunction): Imports =
        raw { options -> options.function(module, name) { given(function.call(read(it))) } }

    /**
     * Gives a suspend function. The guest waits for it, and so does the thread of the call, on
     * which it runs; it belongs to the coroutine that made the call.
     */
    fun suspending(module: String, name: String, function: suspend (List<Any?>) -> Any?): Imports =
        function(module, name) { args -> waiting { function(args) } }

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
