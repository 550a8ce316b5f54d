{{ method.docs|indent(4) }}
    public func {{ method.name }}({{ method.params }}) {{ effects }}{% if let Some(ty) = method.result %} -> {{ ty }}{% endif %} {
        {%- if let Some(items) = method.items %}
        let results = {{ waits }} {{ method.call }}.readItems({{ items.len() }})
        return try ({{ items|join(", ") }})
        {%- else %}
        {{ waits }} {{ method.call }}
        {%- endif %}
    }
