import Foundation
import Undergo

/// What a function of the host fails with.
struct Refused: Error, CustomStringConvertible {
    let description: String
}

/// The plugin's own error, which a function of the host may throw.
struct Missing: PluginError {
    static let errorName = "not-found"
    let key: String
    let code: Int64

    init(key: String, code: Int64) { (self.key, self.code) = (key, code) }

    init(pluginValue: Value) throws { throw UnexpectedValue("nothing", pluginValue) }

    var description: String { "not found: \(key)" }

    var pluginValue: Value {
        .fields(fields: [NamedValue(name: "key", value: key.pluginValue), NamedValue(name: "code", value: code.pluginValue)])
    }
}

/// A store of texts.
final class Texts: @unchecked Sendable {
    private let texts: Shared<[String: String]>

    init(_ texts: [String: String] = [:]) { self.texts = Shared(texts) }

    var value: Value {
        .object(
            self,
            [
                "get": { [texts] args in
                    let key = args[0].stringValue ?? ""
                    guard let text = texts.get()[key] else { throw Refused(description: "no such key: \(key)") }
                    return .text(value: text)
                },
                "put": { [texts] args in
                    texts.change { $0[args[0].stringValue ?? ""] = args[1].stringValue }
                    return nil
                },
                "size": { [texts] _ in .int(value: Int64(texts.get().count)) },
                "child": { args in Texts(["name": args[0].stringValue ?? ""]).value },
            ])
    }
}

/// The module `host` of the conformance guest.
final class RunnerHost: @unchecked Sendable {
    /// The instance that calls it.
    weak var home: (any Home)?
    let store = Texts()
    private let notes = Shared<[String]>([])

    private func reenter(_ name: String, _ args: [Value]) throws -> Value {
        guard let home else { throw Refused(description: "there is no instance") }
        return try home.call(name, args)
    }

    /// All but `reenter`, which differs between calls that block and calls that are awaited.
    private var functions: [String: HostClosure] {
        var functions: [String: HostClosure] = [:]
        for name in [
            "string", "bytes", "int", "strings", "floats", "person", "maybe", "color", "counts", "time", "duration", "json", "raw", "shape",
        ] {
            functions["echo-\(name)"] = { args in args[0] }
        }
        functions["many"] = { args in
            let texts = args.map { value -> String in
                switch value {
                case .int(let number): return String(number)
                case .uint(let number): return String(number)
                case .float(let number): return String(number)
                case .bool(let bool): return String(bool)
                default: return value.stringValue ?? ""
                }
            }
            return .text(value: texts[..<7].joined(separator: " ") + texts[7...].map { "|" + $0 }.joined())
        }
        functions["bundle"] = { args in .items(items: args) }
        functions["divmod"] = { args in
            let (a, b) = (args[0].intValue ?? 0, args[1].intValue ?? 1)
            return [.int(value: a / b), .int(value: a % b)]
        }
        functions["note"] = { [notes] args in
            notes.change { $0.append(args[0].stringValue ?? "") }
            return nil
        }
        functions["notes"] = { [notes] _ in
            let all = notes.get()
            notes.set([])
            return all.pluginValue
        }
        functions["fail"] = { args in throw Refused(description: args[0].stringValue ?? "") }
        functions["crash"] = functions["fail"]
        functions["check"] = { args in
            guard let text = args[0].stringValue, !text.isEmpty else { return nil }
            throw Refused(description: text)
        }
        functions["lookup"] = { args in
            guard let key = args[0].stringValue, !key.isEmpty else { return "" }
            let missing = Missing(key: key, code: 404)
            throw WrappedError("looking up: \(missing)", missing)
        }
        functions["wrong-type"] = { _ in "not a number" }
        functions["wrong-result"] = { _ in "not a list" }
        return functions
    }

    var blocking: HostFunctions {
        var functions = functions
        functions["reenter"] = { [self] args in
            let inner = try reenter("reenter", [.int(value: (args[0].intValue ?? 0) - 1)])
            return .int(value: (inner.intValue ?? 0) + 1)
        }
        return ["host": functions]
    }

    var awaiting: AsyncHostFunctions {
        var functions: [String: AsyncHostClosure] = [:]
        for (name, run) in self.functions { functions[name] = { args in try run(args) } }
        functions["reenter"] = { [self] args in
            guard let home = home as? AwaitedHome else { throw Refused(description: "there is no instance") }
            let inner = try await home.instance.call("reenter", .int(value: (args[0].intValue ?? 0) - 1))
            return .int(value: (inner.intValue ?? 0) + 1)
        }
        return ["host": functions]
    }

    /// A function of the list.
    func callback(_ name: String) -> Value {
        switch name {
        case "double": return .function { args in .int(value: 2 * (args[0].intValue ?? 0)) }
        case "fail": return .function { _ in throw Refused(description: "the callback failed") }
        case "reenter": return .function { [self] args in try reenter("echo-int64", args) }
        case "apply-reenter":
            return .function { [self] args in try reenter("apply", [.items(items: args), callback("double")]).arrayValue?.first ?? .none }
        case "open-store":
            return .function { args in
                guard let name = args[0].stringValue, !name.isEmpty else { throw Refused(description: "no name") }
                return Texts(["name": name]).value
            }
        case "note":
            return .function { [notes] args in
                notes.change { $0.append(args[0].stringValue ?? "") }
                return nil
            }
        default: return .function { _ in "not a number" }
        }
    }
}

/// A stream that has bytes, and fails or begins again behind them.
final class Bytes: ByteReader {
    private let all: Data
    private let after: String?
    private var rest: Data

    init(_ data: Data, then after: String?) { (self.all, self.rest, self.after) = (data, data, after) }

    func read(upTo most: Int) throws -> Data {
        if rest.isEmpty {
            if after == "fail" { throw Refused(description: "broken reader") }
            if after == "repeat" { rest = all }
        }
        let piece = rest.prefix(most)
        rest = rest.dropFirst(piece.count)
        return piece
    }
}

/// A stream that collects what is written, up to so many bytes.
final class Collector: ByteWriter, @unchecked Sendable {
    private let data = Shared(Data())
    private let most: Int?

    init(most: Int?) { self.most = most }

    var written: Data { data.get() }

    func write(bytes piece: Data) throws {
        try data.change {
            if let most, $0.count + piece.count > most { throw Refused(description: "broken writer") }
            $0.append(piece)
        }
    }
}
