{%- let functions = family.either("HostFunctions", "AsyncHostFunctions") %}
{%- let effects = family.either("throws", "async throws") %}
{%- let waits = family.either("try", "try await") %}
{%- for import in family.imports %}

{{ import.docs }}
public protocol {{ import.protocol }}: Sendable {
    {%- for function in import.functions %}
    {{ function.docs|indent(4) }}
    func {{ function.name }}({{ function.params }}) {{ effects }}{% if let Some(ty) = function.result %} -> {{ ty }}{% endif %}
    {%- if !loop.last %}
{% endif %}
    {%- endfor %}
}
{%- endfor %}
{%- if !family.imports.is_empty() %}

/// The functions that {{ file }} needs, from values that have them.
public func {{ family.give }}({% for import in family.imports %}{{ import.param }}: some {{ import.protocol }}{% if !loop.last %}, {% endif %}{% endfor %}) -> {{ functions }} {
    var functions: {{ functions }} = [:]
    {%- for import in family.imports %}
    {%- for function in import.functions %}
    functions[{{ import.wit }}, default: [:]][{{ function.wit }}] = { given in
        {%- filter indent(8) %}
        {%- include "swift/hosted.swift" %}
        {%- endfilter %}
    }
    {%- endfor %}
    {%- endfor %}
    return functions
}
{%- endif %}
