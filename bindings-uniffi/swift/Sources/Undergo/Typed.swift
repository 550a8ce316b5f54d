import Foundation
import UndergoCore

/// A type whose values cross: Swift's own, and those that `undergo bindgen` writes.
public protocol PluginValue {
    /// Reads one that a plugin gave.
    ///
    /// - Throws: `UnexpectedValue` when it is of another type, which means that the plugin is not
    ///   the one that the code was written for.
    init(pluginValue: Value) throws

    /// What a plugin is given for it.
    var pluginValue: Value { get }
}

/// A plugin gave another type than the code was written for.
public struct UnexpectedValue: Error, CustomStringConvertible {
    /// What was expected: `a string`.
    public let expected: String
    /// What came.
    public let value: Value

    public init(_ expected: String, _ value: Value) {
        self.expected = expected
        self.value = value
    }

    public var description: String {
        // A value may be as long as a plugin likes.
        let got = String(String(describing: value).prefix(200))
        return "expected \(expected) from the plugin, got \(got); the plugin has another interface: write its code anew with undergo bindgen"
    }
}

extension Array where Element == Value {
    /// All of them, when there are that many.
    public func expecting(_ count: Int) throws -> [Value] {
        guard self.count == count else { throw UnexpectedValue("\(count) values", .items(items: self)) }
        return self
    }
}

extension Value: PluginValue {
    // Throws as the others do, so that what is written for any type has no `try` too many.
    public init(pluginValue: Value) throws { self = pluginValue }

    public var pluginValue: Value { self }

    /// The values of a record's fields, in order.
    public func readFields(_ count: Int) throws -> [Value] {
        guard case .fields(let fields) = self else { throw UnexpectedValue("a record", self) }
        return try fields.map { $0.value }.expecting(count)
    }

    /// The items of a list, each by a closure.
    public func readList<T>(_ read: (Value) throws -> T) throws -> [T] {
        guard case .items(let items) = self else { throw UnexpectedValue("a list", self) }
        return try items.map(read)
    }

    /// What an option has, by a closure.
    public func readOption<T>(_ read: (Value) throws -> T) throws -> T? {
        if case .none = self { return nil }
        return try read(self)
    }

    /// Several results.
    public func readItems(_ count: Int) throws -> [Value] {
        guard case .items(let items) = self else { throw UnexpectedValue("several results", self) }
        return try items.expecting(count)
    }
}

extension Value {
    /// A case of a variant: its name in WIT, and its value, which is `Value.none` where it has
    /// none.
    public func readCase() throws -> (name: String, value: Value) {
        guard case .`case`(let name, let value) = self else { throw UnexpectedValue("a case of a variant", self) }
        return (name, value ?? Value.none)
    }
}

/// An enum of WIT: the raw values are the names of its cases.
extension PluginValue where Self: RawRepresentable, Self.RawValue == String {
    public init(pluginValue: Value) throws {
        guard case .text(let name) = pluginValue, let known = Self(rawValue: name) else {
            throw UnexpectedValue("a case of \(Self.self)", pluginValue)
        }
        self = known
    }

    public var pluginValue: Value { .text(value: rawValue) }
}

extension PluginValue where Self: FixedWidthInteger {
    public init(pluginValue: Value) throws {
        let exact: Self?
        switch pluginValue {
        case .int(let number): exact = Self(exactly: number)
        case .uint(let number): exact = Self(exactly: number)
        default: exact = nil
        }
        guard let exact else { throw UnexpectedValue("an integer of \(Self.self)", pluginValue) }
        self = exact
    }

    public var pluginValue: Value {
        if let number = Int64(exactly: self) { return .int(value: number) }
        return .uint(value: UInt64(self))
    }
}

extension Int: PluginValue {}
extension Int8: PluginValue {}
extension Int16: PluginValue {}
extension Int32: PluginValue {}
extension Int64: PluginValue {}
extension UInt: PluginValue {}
extension UInt8: PluginValue {}
extension UInt16: PluginValue {}
extension UInt32: PluginValue {}
extension UInt64: PluginValue {}

extension PluginValue where Self: BinaryFloatingPoint {
    public init(pluginValue: Value) throws {
        guard case .float(let number) = pluginValue else { throw UnexpectedValue("a float", pluginValue) }
        self = Self(number)
    }

