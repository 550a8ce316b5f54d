{%- let raw = names.lib("Raw") %}
{%- let room = names.lib("RawRoom") %}
{%- let long = names.std("Long") %}

/** The plugin's functions, and what writes and reads values of its types. */
private object {{ names.values() }} {
    val exports = arrayOf<{{ names.lib("RawSignature") }}>(
        {%- for method in methods %}
        {{ method.signature }},
        {%- endfor %}
    )
    {%- if has_errors %}

    val errors = arrayOf(
        {%- for ty in types %}
        {%- if let Declared::Error { class, digest, fields, .. } = ty %}
        {{ names.lib("RawError") }}({{ digest }}) { _text, _at, _inner ->
            {{ class }}({% for field in fields %}{{ field.name }} = {{ field.get }}, {% endfor %}message = _text, cause = _inner)
        },
        {%- endif %}
        {%- endfor %}
    )
    {%- endif %}
    {%- for ty in types %}
    {%- match ty %}
    {%- when Declared::Record { class, fields, .. } | Declared::Error { class, fields, .. } %}

    fun put{{ class }}(_room: {{ room }}, _at: {{ long }}, _value: {{ class }}) {
        {%- for field in fields %}
        {%- for put in field.puts %}
        {{ put }}
        {%- endfor %}
        {%- endfor %}
    }

    fun get{{ class }}(_at: {{ long }}): {{ class }} = {{ class }}(
        {%- for field in fields %}
        {{ field.name }} = {{ field.get }},
        {%- endfor %}
    )
    {%- when Declared::Variant { class, wit, cases, .. } %}

    fun put{{ class }}(_room: {{ room }}, _at: {{ long }}, _value: {{ class }}) = when (_value) {
        {%- for case in cases %}
        {% if case.ty.is_some() %}is {% endif %}{{ case.class }} -> {
            {{ raw }}.putTag(_room, _at, {{ loop.index0 }})
            {%- for put in case.puts %}
            {{ put }}
            {%- endfor %}
        }
        {%- endfor %}
    }

    fun get{{ class }}(_at: {{ long }}): {{ class }} = when (val _case = {{ raw }}.getTag(_at)) {
        {%- for case in cases %}
        {{ loop.index0 }} -> {{ case.get }}
        {%- endfor %}
        else -> throw {{ raw }}.noCase({{ wit }}, _case)
    }
    {%- else %}
    {%- endmatch %}
    {%- endfor %}
}