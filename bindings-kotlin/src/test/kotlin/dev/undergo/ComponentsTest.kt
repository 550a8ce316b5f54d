package dev.undergo

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertSame
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows

/** Objects of the program that a component gets, and passes back. */
class ComponentsTest {
    class Item(val n: Long) {
        fun rank(): Long = n
    }

    private val stored = mutableListOf<Any?>()

    private fun start(): Instance = Plugin.load(ROOT.resolve("conformance/components/items.wasm")).instantiate(
        imports {
            "test:items/host" {
                function("item") { (name) -> Item((name as String).length.toLong()) }
                function("itemOpen") { (n) -> Item(n as Long) }
                function("compare") { (a, b) -> if ((a as Item).n < (b as Item).n) 1 else 0 }
                function("store") { (item) -> stored.add(item).let { null } }
            }
        },
    )

    @Test
    fun `objects of the program come back as they are`() = start().use { items ->
        assertEquals(listOf(3L, 4L), listOf(items.call("peek", Item(3)), items.call("take", Item(4))))
        assertEquals(listOf(5L, 20L), listOf(items.call("made", false), items.call("made", true)))
        assertEquals(listOf(1L, 0L), listOf(items.call("order", Item(1), Item(2)), items.call("order", Item(2), Item(1))))
        val own = Item(6)
        assertSame(own, items.call("back", own))
        items.call("passOn", own)
        assertSame(own, stored.single())
        items.call("hold", Item(5))
        assertEquals(5L, items.call("held"))
        assertEquals(1, items.handles.held)
        items.call("letGo")
        assertEquals(3L, items.call("all", listOf(Item(1), Item(2))))
        assertEquals(HandleCounts(0, 0), items.handles)
    }

    @Test
    fun `an object without known methods comes back, too`() = start().use { items ->
        val own = HostObject { method, _ -> if (method == "rank") 7 else null }
        assertEquals(7L, items.call("peek", own))
        assertSame(own, items.call("back", own))
    }

    @Test
    fun `what does not fit is refused`() = start().use { items ->
        assertThrows<TypeMismatchException> { items.call("peek", Any()) }
        assertTrue("borrow" in assertThrows<TrapException> { items.call("keep", Item(1)) }.message!!)
    }
}
