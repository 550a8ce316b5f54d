import Foundation
import Undergo

// What lives longer than a call, by the code that `undergo bindgen` has written for the conformance
// guest, and what of it is refused.

private let plugin = Result { try Plugin.load(required("UNDERGO_CONFORMANCE_WASM")) }

/// An instance with its functions.
final class Made {
    let home: BlockingHome
    let guest: GuestCalls

    init(limits: Limits = Limits()) throws {
        home = try BlockingHome(try plugin.get(), RunnerHost(), silent, limits)
        guest = GuestCalls(calls: Calls(home.instance))
    }
}

/// A store, as the plugin's protocol has it.
private final class Shelf: Store, @unchecked Sendable {
    private let texts = Shared<[String: String]>([:])
    private let onDeinit: () -> Void

    init(_ onDeinit: @escaping () -> Void = {}) { self.onDeinit = onDeinit }

    deinit { onDeinit() }

    func get(key: String) throws -> String {
        guard let text = texts.get()[key] else { throw Refused(description: "no such key: \(key)") }
        return text
    }

    func put(key: String, value: String) throws { texts.change { $0[key] = value } }

    func size() throws -> Int64 { Int64(texts.get().count) }

    func child(name: String) throws -> any Store {
        let child = Shelf()
        try child.put(key: "name", value: name)
        return child
    }
}

func runHandles() {
    runObjects()
    runPassed()
    runItems()
    runStreams()
    runPools()
    runAwaited()
    runComponents()
}

private func runObjects() {
    test("an object has its methods") {
        let made = try Made()
        let tally = try made.guest.newTally(start: 3)
        try expect(try tally.add(n: 4), is: 7)
        try expect(try tally.copy().value(), is: 7)
        try expect(try made.guest.mergeTallies(a: tally, b: try made.guest.newTally(start: 1)).value(), is: 8)
        try expect(try made.guest.countUp(n: 3).map { try $0.value() }.count, is: 3)
        try expectError("guest-error", "there is too little to take") { try tally.take(n: 100) }
        try expectError("guest-error", "below zero") { try made.guest.newTally(start: -1) }
        try expect(try made.guest.maybeTally(start: 0) == nil || true)
    }
    test("a closed object is refused") {
        let made = try Made()
        let tally = try made.guest.newTally(start: 3)
        try tally.close()
        try expect(tally.isClosed)
        try expect(try made.guest.closedTallies(), is: 1)
        try tally.close()
        try expect(try made.guest.closedTallies(), is: 0)
        try expectError("type-mismatch", "closed") { try tally.value() }
        try expectError("type-mismatch", "closed") { try made.guest.mergeTallies(a: tally, b: tally) }
        try expect(made.home.isAlive)
    }
    test("an object of another instance is refused") {
        let (made, other) = (try Made(), try Made())
        let tally = try other.guest.newTally(start: 3)
        try expectError("type-mismatch", "another instance") { try made.guest.sumTallies(a: try made.guest.newTally(start: 1), b: tally) }
        try expect(try tally.value(), is: 3)
    }
    test("an object of another resource is refused") {
        let made = try Made()
        let lamp = try made.guest.newLamp()
        try expectError("type-mismatch", "lamp") { try made.home.instance.call("sum-tallies", lamp.pluginValue, lamp.pluginValue) }
        do {
            _ = try Tally(pluginValue: lamp.pluginValue)
            throw Failure(description: "it is a tally")
        } catch is UnexpectedValue {}
    }
    test("what is no object is refused") {
        let made = try Made()
        for value: Value in [1, "tally", [:], .function { $0[0] }, nil] {
            try expectError("type-mismatch") { try made.home.instance.call("sum-tallies", value, value) }
        }
        try expect(made.home.isAlive)
    }
    test("an object outlives no reset of its instance") {
        let made = try Made()
        let tally = try made.guest.newTally(start: 3)
        try made.home.reset()
        try expect(tally.isClosed)
        try expectError("type-mismatch", "reset") { try tally.value() }
        try tally.close()
    }
    test("an object says that its instance has ended") {
        let made = try Made()
        let tally = try made.guest.newTally(start: 3)
        try expectError("panic", "oh dear") { try tally.panic(msg: "oh dear") }
        try expectError("dead-instance") { try tally.value() }
        try tally.close()
    }
    test("an object keeps its instance") {
        let tally = try Made().guest.newTally(start: 3)
        try expect(try tally.value(), is: 3)
    }
    test("an object is released when nothing refers to it") {
        let made = try Made()
        _ = try made.guest.newTally(start: 3)
        try expect(try made.guest.closedTallies(), is: 1)
        try expect(try made.home.instance.handles().given, is: 0)
    }
    test("an object is released by another thread in the middle of a call") {
        let made = try Made()
        let given = Shared<Tally?>(try made.guest.newTally(start: 3))
        let inside = try made.guest.apply(xs: [1]) { n in
            let done = DispatchSemaphore(value: 0)
            Thread.detachNewThread {
                given.set(nil)
                done.signal()
            }
            done.wait()
            return n
        }
        try expect(inside, is: [1])
        try expect(try made.guest.closedTallies(), is: 1)
    }
    test("many threads release objects while calls run") {
        let made = try Made()
        let all = Shared<[Tally]>(try (0..<200).map { try made.guest.newTally(start: $0) })
        DispatchQueue.concurrentPerform(iterations: 200) { _ in all.change { _ = $0.popLast() } }
        try expect(try made.guest.closedTallies(), is: 200)
    }
    test("a method that is not there is named") {
        let made = try Made()
        let tally = try made.guest.newTally(start: 3)
        try expectError("unknown-export", "did you mean 'value'?") { try tally.call("values", []) }
        try expectError("type-mismatch", "takes") { try tally.call("add", []) }
    }
    test("an object has options of its own") {
        let made = try Made()
        let tally = try made.guest.newTally(start: 3)
        let cancel = CancelToken()
        cancel.cancel()
        try expectError("cancelled") { try tally.using(cancel: cancel).value() }
    }
    test("a record has objects") {
        let made = try Made()
        let (tally, name) = try made.guest.tallyAndName(start: 5, name: "five")
        try expect(name, is: "tally five")
        let couple = Couple(first: tally, second: try made.guest.newTally(start: 6))
        try expect(try made.guest.firstOf(p: couple).value(), is: 5)
    }
}

