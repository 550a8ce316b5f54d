{#- What makes a header that disagrees with the library not compile. -#}
{%- macro assertion(name, layout) %}
UNDERGO_STATIC_ASSERT(
    sizeof({{ name }}) == {{ layout.size }}
    {%- for (member, offset) in layout.offsets %} &&
    offsetof({{ name }}, {{ member }}) == {{ offset }}
    {%- endfor %},
    {{ name }}_as_undergo_has_it);
{% endmacro -%}

{%- macro constants(cases) %}
enum {
  {%- for case in cases %}
  {{- case.docs|lines(2) }}
  {{ case.name }} = {{ loop.index0 }},
  {%- endfor %}
};
{% endmacro -%}

{#- What a function of the host gets. -#}
{%- macro given(function) %}
      void *user_data
      {%- for param in function.signature.params %},
      {{ param.declared }}
      {%- endfor %}
      {%- if let Some(result) = function.signature.result %},
      {{ result }}*result
      {%- endif %}
      {%- if function.signature.has_arena %},
      undergo_arena_t *arena
      {%- endif %}
{%- endmacro -%}

{{ title }}
//
// All that a result points to lies in the arena that comes with it, and is freed at once by undergo_arena_delete. Each
// function returns NULL, or an error, which the caller frees with undergo_error_delete; then there is no result, and
// nothing else to free.

#ifndef {{ guard }}
#define {{ guard }}

#include <undergo.h>

#ifdef __cplusplus
extern "C" {
#endif
{% for ty in types %}
{%- match ty %}
{%- when Declared::Enum { name, docs, cases } %}
{{- docs|lines(0) }}
typedef int32_t {{ name }};
{%- call constants(cases) %}{% endcall %}
{%- when Declared::Struct { name, docs, members, layout } %}
{{- docs|lines(0) }}
typedef struct {{ name }} {
  {%- for member in members %}
  {{- member.docs|lines(2) }}
  {{ member.declared }};{% if member.is_optional %}  // or NULL{% endif %}
  {%- endfor %}
} {{ name }};
{%- call assertion(name, layout) %}{% endcall %}
{%- when Declared::Variant { name, docs, about_cases, cases, members, layout } %}
{{- about_cases|lines(0) }}
{%- call constants(cases) %}{% endcall %}
{{- docs|lines(0) }}
typedef struct {{ name }} {
  int32_t tag;  // the case
  {%- if !members.is_empty() %}
  // That of the case; one without a value has no member.
  union {
    {%- for member in members %}
    {{ member.declared }};{% if member.is_optional %}  // or NULL{% endif %}
    {%- endfor %}
  } value;
  {%- endif %}
} {{ name }};
{%- call assertion(name, layout) %}{% endcall %}
{%- endmatch %}
{%- endfor %}
{%- for error in errors %}
{{- error.about_read|lines(0) }}
static inline const {{ error.ty }} *{{ error.read }}(const undergo_error_t *error) {
  return (const {{ error.ty }} *)undergo_error_find(error, UINT64_C({{ error.digest }}));
}

{{ error.about_make }}
static inline undergo_error_t *{{ error.make }}(const char *message, const {{ error.ty }} *fields) {
  undergo_chained_t own;
  own.text.ptr = NULL;  // the message
  own.text.len = 0;
  own.name = {{ error.wit }};
  own.digest = UINT64_C({{ error.digest }});
  own.fields = fields;
  own.size = sizeof(*fields);
  own.value = NULL;
  return undergo_error_with_chain(undergo_error_new(message), &own, 1);
}
{% endfor %}
// The functions that this header was generated for: the exports by their numbers, then the imports.
static const undergo_signature_t {{ table }}[] = {
  {%- for signature in signatures %}
  {{ signature }},
  {%- endfor %}
  {%- if signatures.is_empty() %}
  {NULL, NULL, NULL, 0, 0},
  {%- endif %}
};

// Fails with signature-mismatch, and all that differs, unless the plugin has what this header was generated for.
static inline undergo_error_t *{{ check }}(const undergo_plugin_t *plugin) {
  return undergo_plugin_expect(plugin, {{ table }}, {{ signatures.len() }});
}

{{ about_load }}
static inline undergo_error_t *{{ load }}(
    const char *file,
    const undergo_plugin_options_t *options,
    undergo_plugin_t **plugin) {
  undergo_error_t *error = undergo_plugin_load(file, options, plugin);
  if (error == NULL) {
    error = {{ check }}(*plugin);
    if (error != NULL) {
      undergo_plugin_delete(*plugin);
      *plugin = NULL;
    }
  }
  return error;
}
{% for export in exports %}
{%- for entry in export.entries %}
{{- entry.docs|lines(0) }}
{% filter fitted(WIDTH) %}static inline undergo_error_t *{{ entry.name }}(
    const undergo_{{ entry.of }}_t *{{ entry.of }},
    {%- for param in export.signature.params %}
    {{ param.declared }},
    {%- endfor %}
    const undergo_call_options_t *options
    {%- if let Some(result) = export.signature.result %},
    {{ result }}*result
    {%- endif %}
    {%- if export.signature.has_arena %},
    undergo_arena_t **arena
    {%- endif %}) {
{%- endfilter %}
  {%- if !export.signature.params.is_empty() %}
  struct {
    {%- for param in export.signature.params %}
    {{ param.declared }};
    {%- endfor %}
  } args;
  UNDERGO_STATIC_ASSERT(sizeof(args) == {{ export.signature.size }}, args_as_undergo_has_it);
  {%- for param in export.signature.params %}
  args.{{ param.name }} = {{ param.name }};
  {%- endfor %}
  {%- endif %}
  return undergo_{{ entry.of }}_invoke({{ entry.of }}, &{{ table }}[{{ export.number }}], {% if export.signature.params.is_empty() %}NULL{% else %}&args{% endif %}, options, {% if export.signature.result.is_some() %}result{% else %}NULL{% endif %}, {% if export.signature.has_arena %}arena{% else %}NULL{% endif %});
}
{% endfor %}
{%- endfor %}
{%- for import in imports %}
{{- import.about|lines(0) }}
// Arguments live as long as the call; a result, too: what it points to may lie in the arena (undergo_arena_alloc,
// undergo_arena_copy). It returns NULL, or an error.
typedef struct {{ import.group }} {
  {%- for function in import.functions %}
  {{- function.docs|lines(2) }}
{% filter fitted(WIDTH) %}  undergo_error_t *(*{{ function.member }})(
      {%- call given(function) %}{% endcall %});
{%- endfilter %}
  {%- endfor %}
} {{ import.group }};
{% for function in import.functions %}
{% filter fitted(WIDTH) %}static inline undergo_error_t *{{ function.adapter }}(
    undergo_any_fn function,
    void *user_data,
    const void *args,
    void *result,
    undergo_arena_t *arena) {
{%- endfilter %}
{% filter fitted(WIDTH) %}  typedef undergo_error_t *(*call_t)(
      {%- call given(function) %}{% endcall %});
{%- endfilter %}
  {%- if function.signature.params.is_empty() %}
  (void)args;
  {%- else %}
  typedef struct {
    {%- for param in function.signature.params %}
    {{ param.declared }};
    {%- endfor %}
  } given_t;
  UNDERGO_STATIC_ASSERT(sizeof(given_t) == {{ function.signature.size }}, given_t_as_undergo_has_it);
  const given_t *given = (const given_t *)args;
  {%- endif %}
  {%- if function.signature.result.is_none() %}
  (void)result;
  {%- endif %}
  {%- if !function.signature.has_arena %}
  (void)arena;
  {%- endif %}
  return ((call_t)function)(user_data
    {%- for param in function.signature.params %}, given->{{ param.name }}{% endfor %}
    {%- if let Some(result) = function.signature.result %}, ({{ result }}*)result{% endif %}
    {%- if function.signature.has_arena %}, arena{% endif %});
}
{% endfor %}
{{- import.about_set|lines(0) }}
{% filter fitted(WIDTH) %}static inline undergo_error_t *{{ import.set }}(
    undergo_imports_t *imports,
    const {{ import.group }} *functions,
    void *user_data,
    undergo_destroy_fn destroy) {
{%- endfilter %}
  undergo_error_t *error = undergo_imports_keep(imports, user_data, destroy);
  {%- for function in import.functions %}
  if (error == NULL) {
    error = undergo_imports_set_typed(
        imports, &{{ table }}[{{ function.number }}], {{ function.adapter }}, (undergo_any_fn)functions->{{ function.member }}, user_data);
  }
  {%- endfor %}
  return error;
}
{% endfor %}
#ifdef __cplusplus
}  // extern "C"
#endif

#endif

