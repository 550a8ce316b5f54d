package dev.undergo

import java.nio.file.Path
import kotlin.time.Duration
import dev.undergo.core.Plugin as CorePlugin

/** A compiled plugin: load it once and instantiate it as often as needed, from any thread. */
class Plugin private constructor(private val core: CorePlugin) {
    /** The name that it was given: the file's. */
    val name: String get() = core.name()

    /** `reactor`, `command` or `component`. */
    val kind: String get() = core.kind()

    /** Which code the next instance will have: `fast` or `best`. */
    val tier: String get() = calling { core.tier() }

    /** The interface that it carries, as WIT; null for a bare module. */
    val wit: String? get() = core.wit()

    /** The version of Go that built it, if the module says so. */
    val goVersion: String? get() = core.goVersion()

    /** Warnings about loading it, as sentences: for example that its code can't be cached. */
    val diagnostics: List<String> get() = core.diagnostics()

    /** The functions that can be called, by their names in WIT. */
    val exports: Map<String, Function> get() = core.exports().associate { it.name to Function(it) }

    /** The functions that the host has to provide, by interface and name. */
    val imports: Map<String, Map<String, Function>>
        get() = core.imports().groupBy({ it.`interface` }, { Function(it.function) }).mapValues { (_, all) -> all.associateBy { it.name } }

    /**
     * Waits until nothing of it is being compiled in the background; new instances then have the
     * best code.
     */
    fun waitCompiled() = calling { core.waitCompiled() }

    /**
     * Creates an instance, which has its own memory, goroutines and globals.
     *
     * @param imports the functions that the plugin needs.
     * @param sandbox what it may reach; nothing by default.
     * @param limits what it may use.
     * @throws MissingImportException naming all missing functions.
     */
    @JvmOverloads
    fun instantiate(imports: Imports = Imports(), sandbox: Sandbox = Sandbox(), limits: Limits = Limits()): Instance =
        Instance(this, calling { core.instantiate(imports.core, sandbox.core(), limits.core()) })

    /** The same for calls that suspend. */
    suspend fun instantiateAsync(imports: Imports = Imports(), sandbox: Sandbox = Sandbox(), limits: Limits = Limits()): AsyncInstance =
        AsyncInstance(this, calling { core.instantiateAsync(imports.core, sandbox.core(), limits.core()) })

    /**
     * Creates a pool of interchangeable instances, so that many threads can call at once.
     *
     * @param size the maximum number of instances; they are created when calls need them.
     * @param imports as of [instantiate]; the functions are called by several threads at once.
     * @param sandbox what each instance may reach.
     * @param limits what each instance may use. The timeout includes waiting for an instance and
     *   creating one.
     * @param maxCalls an instance is replaced after this many calls; 1 gives each call a fresh
     *   instance. Null: it serves as long as it lives.
     * @param idle an instance that was unused for this long is dropped. Null: it is kept.
     * @param warm how many instances are created at once.
     */
    fun pool(
        size: Int,
        imports: Imports = Imports(),
        sandbox: Sandbox = Sandbox(),
        limits: Limits = Limits(),
        maxCalls: Long? = null,
        idle: Duration? = null,
        warm: Int = 0,
    ): Pool {
        checkPool(size, maxCalls, idle)
        val made = calling { core.pool(size.toULong(), imports.core, sandbox.core(), limits.core(), maxCalls?.toULong(), seconds(idle)) }
        return Pool(this, made).also { if (warm != 0) it.warmUp(warm) }
    }

    /** Overload for Java. */
    @JvmName("pool")
    fun poolOf(size: Int, imports: Imports): Pool = pool(size, imports, Sandbox())

    /**
     * Makes a pool whose calls suspend, none of whose instances is made yet. The parameters are
     * those of [pool].
     */
    fun asyncPool(
        size: Int,
        imports: Imports = Imports(),
        sandbox: Sandbox = Sandbox(),
        limits: Limits = Limits(),
        maxCalls: Long? = null,
        idle: Duration? = null,
    ): AsyncPool {
        checkPool(size, maxCalls, idle)
        val options = maxCalls?.toULong()
        return AsyncPool(this, calling { core.asyncPool(size.toULong(), imports.core, sandbox.core(), limits.core(), options, seconds(idle)) })
    }

