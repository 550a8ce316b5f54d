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

{#- The function by which the library calls one of the host. -#}
{%- macro adapter(function) %}
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
{%- endmacro -%}

{#- The struct of the arguments, filled. -#}
{%- macro arguments(signature) %}
  {%- if !signature.params.is_empty() %}
  struct {
    {%- for param in signature.params %}
    {{ param.declared }};
    {%- endfor %}
  } args;
  UNDERGO_STATIC_ASSERT(sizeof(args) == {{ signature.size }}, args_as_undergo_has_it);
  {%- for param in signature.params %}
  args.{{ param.name }} = {{ param.name }};
  {%- endfor %}
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
{%- when Declared::Resource { name, docs } %}
{{- docs|lines(0) }}
typedef struct {{ name }} {{ name }};
{% when Declared::Struct { name, docs, members, layout } %}
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
// The functions that this header was generated for: the exports by their numbers, the imports, and those
// of resources.
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
  return undergo_plugin_expect(plugin, {{ table }}, {{ expected }});
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
{%- call adapter(function) %}{% endcall %}
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
{%- for guest in guests %}
{{- guest.about_delete|lines(0) }}
static inline void {{ guest.delete }}({{ guest.ty }} *object) { undergo_handle_delete((undergo_handle_t *)object); }

// Closes it, as undergo_handle_close does; it remains to be freed.
static inline undergo_error_t *{{ guest.close }}(const {{ guest.ty }} *object) {
  return undergo_handle_close((const undergo_handle_t *)object);
}

// Whether it can be used, as undergo_handle_is_open says.
static inline bool {{ guest.is_open }}(const {{ guest.ty }} *object) { return undergo_handle_is_open((const undergo_handle_t *)object); }
{% if let Some(constructor) = guest.constructor %}
{{- constructor.docs|lines(0) }}
{% filter fitted(WIDTH) %}static inline undergo_error_t *{{ constructor.name }}(
    const undergo_instance_t *instance,
    {%- for param in constructor.signature.params %}
    {{ param.declared }},
    {%- endfor %}
    const undergo_call_options_t *options,
    {{ guest.ty }} **result) {
{%- endfilter %}
  {%- call arguments(constructor.signature) %}{% endcall %}
  return undergo_instance_invoke(instance, &{{ table }}[{{ constructor.number }}], {% if constructor.signature.params.is_empty() %}NULL{% else %}&args{% endif %}, options, result, NULL);
}
{% endif %}
{%- for method in guest.methods %}
{{- method.docs|lines(0) }}
{% filter fitted(WIDTH) %}static inline undergo_error_t *{{ method.name }}(
    {%- for param in method.signature.params %}
    {{ param.declared }},
    {%- endfor %}
    const undergo_call_options_t *options
    {%- if let Some(result) = method.signature.result %},
    {{ result }}*result
    {%- endif %}
    {%- if method.signature.has_arena %},
    undergo_arena_t **arena
    {%- endif %}) {
{%- endfilter %}
  {%- call arguments(method.signature) %}{% endcall %}
  return undergo_handle_invoke(&{{ table }}[{{ method.number }}], &args, options, {% if method.signature.result.is_some() %}result{% else %}NULL{% endif %}, {% if method.signature.has_arena %}arena{% else %}NULL{% endif %});
}
{% endfor %}
{%- if let Some(next) = guest.next %}
// Takes the next item, and sets whether there was one, as undergo_iterator_next_typed does: what the item points to
// lives until the next call, or until the iterator is freed, except for handles, which the caller frees.
{% filter fitted(WIDTH) %}static inline undergo_error_t *{{ next.name }}(
    const {{ guest.ty }} *iterator,
    const undergo_call_options_t *options,
    {{ next.item }}*item,
    bool *has_item) {
{%- endfilter %}
  return undergo_iterator_next_typed((const undergo_handle_t *)iterator, &{{ table }}[{{ next.number }}], options, item, has_item);
}
{% endif %}
{%- endfor %}
{%- for host in hosted %}
{{- host.about_delete|lines(0) }}
static inline void {{ host.delete }}({{ host.ty }} *object) { undergo_object_delete((undergo_object_t *)object); }
{% match host.kind %}
{%- when Kind::Object { group, about, methods } %}
{{- about|lines(0) }}
// Arguments live as long as the call; a result, too: what it points to may lie in the arena (undergo_arena_alloc,
// undergo_arena_copy). It returns NULL, or an error.
typedef struct {{ group }} {
  {%- for function in methods %}
  {{- function.docs|lines(2) }}
{% filter fitted(WIDTH) %}  undergo_error_t *(*{{ function.member }})(
      {%- call given(function) %}{% endcall %});
{%- endfilter %}
  {%- endfor %}
} {{ group }};
{% for function in methods %}
{%- call adapter(function) %}{% endcall %}
{% endfor %}
{{- host.about_make|lines(0) }}
{% filter fitted(WIDTH) %}static inline undergo_error_t *{{ host.make }}(
    const {{ group }} *methods,
    void *data,
    undergo_destroy_fn drop,
    {{ host.ty }} **object) {
{%- endfilter %}
  undergo_typed_method_t given[{{ methods.len() }}];
  {%- for function in methods %}
  given[{{ loop.index0 }}].signature = &{{ table }}[{{ function.number }}];
  given[{{ loop.index0 }}].adapter = {{ function.adapter }};
  given[{{ loop.index0 }}].function = (undergo_any_fn)methods->{{ function.member }};
  {%- endfor %}
  return undergo_object_new_typed(given, {{ methods.len() }}, data, drop, (undergo_object_t **)object);
}
{% when Kind::Callback { function, about, method } %}
{{- about|lines(0) }}
// Arguments live as long as the call; a result, too: what it points to may lie in the arena (undergo_arena_alloc,
// undergo_arena_copy). It returns NULL, or an error.
{% filter fitted(WIDTH) %}typedef undergo_error_t *(*{{ function }})(
      {%- call given(method) %}{% endcall %});
{%- endfilter %}

{%- call adapter(method) %}{% endcall %}

{{ host.about_make }}
{% filter fitted(WIDTH) %}static inline undergo_error_t *{{ host.make }}(
    {{ function }} function,
    void *data,
    undergo_destroy_fn drop,
    {{ host.ty }} **object) {
{%- endfilter %}
  undergo_typed_method_t given;
  given.signature = &{{ table }}[{{ method.number }}];
  given.adapter = {{ method.adapter }};
  given.function = (undergo_any_fn)function;
  return undergo_object_new_typed(&given, 1, data, drop, (undergo_object_t **)object);
}
{% when Kind::Items { function, about, adapter, next } %}
{{- about|lines(0) }}
// What it points to may lie in the arena (undergo_arena_alloc, undergo_arena_copy), or anywhere else where it lives as
// long as the iterable. It returns NULL, or an error.
typedef undergo_error_t *(*{{ function }})(void *data, {{ next.item }}*item, bool *has_item, undergo_arena_t *arena);

{% filter fitted(WIDTH) %}static inline undergo_error_t *{{ adapter }}(
    undergo_any_fn function,
    void *data,
    void *item,
    bool *has_item,
    undergo_arena_t *arena) {
{%- endfilter %}
  return (({{ function }})function)(data, ({{ next.item }}*)item, has_item, arena);
}

{{ host.about_make }}
{% filter fitted(WIDTH) %}static inline undergo_error_t *{{ host.make }}(
    {{ function }} next,
    void *data,
    undergo_destroy_fn drop,
    {{ host.ty }} **object) {
{%- endfilter %}
  return undergo_items_new_typed(
      &{{ table }}[{{ next.number }}], {{ adapter }}, (undergo_any_fn)next, data, drop, (undergo_object_t **)object);
}
{% endmatch %}
{%- endfor %}
#ifdef __cplusplus
}  // extern "C"
#endif

#endif

