package dev.undergo

import org.jetbrains.kotlin.cli.common.ExitCode
import org.jetbrains.kotlin.cli.jvm.K2JVMCompiler
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import java.io.ByteArrayOutputStream
import java.io.PrintStream
import java.net.URLClassLoader
import java.nio.file.Files
import java.nio.file.Path
import kotlin.io.path.writeText

/** What `undergo bindgen` writes for the conformance guest compiles, and works. */
class BindgenTest {
    @Test
    fun `a typed program`(@TempDir folder: Path) {
        val undergo = System.getenv("UNDERGO") ?: ROOT.resolve("build/bin/undergo").toString()
        val wasm = System.getenv("UNDERGO_CONFORMANCE_WASM") ?: ROOT.resolve("build/conformance.wasm").toString()
        val file = folder.resolve("GuestPlugin.kt")
        val written = ProcessBuilder(undergo, "bindgen", wasm, "--lang", "kotlin", "-o", file.toString()).inheritIO().start().waitFor()
        assertEquals(0, written)
        val program = folder.resolve("Program.kt").also { it.writeText(PROGRAM) }
        val classes = folder.resolve("classes")
        val said = ByteArrayOutputStream()
        val path = System.getProperty("java.class.path")
        val arguments = arrayOf("-no-stdlib", "-no-reflect", "-jvm-target", "17", "-cp", path, "-d", "$classes", "$file", "$program")
        assertEquals(ExitCode.OK, K2JVMCompiler().exec(PrintStream(said), *arguments), said.toString())
        URLClassLoader(arrayOf(classes.toUri().toURL()), javaClass.classLoader).use { loader ->
            loader.loadClass("ProgramKt").getMethod("run", String::class.java).invoke(null, wasm)
        }
        Files.delete(file)
    }

    private companion object {
        val PROGRAM = """
            import dev.undergo.errorName
            import dev.undergo.kind
            import dev.undergo.sentence
            import guest.*
            import kotlinx.coroutines.runBlocking
            import java.time.Duration
            import java.time.OffsetDateTime

            class Mine(private val own: guest.Host) : guest.Host by own {
                override fun lookup(key: String): String = throw IllegalStateException("looking up", NotFound(key, 7))
            }

            // Without an else: the compiler knows all cases.
            fun shown(shape: Shape): Any = when (shape) {
                is Circle -> shape.radius
                is Label -> shape.value
                is Polygon -> shape.points
                is Triangle -> shape.value
                is Tile -> shape.row
                is Tags -> shape.value
                Empty -> "nothing"
            }

            inline fun <reified E : Throwable> thrown(call: () -> Unit): E {
                try {
                    call()
                } catch (thrown: Throwable) {
                    return thrown as E
                }
                error("it returned")
            }

            fun run(wasm: String) {
                val plugin = dev.undergo.Plugin.load(wasm)
                // Most functions of the module host return their argument.
                val host = java.lang.reflect.Proxy.newProxyInstance(guest.Host::class.java.classLoader, arrayOf(guest.Host::class.java)) { _, method, args ->
                    when (method.name) {
                        "divmod" -> Pair((args[0] as Long) / (args[1] as Long), (args[0] as Long) % (args[1] as Long))
                        "note" -> null
                        else -> args[0]
                    }
                } as guest.Host
                val silent = dev.undergo.Sandbox(stdout = dev.undergo.Output.Discard, stderr = dev.undergo.Output.Discard)
                Guest.of(plugin, Mine(host), silent).use { it ->
                    check(it.divmod(7, 2) == Pair(3L, 1L))
                    check(it.echoUint8(255u) == 255u.toUByte())
                    check(it.echoUint64(ULong.MAX_VALUE) == ULong.MAX_VALUE)
                    check(it.echoDuration(Duration.ofNanos(5)) == Duration.ofNanos(5))
                    check(it.echoCounts(mapOf("a" to 1L)) == mapOf("a" to 1L))
                    check(it.echoAny(listOf(1L, null)) == listOf(1L, null))
                    val address = Address("Main")
                    val person = Person(
                        name = "Ada", email = null, age = 36u.toUByte(), tags = listOf("x"), home = address, others = listOf(address), scores = mapOf("go" to 0.5),
                        favorite = Color.DARK_BLUE, level = Level.HIGH, born = OffsetDateTime.parse("2000-01-01T00:00:00+01:00"),
                        nap = Duration.ofMinutes(5), userId = 7u,
                    )
                    check(it.personThroughHost(person) == person)
                    check(it.divmodThroughHost(9, 4) == Pair(2L, 1L))
                    check(it.close_(1) == 4)
                    check(thrown<dev.undergo.GuestException> { it.fail("no") }.sentence == "no")

                    val shapes = listOf(Circle(1.5), Label("x"), Polygon(emptyList(), "p", null), Triangle(listOf(3f, 4f, 5f)), Tags(mapOf("a" to "b")), Empty)
                    check(it.echoShapes(shapes) == shapes)
                    check(it.echoShapes(shapes).map(::shown) == listOf(1.5, "x", emptyList<Any>(), listOf(3f, 4f, 5f), mapOf("a" to "b"), "nothing"))
                    check(it.echoMaybeShape(null) == null && it.echoMaybeShape(Empty) == Empty)
                    check(it.shapeThroughHost(Label("ü")) == Label("ü"))
                    // A class is a case of two variants.
                    check(it.echoRound(Circle(1.0)) == Circle(1.0))
                    // Names that mean something somewhere.
                    val tokens = listOf(guest.Class("c"), None, Tag(1), Val("a", "b"), Constructor(true), guest.List(listOf(Level.LOW)))
                    check(tokens.map(it::echoToken) == tokens)

                    val missing = thrown<NotFound> { it.failWith("marked") }
                    check(missing.key == "x" && missing.code == 4L && missing.message == "not found: x" && missing.cause == null)
                    val wrapped = thrown<dev.undergo.GuestException> { it.failWith("wrapped") }
                    check(wrapped.errorName == null && wrapped.message == "loading: not found: x" && (wrapped.cause as NotFound).key == "x")
                    val clash = thrown<dev.undergo.GuestException> { it.failWith("clash") }.cause as Clash
                    check(clash.message == "clash" && clash.kind == "guest-error" && clash.cause == null)
                    check(clash.message_ == "m" && clash.kind_ == "k" && clash.cause_ == "because" && clash.stack == -1)
                    val denied = thrown<Denied> { it.failWith("value") }
                    check(denied.shape == Circle(1.5) && denied.level == Level.HIGH)
                    check((thrown<dev.undergo.GuestException> { it.lookup("k") }.cause as NotFound).let { own -> own.key == "k" && own.code == 7L })
                    check(it.echoNotFound(NotFound("k", 1))?.key == "k")
                }
            }
        """.trimIndent()
    }
}
