// Typed access to the plugin jq.wasm.
//
// Written by undergo bindgen; don't edit it, but write it anew.

import Foundation
import Undergo

/// The functions of jq.wasm: of an instance, of a pool, and of a view of either.
public protocol JqExports: Sendable {
    /// What runs the calls.
    var calls: Calls { get }
}

extension JqExports {
    /// Load keeps a JSON document under a name, and gives the number of its
    /// outermost items.
    ///
    /// - Throws: `CallError`, whose kind is `guestError` when the function returns an error.
    public func load(name: String, document: Data) throws -> Int64 {
        try Int64(pluginValue: self.calls.call("load", [name.pluginValue, document.pluginValue]))
    }

    /// Query runs a query over a document that was loaded, and gives its results.
    ///
    /// - Throws: `CallError`, whose kind is `guestError` when the function returns an error.
    public func query(name: String, query: String) throws -> [Value] {
        try [Value](pluginValue: self.calls.call("query", [name.pluginValue, query.pluginValue]))
    }

    /// Eval runs a query over a value.
    ///
    /// - Throws: `CallError`, whose kind is `guestError` when the function returns an error.
    public func eval(query: String, value: Value) throws -> [Value] {
        try [Value](pluginValue: self.calls.call("eval", [query.pluginValue, value.pluginValue]))
    }

    /// A view of the same thing with other options for its calls.
    ///
    /// - Parameter timeout: seconds that a call may take.
    public func using(timeout: Double? = nil, cancel: CancelToken? = nil) -> JqCalls {
        JqCalls(calls: self.calls.using(timeout: timeout, cancel: cancel))
    }
}

/// An instance of jq.wasm.
public struct Jq: JqExports {
    /// The instance itself.
    public let instance: Instance
    public let calls: Calls

    /// Makes one of a plugin that is loaded.
    public init(_ plugin: Plugin, sandbox: Sandbox = .of(), limits: Limits = Limits()) throws {
        self.instance = try plugin.instantiate(sandbox: sandbox, limits: limits)
        self.calls = Calls(self.instance)
    }

    /// Compiles the plugin and makes an instance of it.
    public static func load(_ path: String, sandbox: Sandbox = .of(), limits: Limits = Limits()) throws -> Jq {
        try Jq(Plugin.load(path), sandbox: sandbox, limits: limits)
    }
}

/// A pool of instances of jq.wasm.
public struct JqPool: JqExports {
    /// The pool itself.
    public let pool: Pool
    public let calls: Calls

    /// Makes one of a plugin that is loaded. Of at most `size` instances; `maxCalls` and `idle` (seconds) say when one is replaced.
    public init(_ plugin: Plugin, size: UInt64, sandbox: Sandbox = .of(), limits: Limits = Limits(), maxCalls: UInt64? = nil, idle: Double? = nil) throws {
        self.pool = try plugin.pool(size: size, sandbox: sandbox, limits: limits, maxCalls: maxCalls, idle: idle)
        self.calls = Calls(self.pool)
    }
}

/// A view of an instance or a pool of jq.wasm with options for its calls.
public struct JqCalls: JqExports {
    public let calls: Calls
}

/// The functions of jq.wasm, awaited: of an instance, of a pool, and of a view of either.
public protocol AsyncJqExports: Sendable {
    /// What runs the calls.
    var calls: AsyncCalls { get }
}

extension AsyncJqExports {
    /// Load keeps a JSON document under a name, and gives the number of its
    /// outermost items.
    ///
    /// - Throws: `CallError`, whose kind is `guestError` when the function returns an error.
    public func load(name: String, document: Data) async throws -> Int64 {
        try await Int64(pluginValue: self.calls.call("load", [name.pluginValue, document.pluginValue]))
    }

    /// Query runs a query over a document that was loaded, and gives its results.
    ///
    /// - Throws: `CallError`, whose kind is `guestError` when the function returns an error.
    public func query(name: String, query: String) async throws -> [Value] {
        try await [Value](pluginValue: self.calls.call("query", [name.pluginValue, query.pluginValue]))
    }

    /// Eval runs a query over a value.
    ///
    /// - Throws: `CallError`, whose kind is `guestError` when the function returns an error.
    public func eval(query: String, value: Value) async throws -> [Value] {
        try await [Value](pluginValue: self.calls.call("eval", [query.pluginValue, value.pluginValue]))
    }

    /// A view of the same thing with other options for its calls.
    ///
    /// - Parameter timeout: seconds that a call may take.
    public func using(timeout: Double? = nil, cancel: CancelToken? = nil) -> AsyncJqCalls {
        AsyncJqCalls(calls: self.calls.using(timeout: timeout, cancel: cancel))
    }
}

/// An instance of jq.wasm, whose calls are awaited.
public struct AsyncJq: AsyncJqExports {
    /// The instance itself.
    public let instance: AsyncInstance
    public let calls: AsyncCalls

    /// Makes one of a plugin that is loaded.
    public init(_ plugin: Plugin, sandbox: Sandbox = .of(), limits: Limits = Limits()) async throws {
        self.instance = try await plugin.instantiateAsync(sandbox: sandbox, limits: limits)
        self.calls = AsyncCalls(self.instance)
    }

    /// Compiles the plugin and makes an instance of it.
    public static func load(_ path: String, sandbox: Sandbox = .of(), limits: Limits = Limits()) async throws -> AsyncJq {
        try await AsyncJq(Plugin.load(path), sandbox: sandbox, limits: limits)
    }
}

/// A pool of instances of jq.wasm, whose calls are awaited.
public struct AsyncJqPool: AsyncJqExports {
    /// The pool itself.
    public let pool: AsyncPool
    public let calls: AsyncCalls

    /// Makes one of a plugin that is loaded. Of at most `size` instances; `maxCalls` and `idle` (seconds) say when one is replaced.
    public init(_ plugin: Plugin, size: UInt64, sandbox: Sandbox = .of(), limits: Limits = Limits(), maxCalls: UInt64? = nil, idle: Double? = nil) throws {
        self.pool = try plugin.asyncPool(size: size, sandbox: sandbox, limits: limits, maxCalls: maxCalls, idle: idle)
        self.calls = AsyncCalls(self.pool)
    }
}

/// A view of an instance or a pool of jq.wasm with options for its calls.
public struct AsyncJqCalls: AsyncJqExports {
    public let calls: AsyncCalls
}