private func runPassed() {
    test("a closure is called") {
        let made = try Made()
        try expect(try made.guest.apply(xs: [1, 2]) { 10 * $0 }, is: [10, 20])
        do {
            _ = try made.guest.applyPlain(xs: [1]) { _ in throw Refused(description: "no") }
            throw Failure(description: "it returned")
        } catch let error as Refused {
            try expect(error.description, is: "no")
        }
        try expect(!made.home.isAlive)
    }
    test("a closure calls its instance") {
        let made = try Made()
        let guest = made.guest
        try expect(try guest.apply(xs: [1, 2]) { try guest.apply(xs: [$0]) { $0 + 1 }[0] }, is: [2, 3])
    }
    test("a closure is let go of after its call") {
        let made = try Made()
        let dropped = Shared(0)
        do {
            let shelf = Shelf { dropped.change { $0 += 1 } }
            _ = try made.guest.apply(xs: [1]) { n in
                _ = shelf
                return n
            }
        }
        try expect(dropped.get(), is: 1)
    }
    test("a closure that was kept is called later") {
        let made = try Made()
        try expect(try made.guest.keepOp { $0 + 1 }, is: 1)
        try expect(try made.guest.keepOp { $0 * 10 }, is: 2)
        try expect(try made.guest.callKept(n: 4), is: 50)
    }
    test("a closure that was kept wrongly is not called after its call") {
        let made = try Made()
        let calls = Shared(0)
        _ = try made.guest.keepOpWrongly {
            calls.change { $0 += 1 }
            return $0
        }
        try expectError("panic") { try made.guest.callKept(n: 4) }
        try expect(calls.get(), is: 0)
    }
    test("an object of the host is called") {
        let made = try Made()
        let shelf = Shelf()
        try made.guest.storePut(s: shelf, key: "a", value: "text")
        try expect(try shelf.get(key: "a"), is: "text")
        try expect(try made.guest.sumSizes(all: [shelf, shelf], one: shelf), is: 3)
        try expect(try made.guest.sumSizes(all: []), is: 0)
        try expect(try made.guest.childOfStore(s: shelf, name: "inner"), is: "inner")
        try expect(try made.guest.openAndGet(name: "x", key: "name") { try shelf.child(name: $0) }, is: "x")
        try expectError("guest-error", "no such key: b") { try made.guest.storeGet(s: shelf, key: "b") }
    }
    test("an object of the host is dropped by the plugin") {
        let made = try Made()
        let dropped = Shared(0)
        try made.guest.keepStore(s: Shelf { dropped.change { $0 += 1 } })
        try expect(dropped.get(), is: 0)
        try made.guest.dropStore()
        // A collection of the plugin's finds it.
        for _ in 0..<100 where dropped.get() == 0 { _ = try made.guest.handlesOfHost() }
        try expect(dropped.get(), is: 1)
        try expect(try made.home.instance.handles().held, is: 0)
    }
    test("an object without a method is refused") {
        let made = try Made()
        let value = Value.object(1, ["get": { $0[0] }])
        try expectError("type-mismatch", "has no method put") { try made.home.instance.call("store-get", value, "a") }
    }
    test("what is passed has to be of the right sort") {
        let made = try Made()
        let function = Value.function { $0[0] }
        try expectError("type-mismatch", "expected an object with methods, got a function") {
            try made.home.instance.call("store-get", function, "a")
        }
        try expectError("type-mismatch", "expected a function, got a sequence") { try made.home.instance.call("apply", [1], .sequence([1])) }
        try expectError("type-mismatch", "expected a sequence, got a stream to read from") {
            try made.home.instance.call("sum-items", .reader(Bytes(Data(), then: nil)))
        }
    }
    test("no more handles than the limit") {
        let made = try Made(limits: Limits(handles: 10))
        try expectError("out-of-memory", "10 handles") { try made.guest.childrenOfStore(s: Shelf(), n: 100) }
    }
}

