// Renders the README of this project with goldmark, a Markdown library that is written in Go.
//
// Usage: main markdown.wasm [FILE]

import Foundation
import Undergo

// It is run in its folder.
let file = CommandLine.arguments.count > 2 ? CommandLine.arguments[2] : "../../README.md"
let source = try Data(contentsOf: URL(fileURLWithPath: file))
let markdown = try Markdown.load(CommandLine.arguments[1], limits: Limits(memory: 64 << 20, timeout: 10))
let html = try markdown.render(source: source, options: Options(github: true, unsafe: false))

// Each heading of the source is one of the HTML, in the same order.
let headings = try markdown.outline(source: source)
let rendered = html.matches(of: #/<h([1-6]) id="([^"]+)">/#).map { "\($0.output.1) \($0.output.2)" }
precondition(rendered == headings.map { "\($0.level) \($0.id)" }, "the HTML has other headings: \(rendered)")

print("\(source.count) bytes of Markdown, \(html.utf8.count) bytes of HTML")
print("\(headings.count) headings:")
for heading in headings {
    let line = String(heading.line)
    let margin = String(repeating: " ", count: max(0, 5 - line.count))
    print("\(margin)\(line)  \(String(repeating: "  ", count: Int(heading.level) - 1))\(heading.text)")
}

func count(_ tag: String) -> Int { html.components(separatedBy: tag).count - 1 }
print("\(count("<pre>")) blocks of code, \(count("<table>")) tables, \(count("<a href=")) links")

// HTML in a document is left out, unless the host wants it. What is optional may be left out, too.
let safe = try markdown.render(source: Data("*Safe* <script>alert(1)</script>".utf8))
print(safe.trimmingCharacters(in: .whitespacesAndNewlines))
