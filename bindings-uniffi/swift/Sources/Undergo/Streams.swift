import Foundation
import UndergoCore

/// A stream to read from: what a plugin gets as an `io.Reader`, and what it gives as one.
///
/// `FileHandle` is one, and so is an `InputStream` that is open.
public protocol ByteReader {
    /// Reads the next bytes: at least one and at most that many, or none at the end.
    func read(upTo most: Int) throws -> Data
    /// Closes it, for a plugin that does.
    func close() throws
}

/// A stream to write to: what a plugin gets as an `io.Writer`, and what it gives as one.
///
/// `FileHandle` is one, and so is an `OutputStream` that is open.
public protocol ByteWriter {
    /// Writes all of the bytes.
    func write(bytes data: Data) throws
    /// Closes it, for a plugin that does.
    func close() throws
}

extension ByteReader {
    public func close() throws {}
}

extension ByteWriter {
    public func close() throws {}
}

/// A stream of Foundation's that has failed and does not say why.
public struct StreamFailure: Error, CustomStringConvertible {
    public let description: String
}

extension FileHandle: ByteReader, ByteWriter {
    public func read(upTo most: Int) throws -> Data { try read(upToCount: most) ?? Data() }
    public func write(bytes data: Data) throws { try write(contentsOf: data) }
}

extension InputStream: ByteReader {
    public func read(upTo most: Int) throws -> Data {
        var room = [UInt8](repeating: 0, count: most)
        let count = read(&room, maxLength: most)
        if count < 0 { throw streamError ?? StreamFailure(description: "the stream can't be read") }
        return Data(room[..<count])
    }
}

extension OutputStream: ByteWriter {
    public func write(bytes data: Data) throws {
        var rest = [UInt8](data)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBufferPointer { room in room.baseAddress.map { write($0, maxLength: room.count) } ?? 0 }
            if count <= 0 { throw streamError ?? StreamFailure(description: "the stream can't be written to") }
            rest = rest.dropFirst(count)
        }
    }
}

/// Bytes that a stream carries at once.
let chunk = 256 << 10

/// A stream of a plugin, to read from. It may be an argument where the plugin wants a stream.
///
/// Each method has another one of the same name that is awaited. Of an asynchronous instance only
/// the latter can be called.
public final class GuestReader: ByteReader, PluginValue, Sendable {
    private let stream: GuestStream

    public init(pluginValue: Value) throws { self.stream = GuestStream(try GuestHandle.read(pluginValue, .reader)) }

    public var pluginValue: Value { .reader(self) }

    /// Whether its calls are awaited.
    var isAwaited: Bool { stream.object.handle.isAwaited() }

    /// Reads the next bytes: at least one and at most that many, or none at the end.
    public func read(upTo most: Int) throws -> Data {
        if most <= 0 { return Data() }
        return try Data(pluginValue: stream.object.call("read", [.int(value: Int64(min(most, chunk)))]))
    }

    public func read(upTo most: Int) async throws -> Data {
        if most <= 0 { return Data() }
        return try await Data(pluginValue: stream.object.call("read", [.int(value: Int64(min(most, chunk)))]))
    }

    /// All that is left.
    public func readToEnd() throws -> Data {
        var all = Data()
        while case let data = try read(upTo: chunk), !data.isEmpty { all.append(data) }
        return all
    }

    public func readToEnd() async throws -> Data {
        var all = Data()
        while case let data = try await read(upTo: chunk), !data.isEmpty { all.append(data) }
        return all
    }

    /// Closes it as the plugin does, and throws the error of that. Closing it again does nothing.
    public func close() throws { try stream.close() }

    public func close() async throws { try await stream.closeAwaited() }
}

/// A stream of a plugin, to write to. Otherwise as a `GuestReader`.
public final class GuestWriter: ByteWriter, PluginValue, Sendable {
    private let stream: GuestStream

    public init(pluginValue: Value) throws { self.stream = GuestStream(try GuestHandle.read(pluginValue, .writer)) }

    public var pluginValue: Value { .writer(self) }

    /// Whether its calls are awaited.
    var isAwaited: Bool { stream.object.handle.isAwaited() }

    /// Writes all of the bytes. After an error it is not known how many were written.
    public func write(bytes data: Data) throws {
        for piece in pieces(data) { try stream.object.call("write", [.bytes(value: piece)]) }
    }

    public func write(bytes data: Data) async throws {
        for piece in pieces(data) { try await stream.object.call("write", [.bytes(value: piece)]) }
    }

    /// Closes it as the plugin does, and throws the error of that. Closing it again does nothing.
    public func close() throws { try stream.close() }

    public func close() async throws { try await stream.closeAwaited() }
}

private func pieces(_ data: Data) -> [Data] {
    stride(from: 0, to: data.count, by: chunk).map { data.dropFirst($0).prefix(chunk) }
}

/// What streams of a plugin have in common.
private final class GuestStream: Sendable {
    let object: GuestObject

    init(_ handle: GuestHandle) { self.object = GuestObject(handle) }

    func close() throws {
        if object.isClosed { return }
        let outcome = Result { try object.call("close", []) }
        try object.close()
        try closed(outcome)
    }

    func closeAwaited() async throws {
        if object.isClosed { return }
        let outcome: Result<Value, any Error>
        do { outcome = .success(try await object.call("close", [])) } catch { outcome = .failure(error) }
        try await object.close()
        try closed(outcome)
    }

    private func closed(_ outcome: Result<Value, any Error>) throws {
        do {
            _ = try outcome.get()
        } catch CallError.Failed(let details, _) where details.kind == .deadInstance {
            // It ended with its instance.
        }
    }
}
