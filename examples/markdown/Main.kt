// Renders the README of this project with goldmark, a Markdown library that is written in Go.
//
// Usage: Main markdown.wasm [FILE]

import dev.undergo.Limits
import dev.undergo.MiB
import dev.undergo.Plugin
import java.nio.file.Path
import kotlin.io.path.readBytes
import kotlin.time.Duration.Companion.seconds

fun main(args: Array<String>) {
    // It is run in its folder.
    val source = Path.of(args.getOrElse(1) { "../../README.md" }).readBytes()
    val limits = Limits(memory = 64.MiB, timeout = 10.seconds)
    Plugin.load(args[0]).instantiate(limits = limits).use { markdown ->
        val html = markdown.call("render", source, mapOf("github" to true, "unsafe" to false)) as String

        // Each heading of the source is one of the HTML, in the same order.
        val headings = (markdown.call("outline", source) as List<*>).map { it as Map<*, *> }
        val rendered = Regex("<h([1-6]) id=\"([^\"]+)\">").findAll(html).map { it.groupValues[1] to it.groupValues[2] }.toList()
        check(rendered == headings.map { it["level"].toString() to it["id"] }) { rendered }

        println("${source.size} bytes of Markdown, ${html.toByteArray().size} bytes of HTML")
        println("${headings.size} headings:")
        for (heading in headings) {
            println("%5d  %s%s".format(heading["line"], "  ".repeat((heading["level"] as Long).toInt() - 1), heading["text"]))
        }
        fun count(tag: String) = html.split(tag).size - 1
        println("${count("<pre>")} blocks of code, ${count("<table>")} tables, ${count("<a href=")} links")

        // HTML in a document is left out, unless the host wants it.
        println((markdown.call("render", "*Safe* <script>alert(1)</script>".toByteArray(), null) as String).trim())
    }
}
