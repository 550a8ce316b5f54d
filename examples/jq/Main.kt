// Runs jq's queries over a JSON document of some megabytes.
//
// Usage: Main jq.wasm

import dev.undergo.CallTimeoutException
import dev.undergo.GuestException
import dev.undergo.Limits
import dev.undergo.MiB
import dev.undergo.Plugin
import dev.undergo.kind
import dev.undergo.sentence
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

val cities = listOf("Aachen", "Bogotá", "Cairo", "Dhaka", "Essen", "Fukuoka", "Graz", "Hà Nội")
const val ORDERS = 30_000L

fun mixed(number: Long): Long = number * 2_654_435_761L % (1L shl 32)

fun city(number: Long): String = cities[(mixed(number) / 7 % cities.size).toInt()]

/** Makes an order: always the same for the same number. */
fun order(number: Long): String {
    val mixed = mixed(number)
    val lines = listOf(3, 9, 17).take(1 + (mixed % 3).toInt()).joinToString(", ") { n ->
        """{"article": "A%03d", "count": %d, "cents": %d}""".format((mixed shr n) % 500, 1 + (mixed shr n) % 4, 99 + mixed % 5_000)
    }
    return """{"id": $number, "city": "${city(number)}", "express": ${mixed % 7 == 0L}, "note": null, "lines": [$lines]}"""
}

const val BEST = """
  [.[].lines[]] | group_by(.article) | map({article: .[0].article, count: map(.count) | add})
  | sort_by(-.count, .article) | limit(3; .[])
"""

fun main(args: Array<String>) {
    val document = (0 until ORDERS).joinToString(", ", "[", "]", transform = ::order).toByteArray()
    println("a document of %.1f MB".format(document.size / 1e6))

    val limits = Limits(memory = 512.MiB, timeout = 60.seconds)
    Plugin.load(args[0]).instantiate(limits = limits).use { jq ->
        fun query(query: String) = jq.call("query", "orders", query) as List<*>
        println("${jq.call("load", "orders", document)} orders")

        // The document stays in the plugin; a query crosses, and its results come back as plain
        // objects.
        val expected = (0 until ORDERS).groupingBy(::city).eachCount()
        for (found in query("group_by(.city)[] | {name: .[0].city, orders: length}")) {
            found as Map<*, *>
            println("  ${found["name"]}: ${found["orders"]}")
            check(found["orders"] == expected[found["name"]]?.toLong())
        }

        val (total) = query("[.[].lines[] | .count * .cents] | add")
        println("sold for %.2f".format((total as Number).toDouble() / 100))
        println("sold most: " + query(BEST).joinToString(" ") { (it as Map<*, *>).let { best -> "${best["article"]} (${best["count"]})" } })

        // Any value that JSON can hold may be given, and comes back as what it is.
        val values = listOf(null, true, 7, 0.25, "grüße", listOf(1), mapOf("a" to emptyMap<String, Any>()))
        println((jq.call("eval", ".[] | type", values) as List<*>).joinToString(" "))
        check(jq.call("eval", ".", mapOf("a" to listOf(null, 0.25))) == listOf(mapOf("a" to listOf(null, 0.25))))

        // An error in a query, and one of its run, are errors of a call. The plugin and its
        // document live on.
        for (query in listOf("map(.city", ".[0] | .city + 1", "missing(.)")) {
            try {
                query(query)
            } catch (error: GuestException) {
                println("$query: ${error.sentence}")
            }
        }
        println(query(".[12345].city").joinToString(" "))

        // A query that never ends is stopped.
        try {
            jq.using(timeout = 200.milliseconds).call("eval", "def forever: forever; forever", null)
        } catch (error: CallTimeoutException) {
            println("${error.kind}: ${if (jq.isAlive) "alive" else "ended"}")
        }
    }
}
