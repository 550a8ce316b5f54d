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
fun {{ family.give }}({% for import in family.imports %}{{ import.param }}: {{ import.class }}{% if !loop.last %}, {% endif %}{% endfor %}): {{ imports }} {
    val imports = {{ imports }}()
    {%- for import in family.imports %}
    {%- for function in import.functions %}
    imports.{{ family.either("functionOfValues", "suspendingOfValues") }}({{ import.wit }}, {{ function.wit }}) { {{ function.body }} }
    {%- endfor %}
    {%- endfor %}
    return imports
}
{%- endif %}
