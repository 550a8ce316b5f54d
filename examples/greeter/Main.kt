// Calls the greeter: values and errors there and back.
//
// Usage: Main greeter.wasm

import dev.undergo.GuestException
import dev.undergo.Limits
import dev.undergo.MiB
import dev.undergo.PanicException
import dev.undergo.Plugin
import dev.undergo.TypeMismatchException
import dev.undergo.UnknownExportException
import dev.undergo.frames
import dev.undergo.imports
import dev.undergo.kind
import dev.undergo.path
import dev.undergo.sentence
import kotlin.time.Duration.Companion.seconds

val directory = mapOf("Ada" to listOf("mathematics", "engines"), "Grace" to emptyList())

fun main(args: Array<String>) {
    val plugin = Plugin.load(args[0])
    val imports = imports {
        "directory" {
            function("lookup") { (name) -> directory[name] ?: throw NoSuchElementException("$name is not in the directory") }
        }
    }
    plugin.instantiate(imports, limits = Limits(memory = 64.MiB, timeout = 5.seconds)).use { greeter ->
        // What the plugin has, with the comments of its Go source.
        println("exports: ${plugin.exports.keys.joinToString()}")
        println(plugin.exports.getValue("greet").docs)
        println()

        // A Map will do for a record, and what is optional may be left out.
        println(greeter.call("greet", mapOf("name" to "Ada", "tags" to emptyList<String>()), false))
        val grace = mapOf("name" to "Grace", "email" to "grace@example.com", "tags" to listOf("compilers"))
        println(greeter.call("greet", grace, true))
        println()

        // An error that the Go function returns.
        try {
            greeter.call("greet", mapOf("name" to "", "tags" to emptyList<String>()), false)
        } catch (error: GuestException) {
            println("${error.kind}: ${error.sentence}")
        }

        // An exception of a Kotlin function reaches Go as an error, where the Go function has one
        // among its results.
        try {
            greeter.call("greet", mapOf("name" to "Nobody", "tags" to emptyList<String>()), false)
        } catch (error: GuestException) {
            println("${error.kind}: ${error.sentence}")
        }

        // A value that does not fit: the path says which.
        try {
            greeter.call("greet", mapOf("name" to "Ada", "tags" to listOf("a", "b", 3)), false)
        } catch (error: TypeMismatchException) {
            println("${error.kind}: at ${error.path}")
        }

        // A name that is misspelt.
        try {
            greeter.call("great", grace, false)
        } catch (error: UnknownExportException) {
            println("${error.kind}: ${error.sentence}")
        }

        // The instance has lived through all of these. A panic ends it.
        println(if (greeter.isAlive) "alive" else "ended")
        try {
            greeter.call("initial", mapOf("name" to "", "tags" to emptyList<String>()))
        } catch (error: PanicException) {
            println("${error.kind}: ${error.sentence}")
            println("in ${error.frames[0].function}")
        }
        println(if (greeter.isAlive) "alive" else "ended")

        // The plugin itself is as good as ever, and a new instance is quickly made.
        plugin.instantiate(imports).use { another -> println(another.call("initial", grace)) }
    }
}
