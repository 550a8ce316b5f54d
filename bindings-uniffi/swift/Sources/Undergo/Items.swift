import Foundation
import UndergoCore

/// The items of a plugin's iterator, each of which is given once.
///
/// The plugin's function runs as far as items are asked for, and some ahead. It ends by `close`, or
/// when Swift has no reference to this left: its `yield` returns false. A loop may be left early:
///
///     while let item = try items.next() { … }
///     for try await item in items { … }
///
/// A loop of Swift can't throw unless it is awaited, so that this is a sequence for loops that are.
/// Those of an asynchronous instance are always awaited. For one thread or task at a time.
public final class Items<Element: Sendable>: AsyncSequence, AsyncIteratorProtocol, @unchecked Sendable {
    private let handle: GuestHandle
    private let read: @Sendable (Value) throws -> Element
    private let lock = NSLock()
    private var ready: ArraySlice<Value> = []
    private var isOver = false

    /// Reads an iterator that a plugin gave, and its items by that function.
    public init(_ value: Value, read: @escaping @Sendable (Value) throws -> Element) throws {
        self.handle = try GuestHandle.read(value, .iterator)
        self.read = read
    }

    /// The next item; nil when there are no more.
    ///
    /// - Throws: what ends the plugin's function, after the items before it.
    public func next() throws -> Element? {
        while true {
            if let found = try taken() { return found }
            if isAtEnd { return nil }
            let batch = try unwrapped { try handle.next(timeout: nil, cancel: nil) }
            keep(batch)
        }
    }

    /// The next item; nil when there are no more.
    public func next() async throws -> Element? {
        while true {
            if let found = try taken() { return found }
            if isAtEnd { return nil }
            let batch = try await unwrapped {
                handle.isAwaited()
                    ? try await handle.nextAsync(timeout: nil, cancel: nil, lease: HostCode.lease) : try handle.next(timeout: nil, cancel: nil)
            }
            keep(batch)
        }
    }

    public func makeAsyncIterator() -> Items { self }

    /// All that is left.
    public func all() throws -> [Element] {
        var items: [Element] = []
        while let item = try next() { items.append(item) }
        return items
    }

    /// All that is left.
    public func all() async throws -> [Element] {
        var items: [Element] = []
        while let item = try await next() { items.append(item) }
        return items
    }

    /// What is left, as an argument where a plugin wants a sequence. Its error is then the
    /// plugin's.
    public var sequence: ThrowingSequence<Element> {
        let awaited: @Sendable () async throws -> Element? = { try await self.next() }
        return ThrowingSequence(next: { try self.next() }, awaited: handle.isAwaited() ? awaited : nil)
    }

    /// Ends it. Closing it again does nothing.
    public func close() throws {
        forget()
        try unwrapped { try handle.close() }
    }

    /// The same, and waits until the plugin's function has returned.
    public func close() async throws {
        forget()
        try await unwrapped { try await handle.end() }
    }

    private func taken() throws -> Element? {
        guard let value = lock.withLock({ ready.popFirst() }) else { return nil }
        return try read(value)
    }

    private var isAtEnd: Bool { lock.withLock { isOver } }

    private func keep(_ batch: Batch) {
        lock.withLock {
            ready = batch.items[...]
            isOver = batch.isOver
        }
    }

    private func forget() { lock.withLock { ready = [] } }
}

/// A sequence whose items may fail to come. Given to a plugin, its error is the plugin's. A loop of
/// Swift ends there, as it can't throw: take the items by `next` of the iterator's closure instead.
public struct ThrowingSequence<Element>: Sequence {
    private let following: () throws -> Element?
    /// The same where it has to be awaited, as that of an asynchronous instance has.
    let awaited: (@Sendable () async throws -> Element?)?

    /// The items of a closure, which returns nil at the end.
    public init(_ next: @escaping () throws -> Element?) { self.init(next: next, awaited: nil) }

    init(next: @escaping () throws -> Element?, awaited: (@Sendable () async throws -> Element?)?) {
        self.following = next
        self.awaited = awaited
    }

    public func makeIterator() -> Iterator { Iterator(following: following) }

    public struct Iterator: IteratorProtocol, FailingIterator {
        let following: () throws -> Element?
        private(set) var failure: (any Error)?

        init(following: @escaping () throws -> Element?) { self.following = following }

        public mutating func next() -> Element? {
            do {
                return try following()
            } catch {
                failure = error
                return nil
            }
        }
    }
}

/// An iterator that ends where it fails.
protocol FailingIterator {
    var failure: (any Error)? { get }
}
