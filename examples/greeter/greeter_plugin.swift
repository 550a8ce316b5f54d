// Typed access to the plugin greeter.wasm.
//
// Written by undergo bindgen; don't edit it, but write it anew.

import Foundation
import Undergo

/// Person is somebody to be greeted.
public struct Person: PluginValue, Hashable, Sendable {
    public var name: String
    /// optional
    public var email: String?
    public var tags: [String]

    public init(name: String, email: String? = nil, tags: [String]) {
        self.name = name
        self.email = email
        self.tags = tags
    }

    /// Reads one that a plugin gave.
    public init(pluginValue: Value) throws {
        let fields = try pluginValue.readFields(3)
        self.name = try String(pluginValue: fields[0])
        self.email = try String?(pluginValue: fields[1])
        self.tags = try [String](pluginValue: fields[2])
    }

    /// What a plugin is given for it.
    public var pluginValue: Value {
        .fields(fields: [
            NamedValue(name: "name", value: self.name.pluginValue),
            NamedValue(name: "email", value: self.email.pluginValue),
            NamedValue(name: "tags", value: self.tags.pluginValue),
        ])
    }
}

/// What the host gives as directory. Calls come from any thread.
public protocol Directory: Sendable {
    /// Lookup asks the host for a person's tags.
    ///
    /// - Throws: an error, which the plugin gets.
    func lookup(name: String) throws -> [String]
}

/// The functions that greeter.wasm needs, from values that have them.
public func greeterImports(directory: some Directory) -> HostFunctions {
    var functions: HostFunctions = [:]
    functions["directory", default: [:]]["lookup"] = { given in
        let args = try given.expecting(1)
        let result = try directory.lookup(name: String(pluginValue: args[0]))
        return result.pluginValue
    }
    return functions
}

/// What the host gives as directory, awaited. Calls come from any thread.
public protocol AsyncDirectory: Sendable {
    /// Lookup asks the host for a person's tags.
    ///
    /// - Throws: an error, which the plugin gets.
    func lookup(name: String) async throws -> [String]
}

/// The functions that greeter.wasm needs, from values that have them.
public func asyncGreeterImports(directory: some AsyncDirectory) -> AsyncHostFunctions {
    var functions: AsyncHostFunctions = [:]
    functions["directory", default: [:]]["lookup"] = { given in
        let args = try given.expecting(1)
        let result = try await directory.lookup(name: String(pluginValue: args[0]))
        return result.pluginValue
    }
    return functions
}

/// The functions of greeter.wasm: of an instance, of a pool, and of a view of either.
public protocol GreeterExports: Sendable {
    /// What runs the calls.
    var calls: Calls { get }
}

extension GreeterExports {
    /// Greet says hello to p, and names what p likes: the tags of p, and those that
    /// the host's directory has.
    ///
    /// - Throws: `CallError`, whose kind is `guestError` when the function returns an error.
    public func greet(p: Person, shout: Bool) throws -> String {
        try String(pluginValue: self.calls.call("greet", [p.pluginValue, shout.pluginValue]))
    }

    /// Initial is the first letter of the name of p. It panics when there is none.
    public func initial(p: Person) throws -> String {
        try String(pluginValue: self.calls.call("initial", [p.pluginValue]))
    }

    /// A view of the same thing with other options for its calls.
    ///
    /// - Parameter timeout: seconds that a call may take.
    public func using(timeout: Double? = nil, cancel: CancelToken? = nil) -> GreeterCalls {
        GreeterCalls(calls: self.calls.using(timeout: timeout, cancel: cancel))
    }
}

/// An instance of greeter.wasm.
public struct Greeter: GreeterExports {
    /// The instance itself.
    public let instance: Instance
    public let calls: Calls

    /// Makes one of a plugin that is loaded.
    public init(_ plugin: Plugin, directory: some Directory, sandbox: Sandbox = .of(), limits: Limits = Limits()) throws {
        self.instance = try plugin.instantiate(functions: greeterImports(directory: directory), sandbox: sandbox, limits: limits)
        self.calls = Calls(self.instance)
    }

