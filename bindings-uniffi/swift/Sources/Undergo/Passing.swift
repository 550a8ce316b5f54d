import Foundation
import UndergoCore

// What a program passes to a plugin for longer than a call. The plugin has it until the call ends,
// or longer where its function keeps the parameter. Calls come on the thread that is in the
// instance; from an asynchronous instance on another one, but never two at a time.

extension Value {
    /// A function that a plugin may call. What it throws is the Go `error`, where the function
    /// returns one; elsewhere it ends the call, and its caller gets it.
    public static func function(_ run: @escaping HostClosure) -> Value {
        .passed(object: Passed(shape: .callback, names: ["call"], functions: [Closure(run)], own: Kept(run)))
    }

    /// An object that a plugin may call: its methods, by their names in WIT or in Swift. A plugin
    /// that passes it back gives a value whose `passedObject` is `own`.
    public static func object(_ own: Any, _ methods: [String: HostClosure]) -> Value {
        let named = methods.sorted { $0.key < $1.key }
        return .passed(object: Passed(shape: .object, names: named.map { $0.key }, functions: named.map { Closure($0.value) }, own: Kept(own)))
    }

    /// The items of a sequence. One that may fail is a `ThrowingSequence`.
    public static func sequence<S: Sequence>(_ items: S) -> Value where S.Element: PluginValue { sequence(items) { $0.pluginValue } }

    /// The same, each converted by a closure.
    public static func sequence<S: Sequence>(_ items: S, _ convert: @escaping (S.Element) -> Value) -> Value {
        if let next = (items as? ThrowingSequence<S.Element>)?.awaited { return awaited(items, next, Box(convert)) }
        let feed = Feed(items.makeIterator(), convert)
        let next = Closure { args in
            let most = try Int(pluginValue: try args.expecting(1)[0])
            let (batch, isOver) = try feed.next(most)
            return .items(items: [.items(items: batch), .bool(value: isOver)])
        }
        return .passed(object: Passed(shape: .iterator, names: ["next"], functions: [next], own: Kept(items)))
    }

    /// Those of an iterator of an asynchronous instance, one by one: it is read ahead as it is.
    private static func awaited<T>(_ items: Any, _ next: @escaping @Sendable () async throws -> T?, _ convert: Box<(T) -> Value>) -> Value {
        let one = AsyncClosure { _ in
            let item = try await next()
            return .items(items: [.items(items: item.map { [convert.value($0)] } ?? []), .bool(value: item == nil)])
        }
        return .passed(object: Passed.awaited(shape: .iterator, names: ["next"], functions: [one], own: Kept(items)))
    }

    /// A stream to read from.
    public static func reader(_ stream: some ByteReader) -> Value {
        if let own = stream as? GuestReader, own.isAwaited { return awaited(own) }
        let given = Box(stream)
        let read = Closure { args in .bytes(value: try given.value.read(upTo: try wanted(args))) }
        return .passed(object: Passed(shape: .reader, names: ["read", "close"], functions: [read, closing { try given.value.close() }], own: Kept(stream)))
    }

    private static func awaited(_ stream: GuestReader) -> Value {
        let read = AsyncClosure { args in .bytes(value: try await stream.read(upTo: try wanted(args))) }
        let close = AsyncClosure { _ in
            try await stream.close()
            return .none
        }
        return .passed(object: Passed.awaited(shape: .reader, names: ["read", "close"], functions: [read, close], own: Kept(stream)))
    }

    /// A stream to write to.
    public static func writer(_ stream: some ByteWriter) -> Value {
        if let own = stream as? GuestWriter, own.isAwaited { return awaited(own) }
        let given = Box(stream)
        let write = Closure { args in
            try given.value.write(bytes: try Data(pluginValue: try args.expecting(1)[0]))
            return .none
        }
        return .passed(object: Passed(shape: .writer, names: ["write", "close"], functions: [write, closing { try given.value.close() }], own: Kept(stream)))
    }

    private static func awaited(_ stream: GuestWriter) -> Value {
        let write = AsyncClosure { args in
            try await stream.write(bytes: try Data(pluginValue: try args.expecting(1)[0]))
            return .none
        }
        let close = AsyncClosure { _ in
            try await stream.close()
            return .none
        }
        return .passed(object: Passed.awaited(shape: .writer, names: ["write", "close"], functions: [write, close], own: Kept(stream)))
    }

    /// What the program has passed as this value, which a plugin gave back; nil for another value.
    public var passedObject: Any? {
        guard case .passed(let object) = self else { return nil }
        return (object.own() as? Kept)?.value
    }

    /// The object that a plugin gave back, if it is of that type.
    public func readPassed<T>(_ type: T.Type) throws -> T {
        guard let own = passedObject as? T else { throw UnexpectedValue("a \(type) of the program", self) }
        return own
    }
}

/// How many bytes a plugin wants: not more than a stream carries at once, since the stream may make
/// room for all of them.
private func wanted(_ args: [Value]) throws -> Int { min(try Int(pluginValue: try args.expecting(1)[0]), chunk) }

private func closing(_ close: @escaping () throws -> Void) -> Closure {
    let given = Box(close)
    return Closure { _ in
        try given.value()
        return .none
    }
}

/// What the program has given, as a plugin passes it back.
private final class Kept: HostObject, @unchecked Sendable {
    let value: Any

    init(_ value: Any) { self.value = value }

    func describe() -> String { String(describing: type(of: value)) }
}

/// What is used by one thread at a time: that which has the instance, or waits for it.
private final class Box<T>: @unchecked Sendable {
    var value: T

    init(_ value: T) { self.value = value }
}

/// Gives a plugin the items of an iterator, in batches.
private final class Feed<I: IteratorProtocol>: @unchecked Sendable {
    private var items: I
    private let convert: (I.Element) -> Value
    private var isOver = false
    /// What came after items, for the batch after them.
    private var failure: (any Error)?

    /// Nanoseconds after which a batch goes to the plugin as it is: it may need the first item now.
    private static var longest: UInt64 { 50_000 }

    init(_ items: I, _ convert: @escaping (I.Element) -> Value) {
        self.items = items
        self.convert = convert
    }

    /// One to so many items, and whether there are no more.
    func next(_ most: Int) throws -> ([Value], Bool) {
        if let failure {
            self.failure = nil
            throw failure
        }
        var batch: [Value] = []
        let begun = DispatchTime.now().uptimeNanoseconds
        while !isOver && batch.count < most {
            guard let item = items.next() else {
                isOver = true
                guard let error = (items as? any FailingIterator)?.failure else { break }
                if batch.isEmpty { throw error }
                failure = error
                return (batch, false)
            }
            batch.append(convert(item))
            if DispatchTime.now().uptimeNanoseconds - begun >= Feed.longest { break }
        }
        return (batch, isOver)
    }
}
