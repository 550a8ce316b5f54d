// Runs jq's queries over a JSON document of some megabytes.
//
// Usage: main jq.wasm

import Foundation
import Undergo

let cities = ["Aachen", "Bogotá", "Cairo", "Dhaka", "Essen", "Fukuoka", "Graz", "Hà Nội"]
let orders = 30_000

func mixed(_ number: Int) -> Int { number * 2_654_435_761 % (1 << 32) }

func city(_ number: Int) -> String { cities[mixed(number) / 7 % cities.count] }

/// Makes an order: always the same for the same number.
func order(_ number: Int) -> String {
    let bits = mixed(number)
    let lines = [3, 9, 17].prefix(1 + bits % 3).map { shift -> String in
        let part = bits >> shift
        let article = String(format: "A%03d", part % 500)
        return #"{"article": "\#(article)", "count": \#(1 + part % 4), "cents": \#(99 + bits % 5_000)}"#
    }
    let list = lines.joined(separator: ", ")
    return #"{"id": \#(number), "city": "\#(city(number))", "express": \#(bits % 7 == 0), "note": null, "lines": [\#(list)]}"#
}

/// Texts among the results of a query.
func texts(_ results: [Value]) -> String { results.map { $0.stringValue ?? "?" }.joined(separator: " ") }

let document = Data("[\((0..<orders).map(order).joined(separator: ", "))]".utf8)
print(String(format: "a document of %.1f MB", Double(document.count) / 1e6))

let jq = try Jq.load(CommandLine.arguments[1], limits: Limits(memory: 512 << 20, timeout: 60))
let loaded = try jq.load(name: "orders", document: document)
print("\(loaded) orders")

// The document stays in the plugin; a query crosses, and its results come back as values.
let expected = Dictionary(grouping: 0..<orders, by: city).mapValues { Int64($0.count) }
for found in try jq.query(name: "orders", query: "group_by(.city)[] | {name: .[0].city, orders: length}") {
    let name = found["name"]?.stringValue ?? ""
    let count = found["orders"]?.intValue
    precondition(count != nil && count == expected[name], "\(name) has not \(String(describing: count)) orders")
    print("  \(name): \(count ?? 0)")
}

let total = try jq.query(name: "orders", query: "[.[].lines[] | .count * .cents] | add")[0]
print(String(format: "sold for %.2f", (total.intValue.map { Double($0) } ?? total.floatValue ?? 0) / 100))

let best = #"""
    [.[].lines[]] | group_by(.article) | map({article: .[0].article, count: map(.count) | add})
    | sort_by(-.count, .article) | limit(3; .[]) | "\(.article) (\(.count))"
    """#
print("sold most:", texts(try jq.query(name: "orders", query: best)))

// Any value that JSON can hold may be given, and comes back as what it is.
print(texts(try jq.eval(query: ".[] | type", value: [nil, true, 7, 0.25, "grüße", [1], ["a": [:]]])))
let nested: Value = ["a": [nil, 0.25]]
let same = try jq.eval(query: ".", value: nested)
precondition(same == [nested], "\(same)")

// An error in a query, and one of its run, are errors of a call. The plugin and its document live
// on.
for query in ["map(.city", ".[0] | .city + 1", "missing(.)"] {
    do {
        _ = try jq.query(name: "orders", query: query)
    } catch CallError.Failed(let details, _) where details.kind == .guestError {
        print("\(query): \(details.message)")
    }
}
print(texts(try jq.query(name: "orders", query: ".[12345].city")))

// A query that never ends is stopped.
do {
    _ = try jq.using(timeout: 0.2).eval(query: "def forever: forever; forever", value: nil)
} catch CallError.Failed(let details, _) where details.kind == .timeout {
    print("\(details.kindName): \(jq.instance.isAlive() ? "alive" : "ended")")
}
