import Foundation
import Undergo

// The conformance list, run from Swift; see conformance/README.md.

private let capabilities: Set<String> = ["dynamic", "strict-records", "nanoseconds", "handles", "passing-on"]

/// How the guest is loaded, and how it is called.
struct Way {
    let plugin: Plugin
    let isComponent: Bool
    let isAwaited: Bool
    /// The types of each export's parameters.
    let types: [String: [String]]

    init(_ group: String) throws {
        isComponent = group.hasPrefix("component")
        isAwaited = group.hasSuffix("awaited")
        plugin = try Plugin.load(required(isComponent ? "UNDERGO_CONFORMANCE_COMPONENT_WASM" : "UNDERGO_CONFORMANCE_WASM"))
        types = Dictionary(uniqueKeysWithValues: plugin.exports().map { ($0.name, $0.params.map { $0.typeName }) })
    }

    func start(_ host: RunnerHost, _ sandbox: Sandbox, _ limits: Limits) throws -> any Home {
        isAwaited ? try AwaitedHome(plugin, host, sandbox, limits) : try BlockingHome(plugin, host, sandbox, limits)
    }
}

func runConformance(_ group: String) throws {
    let way = try Way(group)
    let folder = required("UNDERGO_CASES")
    for file in try FileManager.default.contentsOfDirectory(atPath: folder).sorted() where file.hasSuffix(".json") {
        let json = try Json.read("\(folder)/\(file)")
        let runner = Runner(way)
        for (number, one) in (json["cases"]?.items ?? []).enumerated() {
            let wanted = [json, one] + (one["steps"]?.items ?? [])
            let needs = Set(wanted.flatMap { $0["needs"]?.items.compactMap { $0.string } ?? [] })
            let lacks = needs.subtracting(capabilities).subtracting([way.isComponent ? "component" : "module"])
            let reason = lacks.isEmpty ? nil : "Swift, or the guest as it is loaded, lacks \(lacks.sorted().joined(separator: ", "))"
            test("\(file.dropLast(5)) \(number)", skipped: reason) { try runner.run(one) }
        }
    }
}

/// Holds the instance that the cases of a file share.
private final class Runner {
    private let way: Way
    private var home: (any Home)?
    private var other: (any Home)?
    private var isSpecial = false
    private var kept: [String: Kept] = [:]
    private var all: [(any Home, Kept)] = []
    private var written: [String: Collector] = [:]

    init(_ way: Way) { self.way = way }

    func run(_ one: Json) throws {
        let steps = one["steps"]?.items ?? [one]
        let isOwn = one["limits"] != nil || one["env"] != nil || (one["steps"] != nil && one["args"] != nil)
        if home?.isAlive != true || one["fresh"]?.isTrue == true || isOwn || isSpecial {
            home = nil
            home = try start(one)
        }
        isSpecial = isOwn
        defer {
            for (home, kept) in all { try? home.close(kept) }
            all = []
            kept = [:]
            written = [:]
            other = nil
        }
        for step in steps {
            if step["in"] != nil, other == nil { other = try start(one) }
            guard let place = step["in"] == nil ? home : other else { throw Failure(description: "there is no instance") }
            try run(step, place)
        }
    }

    private func start(_ one: Json) throws -> any Home {
        var sandbox = silent
        var (args, env): ([String], [String: String]) = ([], [:])
        if one["steps"] != nil { args = one["args"]?.items.compactMap { $0.string } ?? [] }
        if case .object(let members)? = one["env"] { env = members.compactMapValues { $0.string } }
        sandbox = Sandbox.of(args: args, env: env, stdout: .discard, stderr: .discard)
        let limits = one["limits"]
        return try way.start(
            RunnerHost(), sandbox,
            Limits(
                memory: (limits?["memory_mib"]?.int).map { UInt64($0) << 20 }, timeout: (limits?["timeout_ms"]?.int).map { Double($0) / 1000 },
                handles: (limits?["handles"]?.int).map { UInt32($0) }))
    }

    private func run(_ step: Json, _ home: any Home) throws {
        do {
            let found = try perform(step, home)
            if let wanted = step["error"] { throw Failure(description: "it returned \(shortened(found as Any)), expected \(wanted)") }
            if step["end"] != nil {
                try expect(found == nil, "there is another item: \(shortened(found as Any))")
            } else if let wanted = step["result"] {
                guard let found else { throw Failure(description: "there is no item") }
                try check(found, wanted, home)
            }
        } catch let failure as Failure {
            throw failure
        } catch {
            guard let wanted = step["error"] else { throw error }
            try check(error: error, wanted, home)
        }
        if let isAlive = step["alive"] { try expect(home.isAlive, is: isAlive.isTrue) }
    }

