// Calls the greeter: values and errors there and back. Untested: see bindings-uniffi/swift/README.md.
//
// Usage: main greeter.wasm

import Undergo

struct NotThere: Error, CustomStringConvertible {
    let name: String
    var description: String { "\(name) is not in the directory" }
}

let directory = ["Ada": ["mathematics", "engines"], "Grace": []]

/// Gives a person's tags; the plugin calls this.
let lookup: HostClosure = { args in
    let name = args[0].stringValue ?? ""
    guard let tags = directory[name] else { throw NotThere(name: name) }
    return .items(items: tags.map { .text(value: $0) })
}

/// Prints how a call failed.
func failure(_ call: () throws -> Value) {
    do {
        print(try call().stringValue ?? "")
    } catch CallError.Failed(let details, _) {
        print(details.kind == .typeMismatch ? "\(details.kindName): at \(details.path)" : "\(details.kindName): \(details.message)")
        if details.kind == .panic { print("in \(details.frames[0].function)") }
    } catch {
        print("unexpected: \(error)")
    }
}

let plugin = try Plugin.load(CommandLine.arguments[1])
let greeter = try plugin.instantiate(functions: ["directory": ["lookup": lookup]], limits: Limits(memory: 64 << 20, timeout: 5))

// What the plugin has, with the comments of its Go source.
let exports: [FunctionInfo] = plugin.exports()
print("exports: \(exports.map { $0.name }.joined(separator: ", "))")
print(exports[0].docs)
print()

// What is optional may be left out.
print(try greeter.call("greet", ["name": "Ada", "tags": []], false).stringValue ?? "")
let grace: Value = ["name": "Grace", "email": "grace@example.com", "tags": ["compilers"]]
print(try greeter.call("greet", grace, true).stringValue ?? "")
print()

// An error that the Go function returns; one that Swift throws; a value that does not fit; a name that is misspelt.
failure { try greeter.call("greet", ["name": "", "tags": []], false) }
failure { try greeter.call("greet", ["name": "Nobody", "tags": []], false) }
failure { try greeter.call("greet", ["name": "Ada", "tags": ["a", "b", 3]], false) }
failure { try greeter.call("great", grace, false) }

// The instance has lived through all of these. A panic ends it.
print(greeter.isAlive() ? "alive" : "ended")
failure { try greeter.call("initial", ["name": "", "tags": []]) }
print(greeter.isAlive() ? "alive" : "ended")

// The plugin itself is as good as ever, and a new instance is quickly made.
print(try plugin.instantiate(functions: ["directory": ["lookup": lookup]]).call("initial", grace).stringValue ?? "")
