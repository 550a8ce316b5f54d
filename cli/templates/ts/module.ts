// Typed access to the plugin {{ file }}.
//
// Written by undergo bindgen; don't edit it, but write it anew.

{% if !streams.is_empty() -%}
import type { {{ streams|join(", ") }} } from 'node:stream'
{% endif -%}
import {
  Plugin,
  {%- if has_errors %}
  errorType,
  {%- endif %}
  {%- for name in used %}
  type {{ name }},
  {%- endfor %}
  type Instance,
  type InstanceOptions,
  type PluginOptions,
  type Pool,
  type PoolOptions
} from 'undergo'
{%- for ty in types %}
{%- match ty %}
{%- when Declared::Record { name, docs, fields } %}

{{ docs }}
export interface {{ name }} {
  {%- for field in fields %}
  {{- field.docs|lines(2) }}
  {{ field.key }}: {{ field.ty }}
  {%- endfor %}
}
{%- when Declared::Error { name, docs, made } %}

{{ docs }}
export const {{ name }} = {{ made }}
export type {{ name }} = InstanceType<typeof {{ name }}>
{%- when Declared::Enum { name, docs, cases } %}

{{ docs }}
export type {{ name }} =
  {%- for case in cases %}
  {{- case.docs|lines(2) }}
  | {{ case.wit }}
  {%- endfor %}
{%- when Declared::Variant { name, docs, cases } %}

{{ docs }}
export type {{ name }} =
  {%- for case in cases %}
  {{- case.docs|lines(2) }}
  | { tag: {{ case.wit }}{% if let Some(value) = case.value %}; {{ value.key }}: {{ value.ty }}{% endif %} }
  {%- endfor %}
{%- when Declared::Resource { name, docs, methods_name, methods } %}

/** The methods of {{ name }}. */
export interface {{ methods_name }} {
  {%- for function in methods %}
  {{- function.docs|lines(2) }}
  {{ function.signature|indent(2) }}
  {%- endfor %}
}

{{ docs }}
export type {{ name }} = GuestObject<{{ methods_name }}>
{%- when Declared::Object { name, docs, methods } %}

{{ docs }}
export interface {{ name }} {
  {%- for function in methods %}
  {{- function.docs|lines(2) }}
  {{ function.signature|indent(2) }}
  {%- endfor %}
}
{%- endmatch %}
{%- endfor %}
{%- for import in imports %}

{{ import.docs }}
export interface {{ import.class }} {
  {%- for function in import.functions %}
  {{- function.docs|lines(2) }}
  {{ function.signature|indent(2) }}
  {%- endfor %}
}
{%- endfor %}

/** What the host gives, by interface. */
{%- if imports.is_empty() %}
export type Imports = Record<string, never>
{%- else %}
export interface Imports {
  {%- for import in imports %}
  {{ import.key }}: {{ import.class }}
  {%- endfor %}
}
{%- endif %}

/** The functions of {{ file }}. */
export interface {{ exports_class }} {
  {%- for class in classes %}
  {{- class.docs|lines(2) }}
  {{ class.key }}: {{ class.ty }}
  {%- endfor %}
  {%- for function in exports %}
  {{- function.docs|lines(2) }}
  {{ function.signature|indent(2) }}
  {%- endfor %}
}

/** An instance of {{ file }}. */
export type {{ class }} = Instance<{{ exports_class }}>

/** A pool of instances of {{ file }}. */
export type {{ pool }} = Pool<{{ exports_class }}>

/** How an instance is made: its integers of 64 bits are numbers. */
export type {{ options }} = Omit<InstanceOptions<Imports>, 'bigint' | 'imports'>{% if !imports.is_empty() %} & { imports: Imports }{% endif %}

/** How a pool is made. */
export type {{ pool_options }} = Omit<PoolOptions<Imports>, 'bigint' | 'imports'>{% if !imports.is_empty() %} & { imports: Imports }{% endif %}

/** Compiles the plugin and makes an instance of it. */
export async function {{ load }} {
  const plugin = await Plugin.load(path, compile)
  return plugin.instantiate<{{ exports_class }}, Imports>(options)
}

/** Compiles the plugin and makes a pool of at most that many instances. */
export async function {{ load_pool }} {
  const plugin = await Plugin.load(path, compile)
  return plugin.pool<{{ exports_class }}, Imports>(options)
}

