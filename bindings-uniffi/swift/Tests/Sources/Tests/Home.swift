import Foundation
import Undergo

/// An instance, and how it is called.
protocol Home: AnyObject, Sendable {
    var host: RunnerHost { get }
    var isAlive: Bool { get }
    func call(_ name: String, _ args: [Value]) throws -> Value
    func call(_ object: GuestObject, _ name: String, _ args: [Value]) throws -> Value
    func next(_ items: Items<Value>) throws -> Value?
    func all(_ items: Items<Value>) throws -> [Value]
    func read(_ reader: GuestReader, _ most: Int) throws -> Data
    func write(_ writer: GuestWriter, _ data: Data) throws
    func close(_ kept: Kept) throws
    func reset() throws
}

/// What a case keeps.
enum Kept: Sendable {
    case object(GuestObject)
    case items(Items<Value>)
    case reader(GuestReader)
    case writer(GuestWriter)

    init(_ value: Value) throws {
        guard case .handle(let handle) = value else { throw Failure(description: "\(value) is no handle") }
        switch handle.shape() {
        case .iterator: self = .items(try Items(value) { $0 })
        case .reader: self = .reader(try GuestReader(pluginValue: value))
        case .writer: self = .writer(try GuestWriter(pluginValue: value))
        default: self = .object(GuestObject(handle))
        }
    }

    /// It, as an argument.
    var value: Value {
        switch self {
        case .object(let object): return object.pluginValue
        case .items(let items): return .sequence(items.sequence)
        case .reader(let reader): return reader.pluginValue
        case .writer(let writer): return writer.pluginValue
        }
    }
}

final class BlockingHome: Home {
    let host: RunnerHost
    let instance: Instance

    init(_ plugin: Plugin, _ host: RunnerHost, _ sandbox: Sandbox, _ limits: Limits) throws {
        self.host = host
        self.instance = try plugin.instantiate(functions: host.blocking, sandbox: sandbox, limits: limits)
        host.home = self
    }

    var isAlive: Bool { instance.isAlive() }

    func call(_ name: String, _ args: [Value]) throws -> Value { try instance.callValues(name, args, timeout: nil, cancel: nil) }

    func call(_ object: GuestObject, _ name: String, _ args: [Value]) throws -> Value { try object.call(name, args) }

    func next(_ items: Items<Value>) throws -> Value? { try items.next() }

    func all(_ items: Items<Value>) throws -> [Value] { try items.all() }

    func read(_ reader: GuestReader, _ most: Int) throws -> Data { try reader.read(upTo: most) }

    func write(_ writer: GuestWriter, _ data: Data) throws { try writer.write(bytes: data) }

    func close(_ kept: Kept) throws {
        switch kept {
        case .object(let object): try object.close()
        case .items(let items): try items.close()
        case .reader(let reader): try reader.close()
        case .writer(let writer): try writer.close()
        }
    }

    func reset() throws { try instance.reset(timeout: nil) }
}

final class AwaitedHome: Home {
    let host: RunnerHost
    let instance: AsyncInstance

    init(_ plugin: Plugin, _ host: RunnerHost, _ sandbox: Sandbox, _ limits: Limits) throws {
        self.host = host
        self.instance = try awaited { try await plugin.instantiateAsync(asyncFunctions: host.awaiting, sandbox: sandbox, limits: limits) }
        host.home = self
    }

    var isAlive: Bool { instance.isAlive() }

    func call(_ name: String, _ args: [Value]) throws -> Value {
        try awaited { [instance] in try await instance.callValues(name, args, timeout: nil, cancel: nil) }
    }

    func call(_ object: GuestObject, _ name: String, _ args: [Value]) throws -> Value { try awaited { try await object.call(name, args) } }

    func next(_ items: Items<Value>) throws -> Value? { try awaited { try await items.next() } }

    func all(_ items: Items<Value>) throws -> [Value] { try awaited { try await items.all() } }

    func read(_ reader: GuestReader, _ most: Int) throws -> Data { try awaited { try await reader.read(upTo: most) } }

    func write(_ writer: GuestWriter, _ data: Data) throws { try awaited { try await writer.write(bytes: data) } }

    func close(_ kept: Kept) throws {
        try awaited {
            switch kept {
            case .object(let object): try await object.close()
            case .items(let items): try await items.close()
            case .reader(let reader): try await reader.close()
            case .writer(let writer): try await writer.close()
            }
        }
    }

    func reset() throws { try awaited { [instance] in try await instance.reset(timeout: nil, lease: nil) } }
}
