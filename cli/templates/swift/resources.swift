{%- for guest in guests %}

{{ guest.docs }}
public final class {{ guest.class }}: GuestObject, @unchecked Sendable {
    public override class var resourceName: String? { {{ guest.wit }} }
    {%- for method in guest.methods %}
    {%- let (effects, waits) = ("throws", "try") %}

    {% include "swift/method.swift" %}
    {%- let (effects, waits) = ("async throws", "try await") %}

    {% include "swift/method.swift" %}
    {%- endfor %}
}
{%- endfor %}
{%- let waits = "try" %}
{%- for host in hosted %}
{%- if let Some(closure) = host.closure %}

private func {{ host.name }}(_ run: @escaping {{ closure }}) -> Value {
    .function { given in
        {%- for function in host.methods %}
        {%- filter indent(8) %}
        {%- include "swift/hosted.swift" %}
        {%- endfilter %}
        {%- endfor %}
    }
}
{%- else %}

{{ host.docs }}
public protocol {{ host.name }}: Sendable {
    {%- for function in host.methods %}
    {{ function.docs|indent(4) }}
    func {{ function.name }}({{ function.params }}) throws{% if let Some(ty) = function.result %} -> {{ ty }}{% endif %}
    {%- if !loop.last %}
{% endif %}
    {%- endfor %}
}

extension {{ host.name }} {
    /// What a plugin is given for it.
    public var pluginValue: Value {
        Value.object(self, [
            {%- for function in host.methods %}
            {{ function.wit }}: { given in
                {%- filter indent(16) %}
                {%- include "swift/hosted.swift" %}
                {%- endfilter %}
            },
            {%- endfor %}
        ])
    }
}
{%- endif %}
{%- endfor %}
