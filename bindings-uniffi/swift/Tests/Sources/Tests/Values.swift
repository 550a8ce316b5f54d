import Foundation
import Undergo

/// Values of the list that have no handles.
struct Values {
    let way: Way
    let home: any Home

    init(_ way: Way, _ home: any Home) { (self.way, self.home) = (way, home) }

    func special(_ key: String, _ inner: Json) throws -> Value {
        let text = inner.string ?? ""
        switch key {
        case "$int":
            if let number = Int64(text) { return .int(value: number) }
            guard let number = UInt64(text) else { return .json(text: text) }
            return .uint(value: number)
        case "$float":
            switch text {
            case "nan": return .float(value: .nan)
            case "inf": return .float(value: .infinity)
            case "-inf": return .float(value: -.infinity)
            default: return .float(value: Double(text) ?? .nan)
            }
        case "$bytes":
            let digits = Array(text.utf8)
            return .bytes(value: Data(stride(from: 0, to: digits.count, by: 2).compactMap { UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16) }))
        case "$duration": return .duration(nanoseconds: Int64(text) ?? 0)
        case "$time":
            let part = { (name: String) in inner[name]?.int ?? 0 }
            return .time(seconds: part("seconds"), nanoseconds: UInt32(part("nanoseconds")), offset: Int32(part("offset")))
        case "$json": return inner.plain
        default: throw Failure(description: "there is no \(key)")
        }
    }

    /// The WIT type tells a long list of strings from a long string.
    func repeated(_ inner: Json, _ type: String, _ argument: (Json) throws -> Value) throws -> Value {
        let one = try argument(inner["value"] ?? .null)
        let count = Int(inner["count"]?.int ?? 0)
        switch one {
        case .text(let text) where !type.hasPrefix("list"): return .text(value: String(repeating: text, count: count))
        case .bytes(let bytes) where type != "list<list<u8>>":
            var all = Data(capacity: bytes.count * count)
            for _ in 0..<count { all.append(bytes) }
            return .bytes(value: all)
        default: return .items(items: Array(repeating: one, count: count))
        }
    }

    /// Compares what has no parts. NaN equals NaN here, and 0.0 does not equal -0.0.
    func checkOne(_ found: Value, _ wanted: Value) throws {
        switch (found, wanted) {
        case (.float(let a), .int(let b)): try expect(a == Double(b), "\(a), expected \(b)")
        case (.float(let a), .float(let b)):
            try expect(a.isNaN ? b.isNaN : a == b && a.sign == b.sign, "\(a), expected \(b)")
        default: try expect(found == wanted, "\(shortened(found)), expected \(shortened(wanted))")
        }
    }

    func checkJson(_ found: Value, _ wanted: Json) throws {
        switch (found, wanted) {
        case (.items(let items), .list(let all)):
            try expect(items.count, is: all.count)
            for (one, wanted) in zip(items, all) { try checkJson(one, wanted) }
        case (.entries(let entries), .object(let members)):
            try expect(Set(entries.compactMap { $0.key.stringValue }), is: Set(members.keys))
            for entry in entries { try checkJson(entry.value, members[entry.key.stringValue ?? ""] ?? .null) }
        case (.json(let text), _): try expect(Double(text), is: number(wanted.plain))
        default:
            if let a = number(found), let b = number(wanted.plain) { return try expect(a, is: b) }
            try expect(found == wanted.plain, "\(shortened(found)), expected \(wanted)")
        }
    }

    private func number(_ value: Value) -> Double? {
        switch value {
        case .int(let number): return Double(number)
        case .uint(let number): return Double(number)
        case .float(let number): return number
        default: return nil
        }
    }
}
