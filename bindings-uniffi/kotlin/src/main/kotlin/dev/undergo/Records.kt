package dev.undergo

import dev.undergo.core.FunctionInfo
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds
import dev.undergo.core.Completed as CoreCompleted
import dev.undergo.core.PoolStats as CoreStats
import dev.undergo.core.Usage as CoreUsage

/**
 * What an instance used.
 *
 * @property time how long the last call took, or the initialisation before the first.
 * @property memory bytes of guest memory after it.
 * @property fuel what it used of its fuel; null without a limit of fuel.
 */
data class Usage(val time: Duration, val memory: Long, val fuel: Long?) {
    internal constructor(core: CoreUsage) : this(core.time.seconds, core.memory.toLong(), core.fuel?.toLong())
}

/**
 * The result of a command.
 *
 * @property code its exit code: that of `os.Exit`, 0 when `main` returned, 2 after a panic, whose
 *   text is on its standard error.
 * @property stdout what it wrote to its standard output, if that is captured.
 * @property stderr the same for its standard error.
 * @property truncated whether it wrote more than is captured, or than the limits allow.
 * @property usage what it used.
 * @property denied what the sandbox denied it of the network, each denial once, with the rule that
 *   would allow it.
 */
class Completed internal constructor(core: CoreCompleted) {
    val code: Int = core.code
    val stdout: ByteArray = core.stdout
    val stderr: ByteArray = core.stderr
    val truncated: Boolean = core.truncated
    val usage: Usage = Usage(core.usage)
    val denied: List<String> = core.denied

    override fun toString(): String = "Completed with code $code, ${stdout.size} and ${stderr.size} bytes of output"
}

/**
 * What a pool has done so far, and what it has now.
 *
 * @property busy instances that are in a call, or are being created for one.
 * @property idle instances that are free.
 * @property waiting callers that wait for an instance.
 * @property calls calls that got an instance.
 * @property made instances that were created.
 * @property died instances that were dropped because a call had killed them.
 * @property retired instances that were dropped because they had answered their number of calls.
 * @property shrunk instances that were dropped because they had been unused for long.
 */
data class PoolStats(
    val busy: Long,
    val idle: Long,
    val waiting: Long,
    val calls: Long,
    val made: Long,
    val died: Long,
    val retired: Long,
    val shrunk: Long,
) {
    internal constructor(core: CoreStats) : this(
        core.busy.toLong(), core.idle.toLong(), core.waiting.toLong(), core.calls.toLong(),
        core.made.toLong(), core.died.toLong(), core.retired.toLong(), core.shrunk.toLong(),
    )
}

/**
 * A function of a plugin's interface.
 *
 * @property name its name in WIT.
 * @property docs its Go doc comment.
 * @property params the WIT types of its parameters, by their names, in order.
 * @property result the WIT type of its result; null where it returns nothing.
 * @property fallible whether it can return an error.
 * @property signature all of it in one line:
 *   `greet(p: person, shout: bool) -> result<string, string>`.
 */
data class Function(
    val name: String,
    val docs: String,
    val params: Map<String, String>,
    val result: String?,
    val fallible: Boolean,
    val signature: String,
) {
    internal constructor(core: FunctionInfo) : this(
        core.name, core.docs, core.params.associate { it.name to it.typeName }, core.result, core.fallible, core.signature,
    )
}
