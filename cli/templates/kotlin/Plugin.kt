// Typed access to the plugin {{ file }}.
//
// Written by undergo bindgen; don't edit it, but write it anew.

@file:Suppress("unused", "UNUSED_ANONYMOUS_PARAMETER", "RemoveRedundantQualifierName")

package {{ package }}
{% for import in names.imported() %}
import {{ import }}
{%- endfor %}
{%- include "kotlin/types.kt" %}
{%- include "kotlin/resources.kt" %}
{%- for family in families %}
{%- include "kotlin/imports.kt" %}
{%- include "kotlin/exports.kt" %}
{%- endfor %}
{%- for several in results %}

/** {{ several.count }} results. */
data class {{ several.class }}<{{ several.types }}>({{ several.values }})
{%- endfor %}
{%- include "kotlin/values.kt" %}