{%- let suspend = family.either("", "suspend ") %}
{%- let imports = names.lib("Imports") %}
{%- for import in family.imports %}

{{ import.docs }}
interface {{ import.class }} {
    {%- for function in import.functions %}
    {{ function.docs|indent(4) }}
    {{ suspend }}fun {{ function.name }}({{ function.params }}){% if let Some(ty) = function.result %}: {{ ty }}{% endif %}
    {%- if !loop.last %}
{% endif %}
    {%- endfor %}
}
{%- endfor %}
{%- if !family.imports.is_empty() %}

/** The functions that {{ file }} needs, from objects that have them. */
fun {{ family.give }}({% for import in family.imports %}{{ import.param }}: {{ import.class }}{% if !loop.last %}, {% endif %}{% endfor %}): {{ imports }} = {{ imports }}().raw { _options ->
    {%- for import in family.imports %}
    {%- for function in import.functions %}
    {{ names.lib("RawFunction") }}.give(_options, {{ function.signature }}) { _args, _result, _room ->
        {% if !function.puts.is_empty() %}val _answer = {% endif %}{% if family.suspends %}{{ names.lib("suspended") }} { {{ function.call }} }{% else %}{{ function.call }}{% endif %}
        {%- for put in function.puts %}
        {{ put }}
        {%- endfor %}
    }
    {%- endfor %}
    {%- endfor %}
}
{%- endif %}