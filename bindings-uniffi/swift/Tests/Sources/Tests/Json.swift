import Foundation
import Undergo

/// JSON as the cases have it.
enum Json: Decodable {
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case text(String)
    case list([Json])
    case object([String: Json])

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .null
        } else if let bool = try? value.decode(Bool.self) {
            self = .bool(bool)
        } else if let text = try? value.decode(String.self) {
            self = .text(text)
        } else if let integer = try? value.decode(Int64.self) {
            self = .integer(integer)
        } else if let number = try? value.decode(Double.self) {
            self = .number(number)
        } else if let list = try? value.decode([Json].self) {
            self = .list(list)
        } else {
            self = .object(try value.decode([String: Json].self))
        }
    }

    static func read(_ path: String) throws -> Json {
        try JSONDecoder().decode(Json.self, from: try Data(contentsOf: URL(fileURLWithPath: path)))
    }

    subscript(name: String) -> Json? { if case .object(let members) = self { return members[name] } else { return nil } }

    var string: String? { if case .text(let text) = self { return text } else { return nil } }
    var items: [Json] { if case .list(let items) = self { return items } else { return [] } }
    var int: Int64? { if case .integer(let value) = self { return value } else { return nil } }
    var isTrue: Bool { if case .bool(true) = self { return true } else { return false } }

    /// The member that says what stands for no JSON: `$bytes`.
    var special: (key: String, value: Json)? {
        guard case .object(let members) = self, let found = members.first(where: { $0.key.hasPrefix("$") }) else { return nil }
        return (found.key, found.value)
    }

    /// As a plain value, which is JSON.
    var plain: Value {
        switch self {
        case .null: return .none
        case .bool(let value): return .bool(value: value)
        case .integer(let value): return .int(value: value)
        case .number(let value): return .float(value: value)
        case .text(let text): return .text(value: text)
        case .list(let items): return .items(items: items.map { $0.plain })
        case .object(let members): return .entries(entries: members.map { Entry(key: .text(value: $0.key), value: $0.value.plain) })
        }
    }
}
