package dev.undergo

import dev.undergo.java.LoadOptions
import dev.undergo.java.Options
import java.nio.file.Path
import java.time.Instant
import kotlin.time.Duration
import kotlin.time.toJavaDuration
import dev.undergo.java.Output as JavaOutput

/** So many KiB, in bytes. */
val Int.KiB: Long get() = this * (1L shl 10)

/** So many MiB, in bytes. */
val Int.MiB: Long get() = this * (1L shl 20)

/** So many GiB, in bytes. */
val Int.GiB: Long get() = this * (1L shl 30)

/** So many bytes, as people write them: `"64 MiB".bytes`, `"1.5 GB".bytes`, `"64M".bytes`. */
val String.bytes: Long get() = size(this)

/**
 * What an instance may use. By default there is no limit but those of WebAssembly (4 GiB of memory)
 * and of one value.
 *
 * @property memory bytes of guest memory: `64.MiB`.
 * @property timeout how long a call may take, and the initialisation: computing, sleeping, host
 *   functions and waiting for the instance.
 * @property value bytes that one value from the guest may take on this side, as objects; 1 GiB by
 *   default.
 * @property output bytes that the guest may write to each of its two outputs over its life; the
 *   rest is dropped, which is not an error for the guest.
 * @property table elements of the guest's tables, all together; 4 Mi by default.
 * @property stack bytes of guest stack of one call, from 64 KiB to 512 MiB, rounded up to a power
 *   of two; 4 MiB by default.
 * @property fuel how much each call may compute, in units of about one WebAssembly instruction. It
 *   costs about a tenth of the speed.
 * @property descriptors descriptors of this process that the guest may hold at once: files,
 *   directories, sockets, connections that it accepted, and pipes; 128 by default.
 * @property handles handles that the guest may hold at once, of objects of the host and of its own;
 *   10,000 by default.
 */
data class Limits(
    val memory: Long? = null,
    val timeout: Duration? = null,
    val value: Long? = null,
    val output: Long? = null,
    val table: Long? = null,
    val stack: Long? = null,
    val fuel: Long? = null,
    val descriptors: Int? = null,
    val handles: Int? = null,
) {
    init {
        val all = listOf("memory" to memory, "value" to value, "output" to output, "table" to table, "fuel" to fuel)
        for ((name, given) in all + listOf("descriptors" to descriptors?.toLong(), "handles" to handles?.toLong())) {
            require(given == null || given > 0) { "Limits.$name is $given; write a positive number" }
        }
        require(table == null || table <= Int.MAX_VALUE) { "Limits.table is $table; write a number of at most ${Int.MAX_VALUE}" }
        require(stack == null || stack in 64.KiB..512.MiB) { "Limits.stack is $stack bytes; it must be from 64 KiB to 512 MiB" }
        timeout.java()
    }

    /** The same with another time for calls, unless that is null. */
    internal fun within(time: Duration?): Limits = if (time == null) this else copy(timeout = time)

    internal fun give(to: Options) {
        memory?.let(to::memory)
        timeout.java()?.let(to::timeout)
        value?.let(to::value)
        output?.let(to::output)
        table?.let { to.table(it.toInt()) }
        stack?.let(to::stack)
        fuel?.let(to::fuel)
        descriptors?.let(to::descriptors)
        handles?.let(to::handles)
    }
}

/**
 * A directory of the host, given to the guest.
 *
 * @property path its path on the host.
 * @property readonly whether the guest may only read.
 */
data class Dir(val path: Path, val readonly: Boolean = false)

/** Where a guest's standard input comes from. */
sealed interface Input {
    /** These bytes. */
    class Content(val bytes: ByteArray) : Input

    /** A file or a FIFO, which each instance reads from its beginning. */
    data class File(val path: Path) : Input

    /** The standard input of this process. */
    data object Inherit : Input
}

/** Where a guest's output goes. */
sealed interface Output {
    /** To the same stream of this process. */
    data object Inherit : Output

    /** Nowhere. */
    data object Discard : Output

    /**
     * Into a buffer, which `takeStdout` and `takeStderr` empty, or which a command's [Completed]
     * has. What is beyond [limit] bytes is dropped.
     */
    data class Capture(val limit: Long = 1L shl 20) : Output {
        init {
            require(limit > 0) { "limit is $limit; write a positive number of bytes, or discard the output" }
        }
    }

    /**
     * To a function, line by line, while the guest waits: without the newline; what is not UTF-8 is
     * replaced, a line of more than 64 KiB comes in pieces. What it throws ends the call and the
     * instance, and reaches the caller. It can't call the instance whose output it gets.
     */
    fun interface Lines : Output {
        /** Takes a line. */
        fun line(text: String)
    }
}

