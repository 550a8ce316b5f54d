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

/** What `undergo bindgen` writes for the conformance guest and a component works. */
class BindgenTest {
    @Test
    fun `a typed program`(@TempDir folder: Path) = runs(folder, PROGRAM)

    @Test
    fun `a program with handles`(@TempDir folder: Path) = runs(folder, HANDLES)

    @Test
    fun `a program for a component that passes its objects back`(@TempDir folder: Path) =
        runs(folder, ITEMS, ROOT.resolve("conformance/components/items.wasm"))

    /** Compiles a program with what bindgen writes for a plugin, and runs it. */
    private fun runs(folder: Path, text: String, plugin: Path = guestFile("UNDERGO_CONFORMANCE_WASM", "conformance.wasm")) {
        val undergo = System.getenv("UNDERGO") ?: ROOT.resolve("build/bin/undergo").toString()
        val wasm = plugin.toString()
        val file = folder.resolve("GuestPlugin.kt")
        val written = ProcessBuilder(undergo, "bindgen", wasm, "--lang", "kotlin", "-o", file.toString()).inheritIO().start().waitFor()
        assertEquals(0, written)
        val program = folder.resolve("Program.kt").also { it.writeText(text) }
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
        val ITEMS = """
            import root.*

            class Mine(val n: UInt) : Item {
                override fun rank(): UInt = n
            }

            fun run(wasm: String) {
                val stored = mutableListOf<Item>()
                val host = object : TestItemsHost {
                    override fun item(name: String): Item = Mine(name.length.toUInt())
                    override fun itemOpen(n: UInt): Item = Mine(n)
                    override fun compare(a: Item, b: Item): UInt = if ((a as Mine).n < (b as Mine).n) 1u else 0u
                    override fun store(i: Item) {
                        stored.add(i)
                    }
                }
                Root.of(dev.undergo.Plugin.load(wasm), host).use { items ->
                    val own = Mine(6u)
                    check(items.peek(own) == 6u && items.made(true) == 20u && items.order(own, Mine(7u)) == 1u)
                    check(items.back(own) === own)
                    items.passOn(own)
                    check(stored.single() === own)
                }
            }
        """

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

        val HANDLES = """
            import guest.*
            import kotlinx.coroutines.runBlocking
            import java.io.ByteArrayOutputStream
            import java.io.FileNotFoundException

            inline fun <reified E : Throwable> thrown(call: () -> Unit): E {
                try {
                    call()
                } catch (thrown: Throwable) {
                    return thrown as E
                }
                error("it returned")
            }

            /** A store, as the plugin wants one. */
            class Texts : Store {
                val texts = mutableMapOf<String, String>()

                override fun get(key: String): String = texts[key] ?: throw FileNotFoundException(key)

                override fun put(key: String, value: String) {
                    texts[key] = value
                }

                override fun size(): Long = texts.size.toLong()

                override fun child(name: String): Store = Texts().also { it.put("name", name) }
            }

            fun objects(guest: Guest) {
                guest.newTally(5).use { tally ->
                    check(tally.add(3) == 8L && tally.value() == 8L && guest.sumTallies(tally, tally) == 16L)
                    val same = tally.itself()
                    check(same.compare(tally) == 0 && !same.isClosed)
                    same.close()
                    check(same.isClosed && !tally.isClosed)
                    val closed = thrown<dev.undergo.TypeMismatchException> { same.value() }
                    check(closed.path() == "tally.value()" && closed.sentence() == "the tally is closed")
                    // By its name.
                    check(guest.instance.call("sum-tallies", tally, tally) == 16L)
                }
                check(thrown<dev.undergo.GuestException> { guest.newTally(-1) }.sentence() == "a tally can't start below zero")
                val all = guest.countUp(3)
                guest.addAll(all, all[0], 10)
                guest.addAll(emptyList(), n = 10, one = null)
                check(all[0].value() == 20L && all[2].value() == 12L)
                check(guest.maybeTally(0) == null && guest.maybeTally(4)?.value() == 4L)
                check(guest.tallyAndName(3, "x").first.value() == 3L)
                var counting = guest.newCounting("x", 5)
                check(counting.main.value() == 5L && counting.spare == null && counting.others.size == 2 && counting.named.getValue("a").value() == 6L)
                counting = guest.echoCounting(counting)
                check(counting.main.value() == 5L && guest.sumCounting(counting) > 0 && counting.main.isClosed)
                check(guest.newLamp().`class`("x", true) == "class x")
            }

            fun functions(guest: Guest) {
                check(guest.apply(listOf(1, 2)) { 2 * it } == listOf(2L, 4L))
                check(guest.compose(1, { it + 1 }, { it * 10 }) == 20L)
                check(guest.newTally(5).update { it + 1 } == 6L)
                val told = mutableListOf<String>()
                guest.tell(listOf("a", "b")) { told.add(it) }
                check(told == listOf("a", "b"))
                thrown<FileNotFoundException> { guest.applyPlain(listOf(1)) { throw FileNotFoundException("there is none") } }
            }

            fun stores(guest: Guest) {
                val store = Texts()
                guest.storePut(store, "a", "x")
                check(guest.storeGet(store, "a") == "x" && guest.sumSizes(listOf(store, store)) == 2L)
                check(guest.childOfStore(store, "n") == "n" && guest.openAndGet("x", "name", store::child) == "x")
                check(guest.sizeOfCupboard(Cupboard("", store, listOf(store))) == 2L)
                guest.newTally(5).save(store, "five")
                check(store.texts["five"] == "5")
                check("none" in thrown<dev.undergo.GuestException> { guest.storeGet(store, "none") }.sentence())
            }

            fun items(guest: Guest) {
                guest.countForever().use { numbers -> check(numbers.take(2).toList() == listOf(0L, 1L)) }
                check(guest.ended() == 1)
                check(guest.fields("a b").toList() == listOf("a", "b"))
                check(guest.entries(1).first() == Pair("k0", 0))
                check(guest.addresses(1u).first() == Address("s0"))
                check(guest.drawnShapes().first() == Circle(1.5))
                check(guest.sumItems(sequenceOf(1, 2)) == 3L && guest.sumItems(guest.numbers(4)) == 6L)
                check(guest.collectEntries(sequenceOf(Pair("a", 1))) == mapOf("a" to 1))
                check(guest.sumTriples(sequenceOf(listOf(1, 2, 3))) == listOf(6))
                check(guest.two(1).second.first() == "a")
            }

            fun streams(guest: Guest) {
                val to = ByteArrayOutputStream()
                check(guest.copyStream(to, byteArrayOf(1, 2).inputStream()) == 2L && to.size() == 2)
                check(guest.repeatStream("ab", 2).use { String(it.readAllBytes()) } == "abab")
                guest.collectStream(10, "").use { it.write("abc".toByteArray()) }
                check(String(guest.collected()) == "abc")
            }

            suspend fun suspending(guest: AsyncGuest) {
                guest.newTally(5).use { tally ->
                    check(tally.addAsync(3) == 8L && tally.itselfAsync().valueAsync() == 8L && guest.sumTallies(tally, tally) == 16L)
                    check(tally.updateAsync { it + 1 } == 9L && tally.value() == 9L)
                }
                check(guest.numbers(3).toList() == listOf(0L, 1L, 2L))
                check(guest.openAndGet("x", "name") { Texts().child(it) } == "x")
            }

            fun run(wasm: String) {
                val plugin = dev.undergo.Plugin.load(wasm)
                val (host, asyncHost) = listOf(guest.Host::class.java, guest.AsyncHost::class.java).map { kind ->
                    java.lang.reflect.Proxy.newProxyInstance(kind.classLoader, arrayOf(kind)) { _, _, args -> args[0] }
                }
                val silent = dev.undergo.Sandbox(stdout = dev.undergo.Output.Discard, stderr = dev.undergo.Output.Discard)
                Guest.of(plugin, host as guest.Host, silent).use { guest ->
                    objects(guest)
                    stores(guest)
                    items(guest)
                    streams(guest)
                    functions(guest)
                }
                runBlocking { AsyncGuest.of(plugin, asyncHost as guest.AsyncHost, silent).use { suspending(it) } }
                // A pool lends an instance, which has objects.
                GuestPool.of(plugin, 1, host as guest.Host, silent).use { pool ->
                    val lent = pool.pool.take()
                    val tally = Guest(lent).use { it.newTally(1).also { made -> check(made.add(1) == 2L) } }
                    check(tally.isClosed && pool.closedTallies() == 1)
                }
                AsyncGuestPool.of(plugin, 1, asyncHost as guest.AsyncHost, silent).use { pool ->
                    runBlocking {
                        AsyncGuest(pool.pool.take()).use { suspending(it) }
                        check(pool.pool.stats.busy() == 0L)
                    }
                }
            }
        """.trimIndent()
    }
}
