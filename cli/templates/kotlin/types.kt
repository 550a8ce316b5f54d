{%- let string = names.std("String") %}
{%- let throwable = names.std("Throwable") %}
{%- for ty in types %}
{%- match ty %}
{%- when Declared::Record { class, docs, fields, variants, .. } %}

{{ docs }}
data class {{ class }}(
    {%- for field in fields %}
    {{- field.docs|lines(4) }}
    val {{ field.name }}: {{ field.ty }},
    {%- endfor %}
){% for variant in variants %}{% if loop.first %} : {% else %}, {% endif %}{{ variant }}{% endfor %}
{%- when Declared::Error { class, docs, wit, digest, says, fields, variants } %}

{{ docs }}
class {{ class }}(
    {%- for field in fields %}
    {{- field.docs|lines(4) }}
    val {{ field.name }}: {{ field.ty }},
    {%- endfor %}
    message: {{ string }}? = null,
    cause: {{ throwable }}? = null,
) : {{ names.lib("GuestException") }}(
    message ?: {{ says }},
    {{ names.lib("RawFields") }}({{ wit }}, {{ digest }})
        {%- for field in fields %}
        .with({{ field.key }}, {{ field.name }})
        {%- endfor %}
        .by { _room, _at, _ ->
            {%- for field in fields %}
            {%- for put in field.own_puts %}
            {{ put }}
            {%- endfor %}
            {%- endfor %}
        },
){% for variant in variants %}, {{ variant }}{% endfor %} {
    init {
        if (cause != null) initCause(cause)
    }
}
{%- when Declared::Enum { class, docs, cases } %}

{{ docs }}
enum class {{ class }}(val wit: {{ string }}) {
    {%- for case in cases %}
    {{- case.docs|lines(4) }}
    {{ case.name }}({{ case.wit }}),
    {%- endfor %}
}
{%- when Declared::Variant { class, docs, cases, .. } %}

{{ docs }}
sealed interface {{ class }}
{%- for case in cases if case.is_new %}

{{ case.docs }}
{%- if let Some(ty) = case.ty %}
data class {{ case.class }}(val value: {{ ty }}) : {{ case.variants }}
{%- else %}
data object {{ case.class }} : {{ case.variants }}
{%- endif %}
{%- endfor %}
{%- endmatch %}
{%- endfor %}