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
{%- for host in hosted %}
{%- if let Some(closure) = host.closure %}

private func {{ host.name }}(_ run: @escaping {{ closure }}) -> Value {
    .function { given in
        {%- for function in host.methods %}
        {% if function.takes == 0 %}_{% else %}let args{% endif %} = try given.expecting({{ function.takes }})
        {%- if let Some(items) = function.items %}
        let result = {{ function.plain }}
        return Value.items(items: [{{ items|join(", ") }}])
        {%- else if function.result.is_some() %}
        let result = {{ function.plain }}
        return {{ function.call }}
        {%- else %}
        {{ function.plain }}
        return Value.none
        {%- endif %}
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
                {% if function.takes == 0 %}_{% else %}let args{% endif %} = try given.expecting({{ function.takes }})
                {%- if let Some(items) = function.items %}
                let result = {{ function.plain }}
                return Value.items(items: [{{ items|join(", ") }}])
                {%- else if function.result.is_some() %}
                let result = {{ function.plain }}
                return {{ function.call }}
                {%- else %}
                {{ function.plain }}
                return Value.none
                {%- endif %}
            },
            {%- endfor %}
        ])
    }
}
{%- endif %}
{%- endfor %}
