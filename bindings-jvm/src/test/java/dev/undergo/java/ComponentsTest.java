package dev.undergo.java;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Objects of the program that a component gets, and passes back. */
class ComponentsTest {
    private static final String HOST = "test:items/host";

    private static final Plugin ITEMS = Plugin.open(Support.ROOT.resolve("conformance/components/items.wasm"));

    private final List<Object> stored = new ArrayList<>();

    /** An object for the component. */
    public record Item(long rank) {}

    private Instance start() {
        Options options = new Options()
                .function(HOST, "item", arguments -> new Item(arguments.text(0).length()))
                .function(HOST, "itemOpen", arguments -> new Item(arguments.number(0)))
                .function(HOST, "compare", arguments -> arguments.get(0, Item.class).rank() < ((Item) arguments.get(1)).rank() ? 1 : 0)
                .function(HOST, "store", arguments -> {
                    stored.add(arguments.get(0));
                    return null;
                });
        return ITEMS.instantiate(options);
    }

    @Test
    void objectsOfTheProgramComeBackAsTheyAre() {
        try (Instance items = start()) {
            assertEquals(List.of(3L, 4L), List.of(items.call("peek", new Item(3)), items.call("take", new Item(4))));
            assertEquals(List.of(5L, 20L), List.of(items.call("made", false), items.call("made", true)));
            assertEquals(List.of(1L, 0L), List.of(items.call("order", new Item(1), new Item(2)), items.call("order", new Item(2), new Item(1))));
            Item own = new Item(6);
            assertSame(own, items.call("back", own));
            assertSame(own, items.call(Item.class, "back", own));
            items.call("passOn", own);
            assertEquals(1, stored.size());
            assertSame(own, stored.get(0));
            items.call("hold", new Item(5));
            assertEquals(5L, items.call("held"));
            assertEquals(1, items.handles().held());
            items.call("letGo");
            assertEquals(3L, items.call("all", List.of(new Item(1), new Item(2))));
            assertEquals(new HandleCounts(0, 0), items.handles());
        }
    }

    @Test
    void whoKnowsNoMethodsGetsTheObjectBack() {
        try (Instance items = start()) {
            HostObject own = (method, arguments) -> method.equals("rank") ? 7 : null;
            assertEquals(7L, items.call("peek", own));
            assertSame(own, items.call("back", own));
        }
    }

    @Test
    void whatDoesNotFitIsRefused() {
        try (Instance items = start()) {
            assertThrows(TypeMismatchException.class, () -> items.call("peek", new Object()));
            assertThrows(TypeMismatchException.class, () -> items.call(String.class, "back", new Item(1)));
            assertTrue(assertThrows(TrapException.class, () -> items.call("keep", new Item(1))).getMessage().contains("borrow"));
        }
    }
}
