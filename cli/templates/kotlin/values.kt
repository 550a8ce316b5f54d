{%- let raw = names.lib("Raw") %}
{%- let room = names.lib("RawRoom") %}
{%- let long = names.std("Long") %}

/** The plugin's functions, and what writes and reads values of its types. */
private object {{ names.values() }} {
    val exports = arrayOf<{{ names.lib("RawSignature") }}>(
        {%- for signature in signatures %}
        {{ signature }},
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
    {%- for host in hosted %}

    private val of{{ host.class }} = arrayOf<{{ names.lib("RawSignature") }}>(
        {%- for signature in host.signatures %}
        {{ signature }},
        {%- endfor %}
    )

    fun put{{ host.class }}(_to: {{ room }}, _at: {{ long }}, _value: {{ host.ty }}) {
        {%- if host.methods.is_empty() && host.shape != Shape::Object %}
        {{ host.put }}
        {%- else %}
        {{ raw }}.putObject(
            _to, _at, of{{ host.class }}, _value,
            {%- for function in host.methods %}
            {{ names.lib("RawFunction") }} { _args, _result, _room ->
                {% if !function.puts.is_empty() %}val _answer = {% endif %}{{ function.call }}
                {%- for put in function.puts %}
                {{ put }}
                {%- endfor %}
            },
            {%- endfor %}
        )
        {%- endif %}
    }
    {%- endfor %}
    {%- for ty in types %}
    {%- match ty %}
    {%- when Declared::Error { class, fields, .. } %}
    {%- let reading = Reading::Plain %}
    {%- include "kotlin/record.kt" %}
    {%- when Declared::Record { class, fields, reading, .. } %}
    {%- include "kotlin/record.kt" %}
    {%- when Declared::Variant { class, wit, cases, reading, .. } %}

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

    fun get{{ class }}({% if reading.needs_client() %}_client: {{ names.lib("RawClient") }}, {% endif %}_at: {{ long }}): {{ class }} = when (val _case = {{ raw }}.getTag(_at)) {
        {%- for case in cases %}
        {{ loop.index0 }} -> {{ case.get }}
        {%- endfor %}
        else -> throw {{ raw }}.noCase({{ wit }}, _case)
    }
    {%- else %}
    {%- endmatch %}
    {%- endfor %}
}