{%- let suspend = family.either("", "suspend ") %}
{%- let exports = family.exports.as_str() %}
{#- The functions by which the methods call. #}
{%- let (_awaited, _call) = (names.lib("awaited"), names.lib("call")) %}
{%- let (plugin, sandbox, limits) = (names.lib("Plugin"), names.lib("Sandbox"), names.lib("Limits")) %}

/** The functions of {{ file }}{{ family.either("", ", which suspend") }}, for an instance or a pool to run. */
{%- let target = names.lib(family.either("Exports", "AsyncExports")) %}
open class {{ exports }}(exports: {{ target }}) {
    private val client = {{ names.lib("RawClient") }}(exports.asJava, {{ names.values() }}.exports{% if has_errors %}, *{{ names.values() }}.errors{% endif %})
    {%- for method in methods %}
    {%- let name = method.name.as_str() %}
    {%- let (before, after) = (family.either("", "awaited { _client -> _client."), family.either("", " }")) %}

    {% include "kotlin/method.kt" %}
    {%- endfor %}
}

/** An instance of {{ file }}{{ family.either("", ", whose calls suspend") }}. */
class {{ family.instance }}(val instance: {{ names.lib(family.either("Instance", "AsyncInstance")) }}) : {{ exports }}(instance), {{ names.std("AutoCloseable") }} {
    /** A view of the same thing with other options for its calls. */
    fun using(timeout: kotlin.time.Duration? = null, cancel: {{ names.lib("CancelToken") }}? = null): {{ exports }} =
        {{ exports }}(instance.using(timeout, cancel))

    override fun close() = instance.close()

    companion object {
        /** Makes one of a plugin that is loaded. */
        {{ suspend }}fun of(plugin: {{ plugin }}, {{ family.params }}sandbox: {{ sandbox }} = {{ sandbox }}(), limits: {{ limits }} = {{ limits }}()): {{ family.instance }} =
            {{ family.instance }}(plugin.{{ family.either("instantiate", "instantiateAsync") }}({{ family.given }}, sandbox, limits))

        /** Compiles the plugin and makes an instance of it. */
        {{ suspend }}fun load(path: {{ names.std("String") }}, {{ family.params }}sandbox: {{ sandbox }} = {{ sandbox }}(), limits: {{ limits }} = {{ limits }}()): {{ family.instance }} =
            of({{ plugin }}.load(path), {% for import in family.imports %}{{ import.param }}, {% endfor %}sandbox, limits)
    }
}

/** A pool of instances of {{ file }}{{ family.either("", ", whose calls suspend") }}. */
class {{ family.pool }}(val pool: {{ names.lib(family.either("Pool", "AsyncPool")) }}) : {{ exports }}(pool), {{ names.std("AutoCloseable") }} {
    /** A view of the same thing with other options for its calls. */
    fun using(timeout: kotlin.time.Duration? = null, cancel: {{ names.lib("CancelToken") }}? = null): {{ exports }} =
        {{ exports }}(pool.using(timeout, cancel))

    override fun close() = pool.close()

    companion object {
        /** Makes one of a plugin that is loaded. */
        fun of(plugin: {{ plugin }}, size: {{ names.std("Int") }}, {{ family.params }}sandbox: {{ sandbox }} = {{ sandbox }}(), limits: {{ limits }} = {{ limits }}()): {{ family.pool }} =
            {{ family.pool }}(plugin.{{ family.either("pool", "asyncPool") }}(size, {{ family.given }}, sandbox, limits))
    }
}