    /// Compiles the plugin and makes an instance of it.
    public static func load(_ path: String, directory: some Directory, sandbox: Sandbox = .of(), limits: Limits = Limits()) throws -> Greeter {
        try Greeter(Plugin.load(path), directory: directory, sandbox: sandbox, limits: limits)
    }
}

/// A pool of instances of greeter.wasm.
public struct GreeterPool: GreeterExports {
    /// The pool itself.
    public let pool: Pool
    public let calls: Calls

    /// Makes one of a plugin that is loaded. Of at most `size` instances; `maxCalls` and `idle` (seconds) say when one is replaced.
    public init(_ plugin: Plugin, size: UInt64, directory: some Directory, sandbox: Sandbox = .of(), limits: Limits = Limits(), maxCalls: UInt64? = nil, idle: Double? = nil) throws {
        self.pool = try plugin.pool(size: size, functions: greeterImports(directory: directory), sandbox: sandbox, limits: limits, maxCalls: maxCalls, idle: idle)
        self.calls = Calls(self.pool)
    }
}

/// A view of an instance or a pool of greeter.wasm with options for its calls.
public struct GreeterCalls: GreeterExports {
    public let calls: Calls
}

/// The functions of greeter.wasm, awaited: of an instance, of a pool, and of a view of either.
public protocol AsyncGreeterExports: Sendable {
    /// What runs the calls.
    var calls: AsyncCalls { get }
}

extension AsyncGreeterExports {
    /// Greet says hello to p, and names what p likes: the tags of p, and those that
    /// the host's directory has.
    ///
    /// - Throws: `CallError`, whose kind is `guestError` when the function returns an error.
    public func greet(p: Person, shout: Bool) async throws -> String {
        try await String(pluginValue: self.calls.call("greet", [p.pluginValue, shout.pluginValue]))
    }

    /// Initial is the first letter of the name of p. It panics when there is none.
    public func initial(p: Person) async throws -> String {
        try await String(pluginValue: self.calls.call("initial", [p.pluginValue]))
    }

    /// A view of the same thing with other options for its calls.
    ///
    /// - Parameter timeout: seconds that a call may take.
    public func using(timeout: Double? = nil, cancel: CancelToken? = nil) -> AsyncGreeterCalls {
        AsyncGreeterCalls(calls: self.calls.using(timeout: timeout, cancel: cancel))
    }
}

/// An instance of greeter.wasm, whose calls are awaited.
public struct AsyncGreeter: AsyncGreeterExports {
    /// The instance itself.
    public let instance: AsyncInstance
    public let calls: AsyncCalls

    /// Makes one of a plugin that is loaded.
    public init(_ plugin: Plugin, directory: some AsyncDirectory, sandbox: Sandbox = .of(), limits: Limits = Limits()) async throws {
        self.instance = try await plugin.instantiateAsync(asyncFunctions: asyncGreeterImports(directory: directory), sandbox: sandbox, limits: limits)
        self.calls = AsyncCalls(self.instance)
    }

    /// Compiles the plugin and makes an instance of it.
    public static func load(_ path: String, directory: some AsyncDirectory, sandbox: Sandbox = .of(), limits: Limits = Limits()) async throws -> AsyncGreeter {
        try await AsyncGreeter(Plugin.load(path), directory: directory, sandbox: sandbox, limits: limits)
    }
}

/// A pool of instances of greeter.wasm, whose calls are awaited.
public struct AsyncGreeterPool: AsyncGreeterExports {
    /// The pool itself.
    public let pool: AsyncPool
    public let calls: AsyncCalls

    /// Makes one of a plugin that is loaded. Of at most `size` instances; `maxCalls` and `idle` (seconds) say when one is replaced.
    public init(_ plugin: Plugin, size: UInt64, directory: some AsyncDirectory, sandbox: Sandbox = .of(), limits: Limits = Limits(), maxCalls: UInt64? = nil, idle: Double? = nil) throws {
        self.pool = try plugin.asyncPool(size: size, asyncFunctions: asyncGreeterImports(directory: directory), sandbox: sandbox, limits: limits, maxCalls: maxCalls, idle: idle)
        self.calls = AsyncCalls(self.pool)
    }
}

/// A view of an instance or a pool of greeter.wasm with options for its calls.
public struct AsyncGreeterCalls: AsyncGreeterExports {
    public let calls: AsyncCalls
}
