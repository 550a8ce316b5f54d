import dev.undergo.Compile
import dev.undergo.Output
import dev.undergo.Plugin
import dev.undergo.Sandbox
import plugin.Host
import java.nio.file.Path
import kotlin.system.exitProcess
import plugin.Plugin as Client

private const val TEXT = "hello world"
private const val ROUNDS = 15

private object Own : Host {
    override fun upper(s: String): String = s

    override fun pause(n: Int): Int = n
}

/**
 * Measures calls from Kotlin as Bench.java does: by a client that bindgen wrote, and by names. The
 * bounds are the same.
 */
fun main(arguments: Array<String>) {
    val megabyte = ByteArray(1 shl 20)
    val ours = Client.of(Plugin.load(Path.of(arguments[0]), Compile.BEST), Own, Sandbox(stderr = Output.Discard))
    val instance = ours.instance
    val version = Runtime.version().feature()
    println("| Kotlin on Java $version | Undergo, bindgen | bound | Undergo, by name | bound |")
    println("| --- | --- | --- | --- | --- |")
    val held = listOf(
        row("`add(int32, int32)`", if (version >= 22) 350 else 1000, 100_000, { ours.add(1, 2) == 3 }, { instance.call("add", 1, 2) == 3L }),
        row(
            "string → string, 11 bytes", if (version >= 22) 800 else 2000, 100_000,
            { ours.echoString(TEXT) == TEXT }, { instance.call("echo-string", TEXT) == TEXT },
        ),
        megabyte.let { bytes ->
            val copies = List(2) { ByteArray(bytes.size) }
            val copied = median(LongArray(ROUNDS) { once(200) { copies.fold(bytes) { from, to -> from.copyInto(to) }[5] == 0.toByte() } })
            row(
                "1 MiB there and back; two copies take ${shown(copied)}", 6 * copied, 200,
                { ours.echoBytes(bytes).size == bytes.size }, { (instance.call("echo-bytes", bytes) as ByteArray).size == bytes.size },
            )
        },
    )
    if (false in held) exitProcess(3)
}

/** Measures in turns, prints the medians, and gives whether they are within the bounds. */
private fun row(what: String, bound: Long, count: Int, typed: () -> Boolean, named: () -> Boolean): Boolean {
    val times = List(2) { LongArray(ROUNDS) }
    // The first rounds have the JVM compile what is called.
    for (round in -3 until ROUNDS) {
        listOf(typed, named).forEachIndexed { i, call ->
            val time = once(count, call)
            if (round >= 0) times[i][round] = time
        }
    }
    val (a, b) = times.map(::median)
    println("| $what | ${shown(a)} | ≤ ${shown(bound)} | ${shown(b)} | ≤ ${shown(3 * bound)} |")
    return a <= bound && b <= 3 * bound
}

private fun once(count: Int, call: () -> Boolean): Long {
    val start = System.nanoTime()
    repeat(count) { check(call()) { "a call gave something else" } }
    return (System.nanoTime() - start) / count
}

private fun median(times: LongArray): Long = times.sorted()[times.size / 2]

private fun shown(nanoseconds: Long): String = if (nanoseconds >= 10_000) "%.1f µs".format(nanoseconds / 1e3) else "$nanoseconds ns"
