{%- let (exports, view) = (family.exports.as_str(), family.view.as_str()) %}
{%- let calls = family.either("Calls", "AsyncCalls") %}
{%- let effects = family.either("throws", "async throws") %}
{%- let waits = family.either("try", "try await") %}

/// The functions of {{ file }}{{ family.either("", ", awaited") }}: of an instance, of a pool, and of a view of either.
public protocol {{ exports }}: Sendable {
    /// What runs the calls.
    var calls: {{ calls }} { get }
}

extension {{ exports }} {
    {%- for method in methods %}
    {% include "swift/method.swift" %}
{% endfor %}
    /// A view of the same thing with other options for its calls.
    ///
    /// - Parameter timeout: seconds that a call may take.
    public func using(timeout: Double? = nil, cancel: CancelToken? = nil) -> {{ view }} {
        {{ view }}(calls: self.calls.using(timeout: timeout, cancel: cancel))
    }
}

/// An instance of {{ file }}{{ family.either("", ", whose calls are awaited") }}.
public struct {{ family.instance }}: {{ exports }} {
    /// The instance itself.
    public let instance: {{ family.either("Instance", "AsyncInstance") }}
    public let calls: {{ calls }}

    /// Makes one of a plugin that is loaded.
    public init(_ plugin: Plugin, {{ family.params }}sandbox: Sandbox = .of(), limits: Limits = Limits()) {{ effects }} {
        self.instance = {{ waits }} plugin.{{ family.either("instantiate", "instantiateAsync") }}({{ family.functions }}sandbox: sandbox, limits: limits)
        self.calls = {{ calls }}(self.instance)
    }

    /// Compiles the plugin and makes an instance of it.
    public static func load(_ path: String, {{ family.params }}sandbox: Sandbox = .of(), limits: Limits = Limits()) {{ effects }} -> {{ family.instance }} {
        {{ waits }} {{ family.instance }}(Plugin.load(path), {% for import in family.imports %}{{ import.param }}: {{ import.param }}, {% endfor %}sandbox: sandbox, limits: limits)
    }
}

/// A pool of instances of {{ file }}{{ family.either("", ", whose calls are awaited") }}.
public struct {{ family.pool }}: {{ exports }} {
    /// The pool itself.
    public let pool: {{ family.either("Pool", "AsyncPool") }}
    public let calls: {{ calls }}

    /// Makes one of a plugin that is loaded. Of at most `size` instances; `maxCalls` and `idle` (seconds) say when one is replaced.
    public init(_ plugin: Plugin, size: UInt64, {{ family.params }}sandbox: Sandbox = .of(), limits: Limits = Limits(), maxCalls: UInt64? = nil, idle: Double? = nil) throws {
        self.pool = try plugin.{{ family.either("pool", "asyncPool") }}(size: size, {{ family.functions }}sandbox: sandbox, limits: limits, maxCalls: maxCalls, idle: idle)
        self.calls = {{ calls }}(self.pool)
    }
}

/// A view of an instance or a pool of {{ file }} with options for its calls.
public struct {{ view }}: {{ exports }} {
    public let calls: {{ calls }}
}
