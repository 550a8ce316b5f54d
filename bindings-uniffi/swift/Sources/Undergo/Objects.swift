import UndergoCore

/// An object of a plugin. `undergo bindgen` writes a class with methods for each resource, which
/// derives from this one.
///
/// A call of the instance gives it, or its constructor: `newDocument`. The plugin keeps the object
/// until it is closed, or until Swift has no reference to it left; it is released by the next call
/// then, or at the end of the one that runs. It can't be used after that, nor after a reset of its
/// instance or the return to a pool.
///
/// Each method blocks its thread, and another one of the same name is awaited. Of an asynchronous
/// instance only the latter can be called.
open class GuestObject: PluginValue, Hashable, @unchecked Sendable {
    /// Its handle.
    public let handle: GuestHandle
    private let timeout: Double?
    private let cancel: CancelToken?

    /// Its resource's name in WIT, if the class is one of a resource.
    open class var resourceName: String? { nil }

    /// An object by its handle, and the options of its calls.
    public required init(_ handle: GuestHandle, timeout: Double? = nil, cancel: CancelToken? = nil) {
        self.handle = handle
        self.timeout = timeout
        self.cancel = cancel
    }

    /// Reads one that a plugin gave.
    public required convenience init(pluginValue: Value) throws {
        let handle = try GuestHandle.read(pluginValue, .object)
        if let name = Self.resourceName, name != handle.resource() { throw UnexpectedValue("a \(name)", pluginValue) }
        self.init(handle)
    }

    /// What a plugin is given for it.
    public var pluginValue: Value { .handle(handle: handle) }

    /// The same object with other options for its calls.
    ///
    /// - Parameter timeout: seconds that a call may take.
    public func using(timeout: Double? = nil, cancel: CancelToken? = nil) -> Self { Self(handle, timeout: timeout, cancel: cancel) }

    /// Whether it was closed, given away to the plugin, or ended with its instance.
    public var isClosed: Bool { !handle.isOpen() }

    /// Closes it: the plugin releases its object, at once or after the call that is running; that
    /// of an asynchronous instance with the next call. Closing it again does nothing.
    public func close() throws { try unwrapped { try handle.close() } }

    /// The same, and waits until the plugin has released its object.
    public func close() async throws { try await unwrapped { try await handle.end() } }

    /// Calls a method, by its name in WIT or in Swift.
    @discardableResult
    public func call(_ name: String, _ args: [Value]) throws -> Value {
        try unwrapped { try handle.call(name: name, args: args, timeout: timeout, cancel: cancel) }
    }

    /// The same, awaited.
    @discardableResult
    public func call(_ name: String, _ args: [Value]) async throws -> Value {
        try await unwrapped { try await handle.run(name, args, timeout, cancel) }
    }

    public static func == (one: GuestObject, other: GuestObject) -> Bool { one.handle === other.handle }

    public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(handle)) }
}

extension GuestHandle {
    /// The handle that a plugin gave, which has to be of that shape.
    static func read(_ value: Value, _ shape: Shape) throws -> GuestHandle {
        guard case .handle(let handle) = value, handle.shape() == shape else { throw UnexpectedValue("a handle of \(shape)", value) }
        return handle
    }

    /// Closes it, and waits until the plugin has released its object; not within a call of the
    /// plugin's, which would have to end before.
    func end() async throws {
        if HostCode.lease == nil { return try await closeAsync() }
        try close()
    }

    /// Calls a method, which is awaited where it can be.
    func run(_ name: String, _ args: [Value], _ timeout: Double?, _ cancel: CancelToken?) async throws -> Value {
        if isAwaited() {
            return try await callAsync(name: name, args: args, timeout: timeout, cancel: cancel, lease: HostCode.lease)
        }
        return try call(name: name, args: args, timeout: timeout, cancel: cancel)
    }
}
