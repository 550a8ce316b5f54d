package dev.undergo

import dev.undergo.java.KeyValue
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

    /**
     * Gives the exports of another instance as the functions of an interface: a plugin that calls a
     * plugin. Their types have to be those that the plugin imports, or else no instance is made.
     * Functions that are given later replace those of the same name.
     *
     * A call goes from guest to guest, within the bounds of the call around it, and waits for its
     * turn where others call the linked instance. Whatever ends that one is an error of the import.
     * Calls in a circle are busy. The linked instance must be none of a pool.
     */
    fun link(module: String, instance: Instance): Imports = raw { options -> options.link(module, instance.asJava) }

    /** The same with an instance whose calls suspend, where others await them. */
    fun link(module: String, instance: AsyncInstance): Imports = raw { options -> options.link(module, instance.asJava) }

    /**
     * Gives `wasi:keyvalue`: `store`, `batch` and `atomics`. What has the same stores shares them.
     */
    fun keyvalue(stores: KeyValue): Imports = raw { options -> options.keyvalue(stores) }

    /** Gives `wasi:config` with these values. */
    fun config(values: Map<String, String>): Imports = raw { options -> options.config(values) }

    /** Gives `wasi:logging`, whose lines go to a logger. */
    fun logging(logger: System.Logger): Imports = raw { options -> options.logging(logger) }

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