private func runPools() {
    test("a pool gives no handles") {
        let pool = try plugin.get().pool(size: 2, functions: RunnerHost().blocking, sandbox: silent)
        let guest = GuestCalls(calls: Calls(pool))
        try expectError("signature-mismatch", "take one from the pool") { try guest.newTally(start: 1) }
        try expectError("signature-mismatch", "take one from the pool") { try guest.numbers(n: 1) }
        try expect(try guest.sumItems(xs: [1, 2]), is: 3)
        try expect(try guest.apply(xs: [1]) { $0 + 1 }, is: [2])
    }
    test("a pool lends an instance") {
        let pool = try plugin.get().pool(size: 1, functions: RunnerHost().blocking, sandbox: silent)
        var left: Tally?
        var escaped: Instance?
        let value = try pool.instance { instance in
            let guest = GuestCalls(calls: Calls(instance))
            left = try guest.newTally(start: 3)
            escaped = instance
            try expectError("timeout") { try pool.instance(timeout: 0.05) { _ in nil } }
            return try left!.add(n: 1)
        }
        try expect(value, is: 4)
        try expect(left!.isClosed)
        try expectError("dead-instance", "returned to its pool") { try left!.value() }
        try expectError("dead-instance", "returned to its pool") { try escaped!.call("counter") }
        try expect(!escaped!.isAlive())
        try left!.close()
        try expect(try GuestCalls(calls: Calls(pool)).closedTallies(), is: 1)
    }
}

private func runAwaited() {
    test("objects of an asynchronous instance are awaited") {
        let host = RunnerHost()
        let home = try AwaitedHome(try plugin.get(), host, silent, Limits())
        let guest = AsyncGuestCalls(calls: AsyncCalls(home.instance))
        let tally = try awaited { try await guest.newTally(start: 3) }
        try expect(try awaited { try await tally.add(n: 4) }, is: 7)
        try expectError("signature-mismatch", "await its calls") { try tally.value() }
        let sum = try awaited {
            var sum: Int64 = 0
            for try await item in try await guest.numbers(n: 5) { sum += item }
            return sum
        }
        try expect(sum, is: 10)
        try awaited { try await tally.close() }
        try expect(try awaited { try await guest.closedTallies() }, is: 1)
        try expect(try awaited { try await guest.apply(xs: [1, 2]) { $0 + 1 } }, is: [2, 3])
        try expect(try awaited { try await guest.openStream(text: "abc", msg: "").readToEnd() }, is: Data("abc".utf8))
    }
    test("objects of an instance that blocks can be awaited") {
        let made = try Made()
        let tally = try made.guest.newTally(start: 3)
        try expect(try awaited { try await tally.add(n: 4) }, is: 7)
        let items = try made.guest.numbers(n: 3)
        try expect(try awaited { try await items.all() }, is: [0, 1, 2])
    }
    test("an asynchronous pool lends an instance") {
        let pool = try plugin.get().asyncPool(size: 1, asyncFunctions: RunnerHost().awaiting, sandbox: silent)
        try expectError("signature-mismatch", "take one from the pool") {
            try awaited { try await AsyncGuestCalls(calls: AsyncCalls(pool)).newTally(start: 1) }
        }
        let (value, left) = try awaited {
            try await pool.instance { instance in
                let tally = try await AsyncGuestCalls(calls: AsyncCalls(instance)).newTally(start: 3)
                return (try await tally.value(), tally)
            }
        }
        try expect(value, is: 3)
        try expectError("dead-instance", "returned to its pool") { try awaited { try await left.value() } }
    }
}
