// Calls the greeter: values and errors there and back.
//
// Usage: main greeter.wasm

import Undergo

struct NotThere: Error, CustomStringConvertible {
    let name: String
    var description: String { "\(name) is not in the directory" }
}

/// The host's directory of people, which the plugin asks.
struct People: Directory {
    let tags: [String: [String]]

    func lookup(name: String) throws -> [String] {
        guard let tags = tags[name] else { throw NotThere(name: name) }
        return tags
    }
}

/// Prints what a call gives, or how it failed.
func show(_ call: () throws -> String) {
    do {
        print(try call())
    } catch CallError.Failed(let details, _) {
        print(details.kind == .typeMismatch ? "\(details.kindName): at \(details.path)" : "\(details.kindName): \(details.message)")
        if details.kind == .panic, let frame = details.frames.first { print("in \(frame.function)") }
    } catch {
        print("unexpected: \(error)")
    }
}

let people = People(tags: ["Ada": ["mathematics", "engines"], "Grace": []])
let plugin = try Plugin.load(CommandLine.arguments[1])
let greeter = try Greeter(plugin, directory: people, limits: Limits(memory: 64 << 20, timeout: 5))

// What the plugin has, with the comments of its Go source.
let exports = plugin.exports()
print("exports: \(exports.map { $0.name }.joined(separator: ", "))")
print(exports[0].docs)
print()

// What is optional may be left out.
let grace = Person(name: "Grace", email: "grace@example.com", tags: ["compilers"])
print(try greeter.greet(p: Person(name: "Ada", tags: []), shout: false))
print(try greeter.greet(p: grace, shout: true))
print()

// An error that the Go function returns, and one that Swift throws.
show { try greeter.greet(p: Person(name: "", tags: []), shout: false) }
show { try greeter.greet(p: Person(name: "Nobody", tags: []), shout: false) }

// Without the typed code: a value that does not fit, and a name that is misspelt.
show { try greeter.instance.call("greet", ["name": "Ada", "tags": ["a", "b", 3]], false).stringValue ?? "" }
show { try greeter.instance.call("great", grace.pluginValue, false).stringValue ?? "" }

// The instance has lived through all of these. A panic ends it.
print(greeter.instance.isAlive() ? "alive" : "ended")
show { try greeter.initial(p: Person(name: "", tags: [])) }
print(greeter.instance.isAlive() ? "alive" : "ended")

// The plugin itself is as good as ever, and a new instance is quickly made.
print(try Greeter(plugin, directory: people).initial(p: grace))
