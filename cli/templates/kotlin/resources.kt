{%- for guest in guests %}

{{ guest.docs }}
class {{ guest.class }} internal constructor(_given: {{ names.lib("RawHandle") }}) : {{ names.lib("GuestObject") }}(_given) {
    private val client = _given.client()
    {%- for (method, suspending) in guest.methods %}
    {%- let (name, suspend, before, after) = (method.name.as_str(), "", "", "") %}

    {% include "kotlin/method.kt" %}
    {%- let (name, suspend, before, after) = (suspending.as_str(), "suspend ", "awaited { _client -> _client.", " }") %}

    {% include "kotlin/method.kt" %}
    {%- endfor %}
}
{%- endfor %}
{%- for host in hosted %}
{%- match host.shape %}
{%- when Shape::Callback %}

{{ host.docs }}
typealias {{ host.class }} = {{ host.function }}
{%- when Shape::Object %}

{{ host.docs }}
interface {{ host.class }} {
    {%- for function in host.methods %}
    {{ function.docs|indent(4) }}
    fun {{ function.name }}({{ function.params }}){% if let Some(ty) = function.result %}: {{ ty }}{% endif %}
    {%- if !loop.last %}
{% endif %}
    {%- endfor %}
}
{%- else %}
{%- endmatch %}
{%- endfor %}