    public var pluginValue: Value { .float(value: Double(self)) }
}

extension Float: PluginValue {}
extension Double: PluginValue {}

extension Bool: PluginValue {
    public init(pluginValue: Value) throws {
        guard case .bool(let value) = pluginValue else { throw UnexpectedValue("a bool", pluginValue) }
        self = value
    }

    public var pluginValue: Value { .bool(value: self) }
}

extension String: PluginValue {
    public init(pluginValue: Value) throws {
        guard case .text(let text) = pluginValue else { throw UnexpectedValue("a string", pluginValue) }
        self = text
    }

    public var pluginValue: Value { .text(value: self) }
}

/// Bytes: a list<u8>.
extension Data: PluginValue {
    public init(pluginValue: Value) throws {
        guard case .bytes(let bytes) = pluginValue else { throw UnexpectedValue("bytes", pluginValue) }
        self = bytes
    }

    public var pluginValue: Value { .bytes(value: self) }
}

extension Array: PluginValue where Element: PluginValue {
    public init(pluginValue: Value) throws {
        guard case .items(let items) = pluginValue else { throw UnexpectedValue("a list", pluginValue) }
        self = try items.map { try Element(pluginValue: $0) }
    }

    public var pluginValue: Value { .items(items: map { $0.pluginValue }) }
}

// A dictionary's own `Value` is what its keys stand for.
extension Dictionary: PluginValue where Key: PluginValue, Value: PluginValue {
    public init(pluginValue: UndergoCore.Value) throws {
        guard case .entries(let entries) = pluginValue else { throw UnexpectedValue("a map", pluginValue) }
        self.init(minimumCapacity: entries.count)
        for entry in entries {
            updateValue(try Value(pluginValue: entry.value), forKey: try Key(pluginValue: entry.key))
        }
    }

    public var pluginValue: UndergoCore.Value {
        .entries(entries: map { Entry(key: $0.key.pluginValue, value: $0.value.pluginValue) })
    }
}

extension Optional: PluginValue where Wrapped: PluginValue {
    public init(pluginValue: Value) throws {
        if pluginValue == Value.none {
            self = nil
        } else {
            self = .some(try Wrapped(pluginValue: pluginValue))
        }
    }

    public var pluginValue: Value {
        switch self {
        case .some(let wrapped): return wrapped.pluginValue
        case .none: return Value.none
        }
    }
}

extension Duration: PluginValue {
    public init(pluginValue: Value) throws {
        guard case .duration(let nanoseconds) = pluginValue else { throw UnexpectedValue("a duration", pluginValue) }
        self = .nanoseconds(nanoseconds)
    }

    /// In nanoseconds: what is below them is dropped.
    public var pluginValue: Value {
        let (seconds, attoseconds) = components
        let scaled = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let sum = scaled.partialValue.addingReportingOverflow(attoseconds / 1_000_000_000)
        if scaled.overflow || sum.overflow { return .unfit(reason: "\(self) is more than a duration can have, which is about 292 years") }
        return .duration(nanoseconds: sum.partialValue)
    }
}

/// An instant. A `Date` has no offset from UTC, and is a `Double` of seconds, which is exact to
/// about a tenth of a microsecond in these years. Code that needs all of a time of Go calls with
/// `Value.time`.
extension Date: PluginValue {
    /// Seconds from 1970 to 2001, from which a `Date` counts.
    private static let reference = 978_307_200.0

    public init(pluginValue: Value) throws {
        guard case .time(let seconds, let nanoseconds, _) = pluginValue else { throw UnexpectedValue("a time", pluginValue) }
        self.init(timeIntervalSinceReferenceDate: Double(seconds) - Date.reference + Double(nanoseconds) / 1e9)
    }

    /// In UTC.
    public var pluginValue: Value {
        let interval = timeIntervalSinceReferenceDate
        let whole = interval.rounded(.down)
        guard let seconds = Int64(exactly: whole + Date.reference) else { return .unfit(reason: "\(interval) seconds since 2001 are no time") }
        // What rounds up to the next second stays below it.
        let nanoseconds = min(((interval - whole) * 1e9).rounded(), 999_999_999)
        return .time(seconds: seconds, nanoseconds: UInt32(nanoseconds), offset: 0)
    }
}