/**
 * What an instance may reach. By default nothing but the standard output and error of this process.
 *
 * @property args `os.Args` after the program's name, which is always there.
 * @property env environment variables; nothing is taken from this process's own environment.
 * @property dirs directories of the host, by the path at which the guest sees them. They are opened
 *   once, when an instance, a pool or a run is created. If none is given at `/`, the guest sees an
 *   empty root that it can only read.
 * @property temp whether the guest gets a private, empty folder at `/tmp`. It is created with the
 *   instance, in the host's place for temporary files, and removed when the instance is reset or
 *   closed. Only the host's disk limits what the guest writes there.
 * @property stdin what the guest reads from its standard input.
 * @property stdout where its standard output goes; null is [Output.Inherit] for an instance, and
 *   [Output.Capture] for a command that is run.
 * @property stderr where its standard error goes, likewise. Its end is kept for the text of a panic
 *   in any case.
 * @property clock for repeatable runs: the guest's clock starts at this time, from 1970 on, anew
 *   for each instance and each run. It advances by a microsecond whenever the guest reads it, and
 *   to the end of a wait such as `time.Sleep`, which takes no time. Timeouts, and the times of
 *   files, follow the host's clock.
 * @property seed for repeatable runs: all random numbers of the guest follow from this, including
 *   those of `crypto/rand` and the order of maps. Never use it where keys are made.
 * @property network what it may reach over the network: rules such as `example.org:443` and
 *   `listen=127.0.0.1:8080`; docs/network.md has all of them.
 * @property listeners addresses such as `127.0.0.1:8080` at which the host listens for the guest,
 *   which needs no rule to accept there. Their descriptors are the first ones after those of the
 *   directories, from 3 on. They are opened for each instance, each run and each pool, whose
 *   instances share them, and closed with it.
 */
data class Sandbox(
    val args: List<String> = emptyList(),
    val env: Map<String, String> = emptyMap(),
    val dirs: Map<String, Dir> = emptyMap(),
    val stdin: Input = Input.Content(ByteArray(0)),
    val stdout: Output? = null,
    val stderr: Output? = null,
    val clock: Instant? = null,
    val seed: ULong? = null,
    val network: List<String> = emptyList(),
    val listeners: List<String> = emptyList(),
    val temp: Boolean = false,
) {
    init {
        val unknown = listeners.find { it.endsWith(":0") }
        require(unknown == null) { "nobody would know the port of the listener $unknown; give a port" }
        require(clock == null || clock >= Instant.EPOCH) { "Sandbox.clock is $clock; give a time from 1970 on" }
    }

    internal fun give(to: Options) {
        to.args(*args.toTypedArray())
        for ((name, value) in env) to.env(name, value)
        for ((guest, dir) in dirs) if (dir.readonly) to.readOnlyDir(guest, dir.path) else to.dir(guest, dir.path)
        if (temp) to.temp()
        when (stdin) {
            is Input.Content -> to.stdin(stdin.bytes)
            is Input.File -> to.stdin(stdin.path)
            Input.Inherit -> to.inheritStdin()
        }
        // Where nothing is said, it depends on whether it is a command.
        stdout?.let { to.stdout(it.java()) }
        stderr?.let { to.stderr(it.java()) }
        clock?.let(to::clock)
        seed?.let { to.seed(it.toLong()) }
        to.network(*network.toTypedArray())
        listeners.forEach(to::listen)
    }
}

/** Which compiler a plugin's code comes from. */
enum class Compile {
    /** Quickly first, and better in the background, for instances that are created later. */
    TIERED,

    /** Quickly, to code that takes two to three times as long. */
    FAST,

    /** Well, and loading waits for it. */
    BEST,
}

/** Where compiled code is kept for the next process. */
sealed interface Cache {
    /** In the folder that `UNDERGO_CACHE_DIR` names, or in the user's cache folder. */
    data object User : Cache

    /** Nowhere. */
    data object Off : Cache

    /** In that folder, which has to be private to the user. */
    data class Folder(val path: Path) : Cache
}

private fun Output.java(): JavaOutput = when (this) {
    Output.Inherit -> JavaOutput.inherit()
    Output.Discard -> JavaOutput.discard()
    is Output.Capture -> JavaOutput.capture(limit)
    is Output.Lines -> JavaOutput.lines { line(it) }
}

/**
 * What loading a plugin may cost, and what ends it.
 *
 * @property bounds how many times as much as usual the module may ask of the compilers: a
 *   compilation can't be stopped, so a module that asks for more is refused.
 * @property timeout how long it may take. A compilation that has begun goes on in the background,
 *   within the bounds.
 * @property cancel can end it earlier, from any thread.
 * @property compiler the program `undergo`, of this version, which compiles in a separate process
 *   with limited time and memory: for modules that you don't trust.
 * @property optimize whether Go's code is rewritten with structured control flow before it is
 *   compiled, which makes it faster.
 */
class Loading(
    val bounds: Int = 1,
    val timeout: Duration? = null,
    val cancel: CancelToken? = null,
    val compiler: Path? = null,
    val optimize: Boolean = true,
) {
    init {
        require(bounds >= 1) { "bounds is $bounds; write a whole number of at least 1" }
    }

    internal fun options(compile: Compile, cache: Cache): LoadOptions {
        val options = LoadOptions().compile(LoadOptions.Compile.valueOf(compile.name)).bounds(bounds).optimize(optimize)
        when (cache) {
            Cache.User -> {}
            Cache.Off -> options.noCache()
            is Cache.Folder -> options.cache(cache.path)
        }
        return options.timeout(timeout.java()).cancel(cancel).compiler(compiler)
    }
}

/** What an instance is made with. */
internal fun options(imports: Imports, sandbox: Sandbox, limits: Limits): Options =
    Options().also {
        imports.give(it)
        sandbox.give(it)
        limits.give(it)
    }

/** A time for Java. */
internal fun Duration?.java(): java.time.Duration? {
    require(this == null || !isNegative()) { "the time is $this; write one that is not negative" }
    return this?.toJavaDuration()
}