    /**
     * Runs a command to completion, and returns its exit code and output. Any exit code is a
     * result, not an error.
     *
     * @param args `os.Args` after the program's name. [args], [env] and [stdin] replace the
     *   sandbox's own.
     * @param env its environment variables.
     * @param stdin what it reads from its standard input.
     * @param imports as of [instantiate], for a command that needs functions of the host.
     * @param sandbox what else it may reach. Its output is captured, up to 1 MiB of each stream,
     *   unless the sandbox says where it goes.
     * @param limits what the whole run may use.
     * @param timeout how long it may take, instead of the limits' timeout.
     * @param cancel can end it earlier, from any thread.
     * @throws InvalidPluginException for a reactor, whose exports are to be called.
     * @throws UndergoException if anything but an exit ends it: a trap, a timeout, a cancelled
     *   token, a lack of fuel.
     */
    fun run(
        args: List<String>? = null,
        env: Map<String, String>? = null,
        stdin: Input? = null,
        imports: Imports = Imports(),
        sandbox: Sandbox = Sandbox(),
        limits: Limits = Limits(),
        timeout: Duration? = null,
        cancel: CancelToken? = null,
    ): Completed {
        val own = sandboxOfRun(sandbox, args, env, stdin)
        return Completed(calling { core.run(imports.core, own.core(), limits.core(), seconds(timeout), cancel?.core) })
    }

    /** Overload for Java. */
    @JvmName("run")
    @JvmOverloads
    fun runOf(args: List<String>, sandbox: Sandbox = Sandbox(), limits: Limits = Limits()): Completed = run(args, null, null, Imports(), sandbox, limits)

    /**
     * The same, suspending: no thread is held while the command waits, host functions may be
     * suspend functions, and a coroutine that is cancelled ends it.
     */
    suspend fun runAsync(
        args: List<String>? = null,
        env: Map<String, String>? = null,
        stdin: Input? = null,
        imports: Imports = Imports(),
        sandbox: Sandbox = Sandbox(),
        limits: Limits = Limits(),
        timeout: Duration? = null,
        cancel: CancelToken? = null,
    ): Completed {
        val own = sandboxOfRun(sandbox, args, env, stdin)
        return Completed(calling { core.runAsync(imports.core, own.core(), limits.core(), seconds(timeout), cancel?.core) })
    }

    override fun toString(): String = "Plugin($name)"

    companion object {
        /**
         * Compiles a file, or finds its code in the cache.
         *
         * @param compile by which compiler.
         * @param cache where compiled code is kept for the next process.
         * @param loading what it may cost, and what ends it.
         * @throws InvalidPluginException if it is not a plugin; the message says what to do.
         */
        @JvmStatic
        @JvmOverloads
        fun load(
            path: Path,
            compile: Compile = Compile.TIERED,
            cache: Cache = Cache.User,
            loading: Loading = Loading(),
        ): Plugin = Plugin(calling { CorePlugin.fromFile(path.toString(), compile.core(), cache.core(), loading.core()) })

        /** The same by the path's text. */
        @JvmStatic
        @JvmOverloads
        fun load(
            path: String,
            compile: Compile = Compile.TIERED,
            cache: Cache = Cache.User,
            loading: Loading = Loading(),
        ): Plugin = load(Path.of(path), compile, cache, loading)

        /** Compiles a module. [name] is what its `os.Args[0]` will be. */
        @JvmStatic
        @JvmOverloads
        fun compile(
            bytes: ByteArray,
            name: String = "plugin.wasm",
            compile: Compile = Compile.TIERED,
            cache: Cache = Cache.User,
            loading: Loading = Loading(),
        ): Plugin = Plugin(calling { CorePlugin.fromBytes(name, bytes, compile.core(), cache.core(), loading.core()) })

        /**
         * Loads a compiled plugin, which `undergo compile` made: native code, which runs outside
         * the sandbox.
         *
         * @param trusted must be true, to confirm that the file comes from `undergo compile` and
         *   that nobody has changed it. Damage is detected; malice is not.
         */
        @JvmStatic
        fun loadCompiled(path: Path, trusted: Boolean): Plugin {
            require(trusted) {
                "a compiled plugin is native code, which runs outside the sandbox: pass trusted = true if you trust who made it, " +
                    "or else load the .wasm file"
            }
            return Plugin(calling { CorePlugin.loadTrusted(path.toString()) })
        }
    }
}

/** The sandbox of one run: what is given for the run alone is in place of the sandbox's own. */
private fun sandboxOfRun(sandbox: Sandbox, args: List<String>?, env: Map<String, String>?, stdin: Input?): Sandbox =
    sandbox.copy(args = args ?: sandbox.args, env = env ?: sandbox.env, stdin = stdin ?: sandbox.stdin)

/** Checks the numbers of a pool. */
private fun checkPool(size: Int, maxCalls: Long?, idle: Duration?) {
    require(size >= 1) { "size is $size; write a whole number of at least 1" }
    require(maxCalls == null || maxCalls >= 1) { "maxCalls is $maxCalls; write a whole number of at least 1" }
    require(idle == null || idle.isPositive()) { "idle is $idle; write a time that is more than 0, or null to keep unused instances" }
}
