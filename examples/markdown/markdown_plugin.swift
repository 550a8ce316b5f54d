// Typed access to the plugin markdown.wasm.
//
// Written by undergo bindgen; don't edit it, but write it anew.

import Foundation
import Undergo

/// Options say how a document is rendered.
public struct Options: PluginValue, Hashable, Sendable {
    /// GitHub's tables, strikethrough, autolinks and task lists.
    public var github: Bool
    /// Whether HTML in the document is kept. It is left out otherwise.
    public var unsafe: Bool

    public init(github: Bool, unsafe: Bool) {
        self.github = github
        self.unsafe = unsafe
    }

    /// Reads one that a plugin gave.
    public init(pluginValue: Value) throws {
        let fields = try pluginValue.readFields(2)
        self.github = try Bool(pluginValue: fields[0])
        self.unsafe = try Bool(pluginValue: fields[1])
    }

    /// What a plugin is given for it.
    public var pluginValue: Value {
        .fields(fields: [
            NamedValue(name: "github", value: self.github.pluginValue),
            NamedValue(name: "unsafe", value: self.unsafe.pluginValue),
        ])
    }
}

/// Heading is a heading of a document.
public struct Heading: PluginValue, Hashable, Sendable {
    public var level: Int64
    public var text: String
    public var id: String
    /// from 1
    public var line: Int64

    public init(level: Int64, text: String, id: String, line: Int64) {
        self.level = level
        self.text = text
        self.id = id
        self.line = line
    }

    /// Reads one that a plugin gave.
    public init(pluginValue: Value) throws {
        let fields = try pluginValue.readFields(4)
        self.level = try Int64(pluginValue: fields[0])
        self.text = try String(pluginValue: fields[1])
        self.id = try String(pluginValue: fields[2])
        self.line = try Int64(pluginValue: fields[3])
    }

    /// What a plugin is given for it.
    public var pluginValue: Value {
        .fields(fields: [
            NamedValue(name: "level", value: self.level.pluginValue),
            NamedValue(name: "text", value: self.text.pluginValue),
            NamedValue(name: "id", value: self.id.pluginValue),
            NamedValue(name: "line", value: self.line.pluginValue),
        ])
    }
}

/// The functions of markdown.wasm: of an instance, of a pool, and of a view of either.
public protocol MarkdownExports: Sendable {
    /// What runs the calls.
    var calls: Calls { get }
}

extension MarkdownExports {
    /// Render gives the HTML of a Markdown document.
    ///
    /// - Throws: `CallError`, whose kind is `guestError` when the function returns an error.
    public func render(source: Data, options: Options? = nil) throws -> String {
        try String(pluginValue: self.calls.call("render", [source.pluginValue, options.pluginValue]))
    }

    /// Outline gives the headings of a Markdown document.
    public func outline(source: Data) throws -> [Heading] {
        try [Heading](pluginValue: self.calls.call("outline", [source.pluginValue]))
    }

    /// A view of the same thing with other options for its calls.
    ///
    /// - Parameter timeout: seconds that a call may take.
    public func using(timeout: Double? = nil, cancel: CancelToken? = nil) -> MarkdownCalls {
        MarkdownCalls(calls: self.calls.using(timeout: timeout, cancel: cancel))
    }
}

/// An instance of markdown.wasm.
public struct Markdown: MarkdownExports {
    /// The instance itself.
    public let instance: Instance
    public let calls: Calls

    /// Makes one of a plugin that is loaded.
    public init(_ plugin: Plugin, sandbox: Sandbox = .of(), limits: Limits = Limits()) throws {
        self.instance = try plugin.instantiate(sandbox: sandbox, limits: limits)
        self.calls = Calls(self.instance)
    }

    /// Compiles the plugin and makes an instance of it.
    public static func load(_ path: String, sandbox: Sandbox = .of(), limits: Limits = Limits()) throws -> Markdown {
        try Markdown(Plugin.load(path), sandbox: sandbox, limits: limits)
    }
}

/// A pool of instances of markdown.wasm.
public struct MarkdownPool: MarkdownExports {
    /// The pool itself.
    public let pool: Pool
    public let calls: Calls

    /// Makes one of a plugin that is loaded. Of at most `size` instances; `maxCalls` and `idle` (seconds) say when one is replaced.
    public init(_ plugin: Plugin, size: UInt64, sandbox: Sandbox = .of(), limits: Limits = Limits(), maxCalls: UInt64? = nil, idle: Double? = nil) throws {
        self.pool = try plugin.pool(size: size, sandbox: sandbox, limits: limits, maxCalls: maxCalls, idle: idle)
        self.calls = Calls(self.pool)
    }
}

/// A view of an instance or a pool of markdown.wasm with options for its calls.
public struct MarkdownCalls: MarkdownExports {
    public let calls: Calls
}

/// The functions of markdown.wasm, awaited: of an instance, of a pool, and of a view of either.
public protocol AsyncMarkdownExports: Sendable {
    /// What runs the calls.
    var calls: AsyncCalls { get }
}

extension AsyncMarkdownExports {
    /// Render gives the HTML of a Markdown document.
    ///
    /// - Throws: `CallError`, whose kind is `guestError` when the function returns an error.
    public func render(source: Data, options: Options? = nil) async throws -> String {
        try await String(pluginValue: self.calls.call("render", [source.pluginValue, options.pluginValue]))
    }

    /// Outline gives the headings of a Markdown document.
    public func outline(source: Data) async throws -> [Heading] {
        try await [Heading](pluginValue: self.calls.call("outline", [source.pluginValue]))
    }

    /// A view of the same thing with other options for its calls.
    ///
    /// - Parameter timeout: seconds that a call may take.
    public func using(timeout: Double? = nil, cancel: CancelToken? = nil) -> AsyncMarkdownCalls {
        AsyncMarkdownCalls(calls: self.calls.using(timeout: timeout, cancel: cancel))
    }
}

/// An instance of markdown.wasm, whose calls are awaited.
public struct AsyncMarkdown: AsyncMarkdownExports {
    /// The instance itself.
    public let instance: AsyncInstance
    public let calls: AsyncCalls

    /// Makes one of a plugin that is loaded.
    public init(_ plugin: Plugin, sandbox: Sandbox = .of(), limits: Limits = Limits()) async throws {
        self.instance = try await plugin.instantiateAsync(sandbox: sandbox, limits: limits)
        self.calls = AsyncCalls(self.instance)
    }

    /// Compiles the plugin and makes an instance of it.
    public static func load(_ path: String, sandbox: Sandbox = .of(), limits: Limits = Limits()) async throws -> AsyncMarkdown {
        try await AsyncMarkdown(Plugin.load(path), sandbox: sandbox, limits: limits)
    }
}

/// A pool of instances of markdown.wasm, whose calls are awaited.
public struct AsyncMarkdownPool: AsyncMarkdownExports {
    /// The pool itself.
    public let pool: AsyncPool
    public let calls: AsyncCalls

    /// Makes one of a plugin that is loaded. Of at most `size` instances; `maxCalls` and `idle` (seconds) say when one is replaced.
    public init(_ plugin: Plugin, size: UInt64, sandbox: Sandbox = .of(), limits: Limits = Limits(), maxCalls: UInt64? = nil, idle: Double? = nil) throws {
        self.pool = try plugin.asyncPool(size: size, sandbox: sandbox, limits: limits, maxCalls: maxCalls, idle: idle)
        self.calls = AsyncCalls(self.pool)
    }
}

/// A view of an instance or a pool of markdown.wasm with options for its calls.
public struct AsyncMarkdownCalls: AsyncMarkdownExports {
    public let calls: AsyncCalls
}
