package dev.undergo

import kotlin.time.Duration
import kotlin.time.toKotlinDuration
import dev.undergo.java.Completed as JavaCompleted
import dev.undergo.java.Function as JavaFunction
import dev.undergo.java.Usage as JavaUsage

/**
 * What an instance used.
 *
 * @property time how long the last call took, or the initialisation before the first.
 * @property memory bytes of guest memory after it.
 * @property fuel what it used of its fuel; null without a limit of fuel.
 */
data class Usage(val time: Duration, val memory: Long, val fuel: Long?) {
    internal constructor(from: JavaUsage) :
        this(from.time.toKotlinDuration(), from.memory, from.fuel.let { if (it.isPresent) it.asLong else null })
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
class Completed internal constructor(from: JavaCompleted) {
    val code: Int = from.code
    val stdout: ByteArray = from.stdout
    val stderr: ByteArray = from.stderr
    val truncated: Boolean = from.truncated
    val usage: Usage = Usage(from.usage)
    val denied: List<String> = from.denied

    override fun toString(): String = "Completed with code $code, ${stdout.size} and ${stderr.size} bytes of output"
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
    internal companion object {
        /** Reads the signature of a function, which is in WIT. */
        fun of(function: JavaFunction): Function {
            val (before, after) = function.signature.removePrefix(function.name + "(").split(")", limit = 2)
            val params = parts(before).associate { param -> param.substringBefore(": ") to param.substringAfter(": ") }
            val result = after.removePrefix(" -> ").ifEmpty { null }
            val fallible = result != null && result.startsWith("result<")
            val value = if (fallible) parts(result!!.removeSurrounding("result<", ">")).first().takeIf { it != "_" } else result
            return Function(function.name, function.docs, params, value, fallible, function.signature)
        }

        /** What is between commas, unless these are within angle brackets. */
        private fun parts(text: String): List<String> {
            val parts = mutableListOf<String>()
            var depth = 0
            var begin = 0
            text.forEachIndexed { i, c ->
                when (c) {
                    '<' -> depth++
                    '>' -> depth--
                    ',' -> if (depth == 0) {
                        parts.add(text.substring(begin, i))
                        begin = i + 2
                    }
                }
            }
            return if (text.isEmpty()) parts else parts + text.substring(begin)
        }
    }
}
