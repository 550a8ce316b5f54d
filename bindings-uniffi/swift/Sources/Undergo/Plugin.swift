import Foundation
import UndergoCore

/// A function that the host gives to a plugin. What it throws is the Go `error`, where the import
/// returns one; elsewhere it ends the call, and its caller gets it.
public typealias HostClosure = @Sendable ([Value]) throws -> Value

/// The same, awaited: for asynchronous instances and pools. Its task is cancelled when the call
/// that wanted it ends.
public typealias AsyncHostClosure = @Sendable ([Value]) async throws -> Value

/// An error of a closure, on its way through the plugin.
private final class Thrown: HostObject {
    let error: Error

    init(_ error: Error) { self.error = error }

    func describe() -> String { String(describing: error) }
}

/// Code of the program that a plugin has called.
enum HostCode {
    /// The right to call back into the asynchronous instance that has called it. What runs within
    /// it, and the tasks that it begins, have it.
    @TaskLocal static var lease: Lease?
}

/// A closure as the library sees it.
final class Closure: HostFunction {
    let run: HostClosure

    init(_ run: @escaping HostClosure) { self.run = run }

    func call(args: [Value], lease: Lease?) throws -> Value {
        do {
            return try HostCode.$lease.withValue(lease) { try run(args) }
        } catch {
            throw raised(error)
        }
    }
}

/// A closure that is awaited, as the library sees it.
final class AsyncClosure: AsyncHostFunction {
    let run: AsyncHostClosure

    init(_ run: @escaping AsyncHostClosure) { self.run = run }

    func call(args: [Value], lease: Lease?) async throws -> Value {
        do {
            return try await HostCode.$lease.withValue(lease) { try await run(args) }
        } catch {
            throw raised(error)
        }
    }
}

/// What the library gets of an error. One that says that a task was cancelled is not for a plugin
/// to handle.
private func raised(_ error: Error) -> HostFailure {
    let isError = !(error is CancellationError)
    return .Raised(text: String(describing: error), isError: isError, chain: isError ? links(error) : [], raised: Thrown(error))
}

/// The functions of each interface that a plugin imports, by their names in WIT or in Swift.
public typealias HostFunctions = [String: [String: HostClosure]]

/// The same, of closures that are awaited.
public typealias AsyncHostFunctions = [String: [String: AsyncHostClosure]]

private func given(_ functions: AsyncHostFunctions) -> Imports {
    let imports = Imports()
    for (interface, named) in functions {
        for (name, run) in named {
            imports.giveAsync(interface: interface, name: name, function: AsyncClosure(run))
        }
    }
    return imports
}

private func given(_ functions: HostFunctions) -> Imports {
    let imports = Imports()
    for (interface, named) in functions {
        for (name, run) in named {
            imports.give(interface: interface, name: name, function: Closure(run))
        }
    }
    return imports
}

/// Runs a call. What a closure has thrown comes out as it was thrown.
func unwrapped<T>(_ call: () throws -> T) throws -> T {
    do {
        return try call()
    } catch CallError.Failed(_, let raised as Thrown) {
        throw raised.error
    }
}

func unwrapped<T>(_ call: () async throws -> T) async throws -> T {
    do {
        return try await call()
    } catch CallError.Failed(_, let raised as Thrown) {
        throw raised.error
    }
}

extension Sandbox {
    /// Nothing but the standard output and error of this process, and what is said here. Those of a
    /// command that is run are captured.
    public static func of(
        args: [String] = [], env: [String: String] = [:], dirs: [Dir] = [], stdin: Input = .content(bytes: Data()),
        stdout: Output = .usual(limit: 1 << 20), stderr: Output = .usual(limit: 1 << 20), clock: Date? = nil,
        seed: UInt64? = nil, network: [String] = [], listeners: [String] = [], temp: Bool = false
    ) -> Sandbox {
        Sandbox(
            args: args, env: env, dirs: dirs, temp: temp, stdin: stdin, stdout: stdout, stderr: stderr, clock: clock, seed: seed, network: network,
            listeners: listeners)
    }
}

extension Plugin {
    /// Compiles a file, or finds its code in the cache.
    public static func load(
        _ path: String, compile: Compile = .tiered, cache: Cache = .user, loading: Loading = Loading()
    ) throws -> Plugin {
        try Plugin.fromFile(path: path, compile: compile, cache: cache, loading: loading)
    }

    /// Makes an instance.
    public func instantiate(functions: HostFunctions = [:], sandbox: Sandbox = .of(), limits: Limits = Limits()) throws -> Instance {
        try unwrapped { try instantiate(imports: given(functions), sandbox: sandbox, limits: limits) }
    }

    /// Makes an instance whose calls are awaited.
    public func instantiateAsync(
        functions: HostFunctions = [:], sandbox: Sandbox = .of(), limits: Limits = Limits()
    ) async throws -> AsyncInstance {
        try await unwrapped { try await instantiateAsync(imports: given(functions), sandbox: sandbox, limits: limits) }
    }

    /// Makes an instance whose calls are awaited, with functions that are awaited.
    public func instantiateAsync(
        asyncFunctions: AsyncHostFunctions, sandbox: Sandbox = .of(), limits: Limits = Limits()
    ) async throws -> AsyncInstance {
        try await unwrapped { try await instantiateAsync(imports: given(asyncFunctions), sandbox: sandbox, limits: limits) }
    }

    /// Runs a command from its beginning to its end. What it prints is captured, unless the sandbox
    /// says where it goes. An exit code is a result, whichever it is.
    public func run(
        functions: HostFunctions = [:], sandbox: Sandbox = .of(), limits: Limits = Limits(), timeout: Double? = nil, cancel: CancelToken? = nil
    ) throws -> Completed {
        try unwrapped { try run(imports: given(functions), sandbox: sandbox, limits: limits, timeout: timeout, cancel: cancel) }
    }

    /// The same, awaited. A task that is cancelled ends its command.
    public func runAsync(
        functions: HostFunctions = [:], sandbox: Sandbox = .of(), limits: Limits = Limits(), timeout: Double? = nil, cancel: CancelToken? = nil
    ) async throws -> Completed {
        try await unwrapped { try await runAsync(imports: given(functions), sandbox: sandbox, limits: limits, timeout: timeout, cancel: cancel) }
    }

    /// Makes a pool of at most that many instances.
    public func pool(
        size: UInt64, functions: HostFunctions = [:], sandbox: Sandbox = .of(), limits: Limits = Limits(), maxCalls: UInt64? = nil,
        idle: Double? = nil
    ) throws -> Pool {
        try pool(size: size, imports: given(functions), sandbox: sandbox, limits: limits, maxCalls: maxCalls, idle: idle)
    }

    /// Makes a pool of at most that many instances, whose calls are awaited.
    public func asyncPool(
        size: UInt64, functions: HostFunctions = [:], sandbox: Sandbox = .of(), limits: Limits = Limits(), maxCalls: UInt64? = nil,
        idle: Double? = nil
    ) throws -> AsyncPool {
        try asyncPool(size: size, imports: given(functions), sandbox: sandbox, limits: limits, maxCalls: maxCalls, idle: idle)
    }

    /// The same, with functions that are awaited.
    public func asyncPool(
        size: UInt64, asyncFunctions: AsyncHostFunctions, sandbox: Sandbox = .of(), limits: Limits = Limits(), maxCalls: UInt64? = nil,
        idle: Double? = nil
    ) throws -> AsyncPool {
        try asyncPool(size: size, imports: given(asyncFunctions), sandbox: sandbox, limits: limits, maxCalls: maxCalls, idle: idle)
    }
}
