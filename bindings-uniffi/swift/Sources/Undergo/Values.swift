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
