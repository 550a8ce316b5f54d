import Foundation
import Items
import Undergo

// Objects of the program that a component gets, and passes back; and types that Go has no form for.

private final class Ranked: Item {
    let number: UInt32

    init(_ number: UInt32) { self.number = number }

    func rank() throws -> UInt32 { number }
}

private final class Shop: TestItemsHost, @unchecked Sendable {
    let stored = Shared<[any Item]>([])

    func item(name: String) throws -> any Item { Ranked(UInt32(name.utf8.count)) }

    func itemOpen(n: UInt32) throws -> any Item { Ranked(n) }

    func compare(a: any Item, b: any Item) throws -> UInt32 { try a.rank() < b.rank() ? 1 : 0 }

    func store(i: any Item) throws { stored.change { $0.append(i) } }
}

func runComponents() {
    let folder = required("UNDERGO_COMPONENTS")
    test("objects of the program come back as they are") {
        let shop = Shop()
        let items = try Root.load("\(folder)/items.wasm", test_items_host: shop)
        try expect(try items.peek(i: Ranked(3)), is: 3)
        try expect(try items.take(i: Ranked(4)), is: 4)
        try expect([try items.made(opened: false), try items.made(opened: true)], is: [5, 20])
        try expect(try items.order(a: Ranked(1), b: Ranked(2)), is: 1)
        let own = Ranked(6)
        try expect(try items.back(i: own) as? Ranked === own)
        try items.passOn(i: own)
        try expect(shop.stored.get().first as? Ranked === own)
        try items.hold(i: Ranked(5))
        try expect(try items.held(), is: 5)
        try expect(try items.instance.handles().held, is: 1)
        try items.letGo()
        try expect(try items.all(items: [Ranked(1), Ranked(2)]), is: 3)
        try expect(try items.instance.handles().held, is: 0)
    }
    test("a component that keeps what it has borrowed ends") {
        let items = try Root.load("\(folder)/items.wasm", test_items_host: Shop())
        try expectError("trap", "borrow") { try items.keep(i: Ranked(1)) }
    }
    test("a component that forges a handle ends") {
        let items = try Root.load("\(folder)/items.wasm", test_items_host: Shop())
        try expectError("trap", "unknown handle index") { try items.forge(handle: 12345) }
        let other = try Root.load("\(folder)/items.wasm", test_items_host: Shop())
        try expectError("trap") { try other.dropTwice(i: Ranked(1)) }
    }
    test("types of components are those of other tables") {
        let types = try Plugin.load("\(folder)/types.wasm").instantiate()
        try expect(try types.call("letter", "ü"), is: "ü")
        try expectError("type-mismatch", "one character, got 2") { try types.call("letter", "ab") }
        let write = try types.call("allow", ["write": true])
        try expect(write["write"]?.boolValue, is: true)
        try expect(write["read"]?.boolValue, is: false)
    }
}
