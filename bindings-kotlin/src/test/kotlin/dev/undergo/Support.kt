package dev.undergo

import com.fasterxml.jackson.databind.JsonNode
import com.fasterxml.jackson.databind.ObjectMapper
import java.nio.file.Files
import java.nio.file.Path
import kotlin.io.path.absolute
import kotlin.time.Duration.Companion.seconds

/** The project's root: Maven runs tests in the folder of the pom. */
val ROOT: Path = Path.of("..").absolute().normalize()

/** Far more than any call here takes. */
val ENOUGH = 60.seconds

fun guestFile(variable: String, file: String): Path {
    val path = System.getenv(variable)?.let(Path::of) ?: ROOT.resolve("build").resolve(file)
    check(Files.exists(path)) { "$path is not there: 'make guest' builds it, or set $variable" }
    return path
}

private fun guest(variable: String, file: String): Plugin = Plugin.load(guestFile(variable, file))

val conformance: Plugin by lazy { guest("UNDERGO_CONFORMANCE_WASM", "conformance.wasm") }

/** The same as a component. */
val component: Plugin by lazy { guest("UNDERGO_CONFORMANCE_COMPONENT_WASM", "conformance-component.wasm") }
val command: Plugin by lazy { guest("UNDERGO_COMMAND_WASM", "command.wasm") }
val hostile: Plugin by lazy { guest("UNDERGO_HOSTILE_WASM", "hostile.wasm") }

/** Nothing that a guest prints gets into the output of the tests. */
val SILENT = Sandbox(stdout = Output.Discard, stderr = Output.Discard)

fun json(path: Path): JsonNode = ObjectMapper().readTree(path.toFile())

/** What host functions fail with: no class of the library's. */
class Refused(message: String, cause: Throwable? = null) : Exception(message, cause)

/** The plugin's own error of that name, without typed code. */
fun notFound(key: String): GuestException =
    GuestException("not-found", mapOf("key" to key, "code" to 404), "not found: $key")

/** The module `host` of conformance/README.md. */
class Host {
    val notes = mutableListOf<Any?>()

    /** The instance that the functions are for: one of these two. */
    var instance: Exports? = null
    var asyncInstance: AsyncExports? = null

    private val functions: Map<String, (List<Any?>) -> Any?> = mapOf(
        "many" to { a -> (a.subList(0, 7).map(::shown) + a.subList(7, 12)).let { it.subList(0, 7).joinToString(" ") + it.subList(7, 12).joinToString("") { "|$it" } } },
        "bundle" to { a -> a },
        "divmod" to { (a, b) -> listOf((a as Long) / (b as Long), a % b) },
        "note" to { (s) -> notes.add(s).let { null } },
        "notes" to { _ -> notes.toList().also { notes.clear() } },
        "fail" to { (text) -> throw Refused(text as String) },
        "check" to { (text) -> if (text == "") null else throw Refused(text as String) },
        "lookup" to { (key) -> if (key == "") "" else throw Refused("looking up: not found: $key", notFound(key as String)) },
        "crash" to { (text) -> throw Refused(text as String) },
        "wrong-type" to { _ -> "not a number" },
        "wrong-result" to { _ -> "not a list" },
    )

    /** As functions that block. */
    fun imports(): Imports = common { name, function -> function("host", name) { function(it) } }
        .function("host", "reenter") { (depth) -> (instance!!.call("reenter", (depth as Long) - 1) as Long) + 1 }

    /** As functions that suspend. */
    fun suspending(): Imports = common { name, function -> suspending("host", name) { function(it) } }
        .suspending("host", "reenter") { (depth) -> (asyncInstance!!.call("reenter", (depth as Long) - 1) as Long) + 1 }

    private fun common(give: Imports.(String, (List<Any?>) -> Any?) -> Unit): Imports {
        val imports = Imports()
        for ((name, function) in functions) imports.give(name, function)
        for (name in conformance.imports.getValue("host").keys) if (name.startsWith("echo-")) imports.give(name) { it.single() }
        return imports
    }

    private fun shown(value: Any?): Any? = value
}

/** The names of a plugin in Kotlin's shape: `minor-units` as `minorUnits`. */
fun camelCase(kebab: String): String = kebab.replace(Regex("-(.)")) { it.groupValues[1].uppercase() }
