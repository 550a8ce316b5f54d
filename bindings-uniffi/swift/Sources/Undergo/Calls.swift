import UndergoCore

/// What has exports that can be called: an instance or a pool.
public protocol Exports: Sendable {
    /// Calls an export, by its name in WIT or in Swift. What a closure has thrown comes out as it
    /// was thrown.
    ///
    /// - Parameter timeout: seconds that the call may take; no longer than `Limits.timeout`.
    /// - Throws: `CallError`, or what a closure has thrown.
    @discardableResult
    func callValues(_ name: String, _ args: [Value], timeout: Double?, cancel: CancelToken?) throws -> Value
}

/// What has exports whose calls are awaited: an asynchronous instance or pool.
public protocol AsyncExports: Sendable {
    /// Calls an export, by its name in WIT or in Swift. A task that is cancelled cancels its call.
    ///
    /// - Parameter timeout: seconds that the call may take; no longer than `Limits.timeout`.
    /// - Throws: `CallError`, or what a closure has thrown.
    @discardableResult
    func callValues(_ name: String, _ args: [Value], timeout: Double?, cancel: CancelToken?) async throws -> Value
}

extension Exports {
    /// Calls an export, by its name in WIT or in Swift.
    @discardableResult
    public func call(_ name: String, _ args: Value..., timeout: Double? = nil, cancel: CancelToken? = nil) throws -> Value {
        try callValues(name, args, timeout: timeout, cancel: cancel)
    }
}

extension AsyncExports {
    /// Calls an export. A task that is cancelled cancels its call.
    @discardableResult
    public func call(_ name: String, _ args: Value..., timeout: Double? = nil, cancel: CancelToken? = nil) async throws -> Value {
        try await callValues(name, args, timeout: timeout, cancel: cancel)
    }
}

extension Instance: Exports {
    @discardableResult
    public func callValues(_ name: String, _ args: [Value], timeout: Double?, cancel: CancelToken?) throws -> Value {
        try unwrapped { try call(name: name, args: args, timeout: timeout, cancel: cancel) }
    }
}

/// Calls whichever instance is free.
extension Pool: Exports {
    @discardableResult
    public func callValues(_ name: String, _ args: [Value], timeout: Double?, cancel: CancelToken?) throws -> Value {
        try unwrapped { try call(name: name, args: args, timeout: timeout, cancel: cancel) }
    }
}

extension AsyncInstance: AsyncExports {
    @discardableResult
    public func callValues(_ name: String, _ args: [Value], timeout: Double?, cancel: CancelToken?) async throws -> Value {
        try await unwrapped { try await call(name: name, args: args, timeout: timeout, cancel: cancel, lease: HostCode.lease) }
    }
}

/// Calls whichever instance is free.
extension AsyncPool: AsyncExports {
    @discardableResult
    public func callValues(_ name: String, _ args: [Value], timeout: Double?, cancel: CancelToken?) async throws -> Value {
        try await unwrapped { try await call(name: name, args: args, timeout: timeout, cancel: cancel, lease: HostCode.lease) }
    }
}

extension Pool {
    /// Gives the closure an instance that nobody else has meanwhile, and returns what that returns:
    /// for calls that belong together, such as those of an object's methods. All objects of the
    /// instance end with the closure.
    ///
    /// - Parameter timeout: seconds to wait for the instance.
    public func instance<T>(timeout: Double? = nil, cancel: CancelToken? = nil, _ run: (Instance) throws -> T) throws -> T {
        let instance = try lend(timeout: timeout, cancel: cancel)
        defer { instance.giveBack() }
        return try run(instance)
    }
}

extension AsyncPool {
    /// Gives the closure an instance that nobody else has meanwhile: see `Pool.instance`.
    public func instance<T>(
        timeout: Double? = nil, cancel: CancelToken? = nil, _ run: (AsyncInstance) async throws -> T
    ) async throws -> T {
        let instance = try await lend(timeout: timeout, cancel: cancel)
        defer { instance.giveBack() }
        return try await run(instance)
    }
}

/// An instance or a pool, and the options of the calls: what the code of `undergo bindgen` calls.
public struct Calls: Sendable {
    private let exports: any Exports
    private let timeout: Double?
    private let cancel: CancelToken?

    public init(_ exports: any Exports, timeout: Double? = nil, cancel: CancelToken? = nil) {
        self.exports = exports
        self.timeout = timeout
        self.cancel = cancel
    }

    /// The same with other options.
    public func using(timeout: Double?, cancel: CancelToken?) -> Calls {
        Calls(exports, timeout: timeout, cancel: cancel)
    }

    /// Calls an export.
    @discardableResult
    public func call(_ name: String, _ args: [Value]) throws -> Value {
        try exports.callValues(name, args, timeout: timeout, cancel: cancel)
    }
}

/// An asynchronous instance or pool, and the options of the calls.
public struct AsyncCalls: Sendable {
    private let exports: any AsyncExports
    private let timeout: Double?
    private let cancel: CancelToken?

    public init(_ exports: any AsyncExports, timeout: Double? = nil, cancel: CancelToken? = nil) {
        self.exports = exports
        self.timeout = timeout
        self.cancel = cancel
    }

    /// The same with other options.
    public func using(timeout: Double?, cancel: CancelToken?) -> AsyncCalls {
        AsyncCalls(exports, timeout: timeout, cancel: cancel)
    }

    /// Calls an export.
    @discardableResult
    public func call(_ name: String, _ args: [Value]) async throws -> Value {
        try await exports.callValues(name, args, timeout: timeout, cancel: cancel)
    }
}