    /// Does what a step says; nil where there is no other item.
    private func perform(_ step: Json, _ home: any Home) throws -> Value? {
        let values = Values(way, home)
        func args(_ types: [String] = []) throws -> [Value] {
            try (step["args"]?.items ?? []).enumerated().map { try argument($1, $0 < types.count ? types[$0] : "", values) }
        }
        if let on = step["on"]?.string {
            guard case .object(let object) = try found(on) else { throw Failure(description: "\(on) is no object") }
            return try home.call(object, step["call"]?.string ?? "", try args())
        }
        if let name = step["call"]?.string { return try home.call(name, try args(way.types[name] ?? [])) }
        if let name = step["new"]?.string { return try home.call("new-\(name)", try args()) }
        if let name = step["close"]?.string {
            try home.close(try found(name))
            return Value.none
        }
        if let name = step["next"]?.string, case .items(let items) = try found(name) { return try home.next(items) }
        if let name = step["read"]?.string, case .reader(let reader) = try found(name) {
            var data = Data()
            let most = Int(step["most"]?.int ?? 0)
            while data.count < most, case let piece = try home.read(reader, most - data.count), !piece.isEmpty { data.append(piece) }
            return .bytes(value: data)
        }
        if let name = step["write"]?.string, case .writer(let writer) = try found(name), let data = step["data"] {
            try home.write(writer, try argument(data, "", values).dataValue ?? Data())
            return Value.none
        }
        if let name = step["written"]?.string { return .bytes(value: written[name]?.written ?? Data()) }
        try expect(step["reset"] != nil, "there is no such step")
        try home.reset()
        return Value.none
    }

    private func found(_ name: String) throws -> Kept {
        guard let found = kept[name] else { throw Failure(description: "nothing is kept as \(name)") }
        return found
    }

    private func argument(_ json: Json, _ type: String, _ values: Values) throws -> Value {
        guard let (key, inner) = json.special else {
            switch json {
            case .list(let items): return .items(items: try items.map { try argument($0, "", values) })
            case .object(let members):
                return .entries(entries: try members.map { Entry(key: .text(value: $0.key), value: try argument($0.value, "", values)) })
            default: return json.plain
            }
        }
        let after = json["then"]?.string
        switch key {
        case "$handle": return try found(inner.string ?? "").value
        case "$callback": return values.home.host.callback(inner.string ?? "")
        case "$object": return values.home.host.store.value
        case "$items":
            let items = try argument(inner, "", values).arrayValue ?? []
            guard after != nil else { return .sequence(items) }
            let rest = Shared(items[...])
            return .sequence(
                ThrowingSequence {
                    guard let item = rest.change({ $0.popFirst() }) else { throw Refused(description: "no more items") }
                    return item
                })
        case "$endless":
            let item = try argument(inner, "", values)
            return .sequence(sequence(first: item) { _ in item })
        case "$reader": return .reader(Bytes(try argument(inner, "", values).dataValue ?? Data(), then: after))
        case "$writer":
            let collector = written[inner["as"]?.string ?? ""] ?? Collector(most: (inner["most"]?.int).map { Int($0) })
            written[inner["as"]?.string ?? ""] = collector
            return .writer(collector)
        case "$repeat": return try values.repeated(inner, type) { try argument($0, "", values) }
        case "$map":
            let pairs = try inner.items.map { ($0.items, $0) }.map { parts, _ in
                (try argument(parts[0], "", values), try argument(parts[1], "", values))
            }
            // A component's maps are lists of pairs.
            if way.isComponent { return .items(items: pairs.map { .items(items: [$0.0, $0.1]) }) }
            return .entries(entries: pairs.map { Entry(key: $0.0, value: $0.1) })
        case "$case":
            let value = try inner.items.dropFirst().first.map { try argument($0, "", values) }
            return Value.`case`(name: inner.items[0].string ?? "", value: value)
        default: return try values.special(key, inner)
        }
    }

