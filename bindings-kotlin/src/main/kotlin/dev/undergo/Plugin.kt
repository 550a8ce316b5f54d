package dev.undergo

import dev.undergo.java.PoolOptions
import dev.undergo.java.ServeOptions
import java.nio.file.Path
import kotlin.time.Duration
import dev.undergo.java.Plugin as JavaPlugin

/** A compiled plugin: load it once and instantiate it as often as needed, from any thread. */
class Plugin private constructor(private val java: JavaPlugin) {
    /** The name that it was given: the file's. */
    val name: String get() = java.name()

    /** `reactor`, `command` or `component`. */
    val kind: String get() = java.kind()

    /** Which code the next instance will have: `fast` or `best`. */
    val tier: String get() = if (java.isBest) "best" else "fast"

    /** The interface that it carries, as WIT; null for a bare module. */
    val wit: String? get() = java.wit()

    /** The version of Go that built it, if the module says so. */
    val goVersion: String? get() = java.goVersion()

    /** Warnings about loading it, as sentences: for example that its code can't be cached. */
    val diagnostics: List<String> get() = java.diagnostics()

    /** The functions that can be called, by their names in WIT. */
    val exports: Map<String, Function> get() = java.exports().associate { it.name to Function.of(it) }

    /** The functions that the host has to provide, by interface and name. */
    val imports: Map<String, Map<String, Function>>
        get() = java.imports().groupBy({ it.module }, Function::of).mapValues { (_, all) -> all.associateBy { it.name } }

    /**
     * Waits until nothing of it is being compiled in the background; new instances then have the
     * best code.
     */
    fun waitCompiled() = java.waitCompiled()

    /**
     * Creates an instance, which has its own memory, goroutines and globals.
     *
     * @param imports the functions that the plugin needs.
     * @param sandbox what it may reach; nothing by default.
     * @param limits what it may use.
     * @throws MissingImportException naming all missing functions.
     */
    fun instantiate(imports: Imports = Imports(), sandbox: Sandbox = Sandbox(), limits: Limits = Limits()): Instance =
        Instance(this, java.instantiate(options(imports, sandbox, limits)))

    /** The same for calls that suspend. */
    suspend fun instantiateAsync(imports: Imports = Imports(), sandbox: Sandbox = Sandbox(), limits: Limits = Limits()): AsyncInstance =
        AsyncInstance(this, elsewhere { java.instantiate(options(imports, sandbox, limits), it) })

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
    ): Pool = Pool(this, java.pool(poolOptions(size, maxCalls, idle, warm), options(imports, sandbox, limits)))

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
    ): AsyncPool = AsyncPool(this, java.pool(poolOptions(size, maxCalls, idle, 0), options(imports, sandbox, limits)))

    /**
     * Serves HTTP/1.1 by a component that exports `wasi:http/incoming-handler`. Each request is
     * answered by an instance of a pool, which keeps its state for the next one.
     *
     * @param address where to listen; port 0 is one that the system chooses.
     * @param instances the maximum number of instances, each of which answers one request at a
     *   time. Null: four for each processor.
     * @param imports as of [instantiate]; the functions run on threads of the server, several at
     *   once.
     * @param sandbox what each instance may reach.
     * @param limits what each instance may use. The timeout is that of a request, 30 seconds if
     *   there is none.
     * @param maxCalls an instance is replaced after this many requests; 1 gives each request a
     *   fresh instance. Null: it serves as long as it lives.
     * @param idle an instance that was unused for this long is dropped. Null: it is kept.
     * @param queue how many requests may wait for an instance, 256 by default; others are refused
     *   with status 503.
     * @param connections how many connections there may be at a time, 1024 by default.
     * @param body the most bytes of a request's body, 32 MiB by default; a longer one is refused
     *   with status 413.
     * @param onError is told of requests that failed, on threads of the server. Null: the
     *   `System.Logger` of the name `undergo.serve` logs them.
     * @throws InvalidPluginException if the plugin does not serve HTTP.
     * @throws DeniedException if the system refuses to listen there.
     * @throws MissingImportException naming all missing functions.
     */
    fun serve(
        address: String = "127.0.0.1:8080",
        instances: Int? = null,
        imports: Imports = Imports(),
        sandbox: Sandbox = Sandbox(),
        limits: Limits = Limits(),
        maxCalls: Long? = null,
        idle: Duration? = null,
        queue: Int? = null,
        connections: Int? = null,
        body: Long? = null,
        onError: ((UndergoException) -> Unit)? = null,
    ): Server {
        val given = ServeOptions()
        instances?.let(given::instances)
        maxCalls?.let(given::maxCalls)
        idle.java()?.let(given::idle)
        queue?.let(given::queue)
        connections?.let(given::connections)
        body?.let(given::body)
        onError?.let { told -> given.onError { told(it) } }
        return Server(this, java.serve(address, given, options(imports, sandbox, limits)))
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
        return Completed(java.run(options(imports, own, limits.within(timeout)), cancel))
    }

    /**
     * The same on another thread, suspending: a coroutine that is cancelled ends it.
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
        return Completed(elsewhere(cancel) { java.run(options(imports, own, limits.within(timeout)), it) })
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
        fun load(
            path: Path,
            compile: Compile = Compile.TIERED,
            cache: Cache = Cache.User,
            loading: Loading = Loading(),
        ): Plugin = Plugin(JavaPlugin.open(path, loading.options(compile, cache)))

        /** The same by the path's text. */
        fun load(
            path: String,
            compile: Compile = Compile.TIERED,
            cache: Cache = Cache.User,
            loading: Loading = Loading(),
        ): Plugin = load(Path.of(path), compile, cache, loading)

        /** Compiles a module. [name] is what its `os.Args[0]` will be. */
        fun compile(
            bytes: ByteArray,
            name: String = "plugin.wasm",
            compile: Compile = Compile.TIERED,
            cache: Cache = Cache.User,
            loading: Loading = Loading(),
        ): Plugin = Plugin(JavaPlugin.open(name, bytes, loading.options(compile, cache)))

        /**
         * Loads a compiled plugin, which `undergo compile` made: native code, which runs outside
         * the sandbox.
         *
         * @param trusted must be true, to confirm that the file comes from `undergo compile` and
         *   that nobody has changed it. Damage is detected; malice is not.
         */
        fun loadCompiled(path: Path, trusted: Boolean): Plugin {
            require(trusted) {
                "a compiled plugin is native code, which runs outside the sandbox: pass trusted = true if you trust who made it, " +
                    "or else load the .wasm file"
            }
            return Plugin(JavaPlugin.openCompiled(path))
        }
    }
}

/** The sandbox of one run: what is given for the run alone is in place of the sandbox's own. */
private fun sandboxOfRun(sandbox: Sandbox, args: List<String>?, env: Map<String, String>?, stdin: Input?): Sandbox =
    sandbox.copy(args = args ?: sandbox.args, env = env ?: sandbox.env, stdin = stdin ?: sandbox.stdin)

/** Checks the numbers of a pool. */
private fun poolOptions(size: Int, maxCalls: Long?, idle: Duration?, warm: Int): PoolOptions {
    require(size >= 1) { "size is $size; write a whole number of at least 1" }
    require(maxCalls == null || maxCalls >= 1) { "maxCalls is $maxCalls; write a whole number of at least 1" }
    require(idle == null || idle.isPositive()) { "idle is $idle; write a time that is more than 0, or null to keep unused instances" }
    return PoolOptions(size, maxCalls ?: 0, idle.java(), warm)
}
