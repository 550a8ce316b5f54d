{%- let string = names.std("String") %}
{%- let throwable = names.std("Throwable") %}
{%- for ty in types %}
{%- let value = names.lib("Value") %}
{%- match ty %}
{%- when Declared::Record { class, docs, fields, variants } %}

{{ docs }}
data class {{ class }}(
    {%- for field in fields %}
    {{- field.docs|lines(4) }}
    val {{ field.name }}: {{ field.ty }},
    {%- endfor %}
) : {{ names.lib("ToValue") }}{% for variant in variants %}, {{ variant }}{% endfor %} {
    override fun toValue(): {{ value }} = {{ names.lib("record") }}(
        {%- for field in fields %}
        {{ field.wit }} to {{ field.make }},
        {%- endfor %}
    )

    companion object {
        /** Reads one that a plugin gave. */
        fun of(value: {{ value }}): {{ class }} = value.{{ names.lib("asFields") }}().let { fields ->
            {{ class }}(
                {%- for field in fields %}
                {{ field.name }} = {{ field.read }},
                {%- endfor %}
            )
        }
    }
}
{%- when Declared::Error { class, docs, wit, fields, variants } %}

{{ docs }}
class {{ class }}(
    {%- for field in fields %}
    {{- field.docs|lines(4) }}
    val {{ field.name }}: {{ field.ty }},
    {%- endfor %}
    message: {{ string }}? = null,
    cause: {{ throwable }}? = null,
) : {{ names.lib("GuestException") }}({{ wit }}, {{ names.lib("record") }}(
    {%- for field in fields -%}
    {{ field.wit }} to {{ field.make }}{% if !loop.last %}, {% endif %}
    {%- endfor -%}
), message, cause){% for variant in variants %}, {{ variant }}{% endfor %} {
    companion object {
        /** Reads one that a plugin gave. */
        fun of(value: {{ value }}, message: {{ string }}? = null, cause: {{ throwable }}? = null): {{ class }} = value.{{ names.lib("asFields") }}().let { fields ->
            {{ class }}(
                {%- for field in fields %}
                {{ field.name }} = {{ field.read }},
                {%- endfor %}
                message = message,
                cause = cause,
            )
        }
    }
}
{%- when Declared::Enum { class, docs, cases } %}

{{ docs }}
enum class {{ class }}(val wit: {{ string }}) : {{ names.lib("ToValue") }} {
    {%- for case in cases %}
    {{- case.docs|lines(4) }}
    {{ case.name }}({{ case.wit }}),
    {%- endfor %}
    ;

    override fun toValue(): {{ value }} = {{ value }}.Text(wit)

    companion object {
        /** Reads one that a plugin gave. */
        fun of(value: {{ value }}): {{ class }} = value.{{ names.lib("asText") }}().let { wit -> entries.first { it.wit == wit } }
    }
}
{%- when Declared::Variant { class, docs, cases } %}

{{ docs }}
sealed interface {{ class }} {
    companion object {
        /** Reads one that a plugin gave. */
        fun of(value: {{ value }}): {{ class }} = value.{{ names.lib("asCase") }}().let { (name, of) ->
            when (name) {
                {%- for case in cases %}
                {{ case.wit }} -> {{ case.read }}
                {%- endfor %}
                else -> {{ names.lib("unknownCase") }}(name)
            }
        }

        /** The value that stands for one. */
        fun toValue(of: {{ class }}): {{ value }} = when (of) {
            {%- for case in cases %}
            {% if case.ty.is_some() %}is {% endif %}{{ case.class }} -> {{ value }}.Case({{ case.wit }}, {{ case.make }})
            {%- endfor %}
        }
    }
}
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
{%- if let Some(errors) = errors %}

private fun {{ errors }}(name: {{ string }}, fields: {{ names.lib("Value") }}, text: {{ string }}, cause: {{ throwable }}?): {{ names.lib("GuestException") }}? = when (name) {
    {%- for ty in types %}
    {%- if let Declared::Error { class, wit, .. } = ty %}
    {{ wit }} -> {{ class }}.of(fields, text, cause)
    {%- endif %}
    {%- endfor %}
    else -> null
}
{%- endif %}