    /// Compares a result with the JSON that stands for it.
    private func check(_ found: Value, _ wanted: Json, _ home: any Home) throws {
        let values = Values(way, home)
        switch (wanted.special?.key, wanted.special?.value) {
        case ("$keep", let name?):
            let one = try Kept(found)
            kept[name.string ?? ""] = one
            all.append((home, one))
        case ("$items", let items?):
            guard case .items(let given) = try Kept(found) else { throw Failure(description: "\(found) is no iterator") }
            try check(.items(items: try home.all(given)), items, home)
        case ("$reader", let data?):
            guard case .reader(let reader) = try Kept(found) else { throw Failure(description: "\(found) is no stream") }
            var all = Data()
            while case let piece = try home.read(reader, 1 << 16), !piece.isEmpty { all.append(piece) }
            try home.close(.reader(reader))
            try check(.bytes(value: all), data, home)
        case ("$between", let range?):
            guard let number = found.intValue else { throw Failure(description: "\(found) is no integer") }
            try expect((range.items[0].int ?? 0)...(range.items[1].int ?? 0) ~= number, "\(number) is not between them")
        case ("$json", let json?): try values.checkJson(found, json)
        case ("$map", let pairs?): try checkMap(found, pairs.items, home)
        case ("$case", let parts?):
            guard case .`case`(let name, let value) = found else { throw Failure(description: "\(found) is no case") }
            try expect(name, is: parts.items[0].string ?? "")
            try expect((value != nil) == (parts.items.count > 1), "the case has \(String(describing: value))")
            if let value { try check(value, parts.items[1], home) }
        case ("$repeat", let inner?) where found.arrayValue != nil:
            try expect(found.arrayValue?.count ?? 0, is: Int(inner["count"]?.int ?? 0))
            for one in found.arrayValue ?? [] { try check(one, inner["value"] ?? .null, home) }
        case (nil, _):
            switch wanted {
            case .list(let items):
                guard let given = found.arrayValue else { throw Failure(description: "\(shortened(found)) is no list") }
                try expect(given.count, is: items.count)
                for (one, item) in zip(given, items) { try check(one, item, home) }
            case .object(let members):
                guard case .fields(let fields) = found else { throw Failure(description: "\(shortened(found)) is no record") }
                try expect(Set(fields.map { $0.name }), is: Set(members.keys))
                for field in fields { try check(field.value, members[field.name] ?? .null, home) }
            default: try values.checkOne(found, wanted.plain)
            }
        default: try values.checkOne(found, try argument(wanted, "", values))
        }
    }

    private func checkMap(_ found: Value, _ pairs: [Json], _ home: any Home) throws {
        let given: [(Value, Value)]
        switch found {
        case .entries(let entries): given = entries.map { ($0.key, $0.value) }
        case .items(let items) where way.isComponent: given = items.map { ($0.arrayValue?[0] ?? nil, $0.arrayValue?[1] ?? nil) }
        default: throw Failure(description: "\(shortened(found)) is no map")
        }
        try expect(given.count, is: pairs.count)
        for pair in pairs {
            let key = try argument(pair.items[0], "", Values(way, home))
            guard let (_, value) = given.first(where: { $0.0 == key }) else { throw Failure(description: "there is no key \(key)") }
            try check(value, pair.items[1], home)
        }
    }

    private func check(error: any Error, _ wanted: Json, _ home: any Home) throws {
        let kind = wanted["kind"]?.string ?? ""
        if kind == "host-error" {
            // What a host function has thrown is what the caller gets.
            guard error is Refused else { throw Failure(description: "\(shortened(error)), expected what the host has thrown") }
            try expect("\(error)".has(wanted["contains"]?.string ?? ""), "\(error)")
            return
        }
        guard case CallError.Failed(let details, _) = error else { throw error }
        try expect(details.kindName == kind, "\(details.kindName): \(details.text), expected \(wanted)")
        let path = wanted["path"]?.string ?? ""
        try expect("\(details.path) \(details.text)".has(path), "\(details.path) is not \(path): \(details.text)")
        try expect(details.text.has(wanted["contains"]?.string ?? ""), "\(details.text), expected \(wanted)")
        guard let chain = wanted["chain"]?.items else { return }
        try expect(details.chain.map { $0.text }, is: chain.map { $0["text"]?.string ?? "" })
        for (link, wanted) in zip(details.chain, chain) {
            try expect(link.name, is: wanted["name"]?.string)
            if let fields = wanted["fields"] { try check(link.fields ?? .none, fields, home) }
        }
    }
}
