import Foundation
import Undergo

// Iterators and streams, of the plugin and of the program.

func runItems() {
    test("items come one by one") {
        let made = try Made()
        let items = try made.guest.numbers(n: 2)
        try expect(try items.next(), is: 0)
        try expect(try items.next(), is: 1)
        try expect(try items.next(), is: nil)
        try expect(try items.next(), is: nil)
        try expect(try made.guest.entries(n: 2).all().count, is: 2)
    }
    test("an iterator that is closed is refused") {
        let made = try Made()
        let items = try made.guest.countForever()
        try expect(try items.next(), is: 0)
        try items.close()
        try items.close()
        try expectError("type-mismatch", "closed") { try items.next() }
        try expect(try made.guest.ended(), is: 1)
    }
    test("an iterator ends when nothing refers to it") {
        let made = try Made()
        try expect(try made.guest.countForever().next(), is: 0)
        try expect(try made.guest.ended(), is: 1)
    }
    test("an iterator says that its instance has ended") {
        let made = try Made()
        let items = try made.guest.countForever()
        try expectError("panic", "gone") { try made.guest.panic(msg: "gone") }
        try expectError("dead-instance") { try items.next() }
    }
    test("a sequence is an argument") {
        let made = try Made()
        try expect(try made.guest.sumItems(xs: [1, 2, 3]), is: 6)
        try expect(try made.guest.sumItems(xs: (1...100).lazy.map { Int64($0) }), is: 5050)
        try expect(try made.guest.sumItems(xs: Set<Int64>([4])), is: 4)
        try expect(try made.guest.collectEntries(entries: [("a", 1), ("b", 2)]), is: ["a": 1, "b": 2])
        try expect(try made.guest.doubledItems(xs: [1, 2]).all(), is: [2, 4])
        try expect(try made.guest.sumItems(xs: try made.guest.numbers(n: 4).sequence), is: 6)
    }
    test("a sequence that fails ends the call") {
        let made = try Made()
        let left = Shared<[Int64]>([3, 2, 1])
        do {
            _ = try made.guest.sumItems(
                xs: ThrowingSequence<Int64> {
                    guard let item = left.change({ $0.popLast() }) else { throw Refused(description: "no more") }
                    return item
                })
            throw Failure(description: "it returned")
        } catch let error as Refused {
            try expect(error.description, is: "no more")
        }
    }
    test("a sequence that was kept is used later") {
        let made = try Made()
        try made.guest.keepItems(xs: sequence(first: 1) { $0 + 1 })
        try expect(try made.guest.keptItems(n: 3), is: [1, 2, 3])
    }
}

func runStreams() {
    test("streams are read and written to") {
        let made = try Made()
        let collector = Collector(most: nil)
        try expect(try made.guest.copyStream(w: collector, r: Bytes(Data("abc".utf8), then: nil)), is: 3)
        try expect(collector.written, is: Data("abc".utf8))
        let reader = try made.guest.openStream(text: "abcdef", msg: "")
        try expect(try reader.read(upTo: 2), is: Data("ab".utf8))
        try expect(try reader.readToEnd(), is: Data("cdef".utf8))
        try reader.close()
        try reader.close()
        try expect(try made.guest.closings(), is: 1)
        try expectError("type-mismatch", "closed") { try reader.read(upTo: 1) }
    }
    test("a writer fails in the middle") {
        let made = try Made()
        let collector = Collector(most: 10)
        let reader = Bytes(Data("0123456789".utf8), then: "repeat")
        try expectError("guest-error", "broken writer") { try made.guest.copyInPieces(w: collector, r: reader, size: 4) }
        try expect(collector.written, is: Data("0123456789".utf8))
        try expect(made.home.isAlive)
    }
    test("a stream's error comes when it is closed") {
        let made = try Made()
        let reader = try made.guest.openStream(text: "a", msg: "not closed")
        try expectError("guest-error", "not closed") { try reader.close() }
        try reader.close()
    }
    test("files and streams of Foundation are passed") {
        let made = try Made()
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("undergo-\(ProcessInfo.processInfo.processIdentifier)")
        defer { try? FileManager.default.removeItem(at: path) }
        try Data("some text".utf8).write(to: path)
        let input = InputStream(data: Data("more".utf8))
        input.open()
        let output = OutputStream.toMemory()
        output.open()
        try expect(try made.guest.copyStream(w: output, r: try FileHandle(forReadingFrom: path)), is: 9)
        try expect(try made.guest.copyStream(w: output, r: input), is: 4)
        try expect(output.property(forKey: .dataWrittenToMemoryStreamKey) as? Data, is: Data("some textmore".utf8))
    }
    test("a stream of the plugin is an argument") {
        let made = try Made()
        let collector = Collector(most: nil)
        try expect(try made.guest.copyStream(w: collector, r: try made.guest.openStream(text: "abc", msg: "")), is: 3)
        try expect(collector.written, is: Data("abc".utf8))
    }
}
