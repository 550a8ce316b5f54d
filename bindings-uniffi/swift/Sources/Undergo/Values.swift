import Foundation
@_exported import UndergoCore

// Values as literals: `["name": "Ada", "tags": []]` is a record or a map, by the type of the
// parameter.

extension Value: ExpressibleByNilLiteral {
    public init(nilLiteral: ()) { self = .none }
}

extension Value: ExpressibleByBooleanLiteral {
    public init(booleanLiteral value: Bool) { self = .bool(value: value) }
}

extension Value: ExpressibleByIntegerLiteral {
    public init(integerLiteral value: Int64) { self = .int(value: value) }
}

extension Value: ExpressibleByFloatLiteral {
    public init(floatLiteral value: Double) { self = .float(value: value) }
}

extension Value: ExpressibleByStringLiteral {
    public init(stringLiteral value: String) { self = .text(value: value) }
}

extension Value: ExpressibleByArrayLiteral {
    public init(arrayLiteral items: Value...) { self = .items(items: items) }
}

extension Value: ExpressibleByDictionaryLiteral {
    public init(dictionaryLiteral pairs: (Value, Value)...) {
        self = .entries(entries: pairs.map { Entry(key: $0.0, value: $0.1) })
    }
}

extension Value {
    /// The bool; nil for another value. The next ones likewise.
    public var boolValue: Bool? { if case .bool(let value) = self { return value } else { return nil } }

    /// The integer, where it fits.
    public var intValue: Int64? { if case .int(let value) = self { return value } else { return nil } }

    /// The float.
    public var floatValue: Double? { if case .float(let value) = self { return value } else { return nil } }

    /// The text, or the name of an enum's case.
    public var stringValue: String? { if case .text(let value) = self { return value } else { return nil } }

    /// The bytes.
    public var dataValue: Data? { if case .bytes(let value) = self { return value } else { return nil } }

    /// The items of a list, or several results.
    public var arrayValue: [Value]? { if case .items(let items) = self { return items } else { return nil } }

    /// A field of a record by its name in WIT, or what a map has for a text.
    public subscript(name: String) -> Value? {
        switch self {
        case .fields(let fields): return fields.first { $0.name == name }?.value
        case .entries(let entries): return entries.first { $0.key == .text(value: name) }?.value
        default: return nil
        }
    }
}

// UniFFI compares no values that may be handles. These are equal if they are the same object.
extension Value: Hashable {
    public static func == (one: Value, other: Value) -> Bool {
        switch (one, other) {
        case (.none, .none): return true
        case (.bool(let a), .bool(let b)): return a == b
        case (.int(let a), .int(let b)): return a == b
        case (.uint(let a), .uint(let b)): return a == b
        case (.float(let a), .float(let b)): return a == b
        case (.text(let a), .text(let b)): return a == b
        case (.bytes(let a), .bytes(let b)): return a == b
        case (.items(let a), .items(let b)): return a == b
        case (.entries(let a), .entries(let b)): return a == b
        case (.fields(let a), .fields(let b)): return a == b
        case (.case(let a, let x), .case(let b, let y)): return a == b && x == y
        case (.json(let a), .json(let b)): return a == b
        case (.duration(let a), .duration(let b)): return a == b
        case (.time(let a, let x, let p), .time(let b, let y, let q)): return a == b && x == y && p == q
        case (.handle(let a), .handle(let b)): return a === b
        case (.passed(let a), .passed(let b)): return a === b
        case (.unfit(let a), .unfit(let b)): return a == b
        default: return false
        }
    }

    public func hash(into hasher: inout Hasher) {
        switch self {
        case .none: hasher.combine(0)
        case .bool(let value): hasher.combine(value)
        case .int(let value): hasher.combine(value)
        case .uint(let value): hasher.combine(value)
        case .float(let value): hasher.combine(value)
        case .text(let value), .json(let value), .unfit(let value): hasher.combine(value)
        case .bytes(let value): hasher.combine(value)
        case .items(let items): hasher.combine(items)
        case .entries(let entries): hasher.combine(entries)
        case .fields(let fields): hasher.combine(fields)
        case .case(let name, let value):
            hasher.combine(name)
            hasher.combine(value)
        case .duration(let nanoseconds): hasher.combine(nanoseconds)
        case .time(let seconds, let nanoseconds, let offset):
            hasher.combine(seconds)
            hasher.combine(nanoseconds)
            hasher.combine(offset)
        case .handle(let handle): hasher.combine(ObjectIdentifier(handle))
        case .passed(let object): hasher.combine(ObjectIdentifier(object))
        }
    }
}

extension Entry: Hashable {
    public static func == (one: Entry, other: Entry) -> Bool { one.key == other.key && one.value == other.value }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(key)
        hasher.combine(value)
    }
}

extension NamedValue: Hashable {
    public static func == (one: NamedValue, other: NamedValue) -> Bool { one.name == other.name && one.value == other.value }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(name)
        hasher.combine(value)
    }
}
