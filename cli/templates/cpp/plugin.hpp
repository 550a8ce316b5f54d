{#- A struct that can be compared. -#}
{%- macro structure(class, docs, members) %}

{{ docs }}
struct {{ class }} {
  {%- for member in members %}
  {{- member.docs|lines(2) }}
  {{ member.ty }} {{ member.name }}{};
  {%- endfor %}
{% if members.is_empty() %}
  friend bool operator==(const {{ class }} &, const {{ class }} &) { return true; }
  {%- else %}
  friend bool operator==(const {{ class }} &a_, const {{ class }} &b_) {
    return std::tie(
      {%- for member in members %}a_.{{ member.name }}{% if !loop.last %}, {% endif %}{% endfor %}) == std::tie(
      {%- for member in members %}b_.{{ member.name }}{% if !loop.last %}, {% endif %}{% endfor %});
  }
  {%- endif %}
  friend bool operator!=(const {{ class }} &a_, const {{ class }} &b_) { return !(a_ == b_); }
};
{%- endmacro -%}

{#- The parameters of a method, each on its line; a filter joins them where they are short. -#}
{%- macro params(method) %}
      {%- for param in method.params %}
      {{ param }}{% if !loop.last %},{% endif %}
      {%- endfor %}
{%- endmacro -%}

{{ title }}
//
// Written by undergo bindgen; don't edit it, but write it anew.

#ifndef {{ guard }}
#define {{ guard }}

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include <undergo.hpp>

namespace {{ namespace }} {

namespace wit {

// The functions that this header was generated for: the exports by their numbers, the imports, and those
// of resources.
inline constexpr undergo_signature_t signatures[] = {
    {%- for signature in signatures %}
    {{ signature }},
    {%- endfor %}
    {%- if signatures.is_empty() %}
    {nullptr, nullptr, nullptr, 0, 0},
    {%- endif %}
};

}  // namespace wit
{%- if !guests.is_empty() || !hosted.is_empty() %}
{% for ty in types %}
{%- match ty %}
{%- when Declared::Record { class, docs, members, error } %}
struct {{ class }};
{%- when Declared::Case { class, docs, members } %}
struct {{ class }};
{%- when Declared::Enum { class, docs, cases } %}
enum class {{ class }} : std::int32_t;
{%- when _ %}
{%- endmatch %}
{%- endfor %}
{%- for ty in types %}
{%- match ty %}
{%- when Declared::Variant { class, docs, cases } %}
using {{ class }} = std::variant<{{ cases }}>;
{%- when _ %}
{%- endmatch %}
{%- endfor %}
{%- for host in hosted %}
class {{ host.class }};
{%- endfor %}
{%- for guest in guests %}
class {{ guest.class }};
{%- endfor %}
{%- for host in hosted %}

{{ host.docs }}
{%- match host.kind %}
{%- when Kind::Object { methods } %}
class {{ host.class }} {
 public:
  virtual ~{{ host.class }}() = default;
  {%- for member in methods %}
  {%- let method = member.method %}

  {{ method.docs|indent(2) }}
{% filter fitted(WIDTH) %}  virtual {{ method.result }} {{ method.name }}(
      {%- call params(method) %}{% endcall %}) = 0;
{%- endfilter %}
  {%- endfor %}
};
{%- when Kind::Callback { number, result, params } %}
class {{ host.class }} : public undergo::Object {
 public:
  template <class F, class = std::enable_if_t<std::is_invocable_v<F &{{ params }}>>>
  {{ host.class }}(F function)
      : Object(undergo::typed::Function<{{ result }}{{ params }}>::make(wit::signatures[{{ number }}], std::move(function))) {}
};
{%- when Kind::Items { number, item } %}
class {{ host.class }} : public undergo::Object {
 public:
  template <class Range, class = decltype(std::begin(std::declval<Range &>()))>
  {{ host.class }}(Range range) : Object(undergo::typed::Items<{{ item }}, Range>::make(wit::signatures[{{ number }}], std::move(range))) {}
};
{%- endmatch %}
{%- endfor %}
{%- for guest in guests %}

{{ guest.docs }}
class {{ guest.class }} : public {{ guest.base }} {
 public:
  // None, which no call takes.
  {{ guest.class }}() noexcept = default;
  // Takes over a handle of undergo.h.
  explicit {{ guest.class }}(undergo_handle_t *handle) noexcept : {% if let Some(next) = guest.next %}Iterator(handle, wit::signatures[{{ next }}]){% else %}Handle(handle){% endif %} {}
  {%- if let Some(member) = guest.constructor %}
  {%- let method = member.method %}

#if UNDERGO_EXCEPTIONS
  {{- method.docs|lines(2) }}
{% filter fitted(WIDTH) %}  explicit {{ guest.class }}(
      const undergo::Instance &instance{% if !method.params.is_empty() %},{% endif %}
      {%- call params(method) %}{% endcall %});
{%- endfilter %}
#endif
{% filter fitted(WIDTH) %}  static undergo::Result<{{ guest.class }}> try_make(
      const undergo::Instance &instance{% if !method.params.is_empty() %},{% endif %}
      {%- call params(method) %}{% endcall %});
{%- endfilter %}
  {%- endif %}
  {%- for member in guest.methods %}
  {%- let method = member.method %}

#if UNDERGO_EXCEPTIONS
  {{- method.docs|lines(2) }}
{% filter fitted(WIDTH) %}  {{ method.result }} {{ method.name }}(
      {%- call params(method) %}{% endcall %}) const;
{%- endfilter %}
#endif
{% filter fitted(WIDTH) %}  undergo::Result<{{ method.result }}> try_{{ method.name }}(
      {%- call params(method) %}{% endcall %}) const;
{%- endfilter %}
  {%- endfor %}
};
{%- endfor %}
{%- endif %}
{%- for ty in types %}
{%- match ty %}
{%- when Declared::Record { class, docs, members, error } %}
{%- call structure(class, docs, members) %}{% endcall %}
{%- when Declared::Case { class, docs, members } %}
{%- call structure(class, docs, members) %}{% endcall %}
{%- when Declared::Variant { class, docs, cases } %}

{{ docs }}
using {{ class }} = std::variant<{{ cases }}>;
{%- when Declared::Enum { class, docs, cases } %}

{{ docs }}
enum class {{ class }} : std::int32_t {
  {%- for case in cases %}
  {{- case.docs|lines(2) }}
  {{ case.name }} = {{ loop.index0 }},
  {%- endfor %}
};

// The name of a case in WIT; empty for a number that is none.
constexpr std::string_view to_string({{ class }} value) noexcept {
  switch (value) {
    {%- for case in cases %}
    case {{ class }}::{{ case.name }}: return {{ case.wit }};
    {%- endfor %}
  }
  return {};
}
{%- endmatch %}
{%- endfor %}
{%- for import in imports %}

{{ import.about }}
class {{ import.class }} {
 public:
  virtual ~{{ import.class }}() = default;
  {%- for method in import.methods %}

  {{ method.docs|indent(2) }}
{% filter fitted(WIDTH) %}  virtual {{ method.result }} {{ method.name }}(
      {%- call params(method) %}{% endcall %}) = 0;
{%- endfilter %}
  {%- endfor %}
};
{%- endfor %}


}  // namespace {{ namespace }}
{%- for host in hosted %}
{%- match host.kind %}
{%- when Kind::Object { methods } %}

namespace {{ namespace }} {
std::array<undergo_typed_method_t, {{ methods.len() }}> methods_of({{ host.class }} *);
}  // namespace {{ namespace }}

template <>
struct undergo::Codec<std::shared_ptr<{{ namespace }}::{{ host.class }}>> : typed::SharedCodec<{{ namespace }}::{{ host.class }}> {};
{%- when _ %}
{%- endmatch %}
{%- endfor %}
{%- if has_structs %}

namespace undergo {
{%- for ty in types %}
{%- match ty %}
{%- when Declared::Record { class, docs, members, error } %}

template <>
struct Codec<{{ namespace }}::{{ class }}> : typed::RecordCodec<{{ namespace }}::{{ class }}
  {%- for member in members %}, &{{ namespace }}::{{ class }}::{{ member.name }}{% endfor %}> {};
{%- if let Some(error) = error %}

template <>
struct ErrorType<{{ namespace }}::{{ class }}> {
  static constexpr const char *name = {{ error.wit }};
  static constexpr std::uint64_t digest = UINT64_C({{ error.digest }});
};
{%- endif %}
{%- when Declared::Case { class, docs, members } %}

template <>
struct CaseCodec<{{ namespace }}::{{ class }}> : {% if let Some(member) = members.first() -%}
  typed::ValueCase<{{ namespace }}::{{ class }}, &{{ namespace }}::{{ class }}::{{ member.name }}>
  {%- else -%}
  typed::EmptyCase<{{ namespace }}::{{ class }}>
  {%- endif %} {};
{%- when _ %}
{%- endmatch %}
{%- endfor %}

}  // namespace undergo
{%- endif %}

namespace {{ namespace }} {
{%- for host in hosted %}
{%- match host.kind %}
{%- when Kind::Object { methods } %}

// The methods of a {{ host.class }}, for undergo.hpp.
inline std::array<undergo_typed_method_t, {{ methods.len() }}> methods_of({{ host.class }} *) {
  return { {
      {%- for member in methods %}
      {&wit::signatures[{{ member.number }}], undergo::typed::SharedAdapter<&{{ host.class }}::{{ member.method.name }}>::call, nullptr},
      {%- endfor %}
  } };
}
{%- when _ %}
{%- endmatch %}
{%- endfor %}
{%- for guest in guests %}
{%- if let Some(member) = guest.constructor %}
{%- let method = member.method %}

#if UNDERGO_EXCEPTIONS
{% filter fitted(WIDTH) %}inline {{ guest.class }}::{{ guest.class }}(
      const undergo::Instance &instance{% if !method.params.is_empty() %},{% endif %}
      {%- call params(method) %}{% endcall %})
{%- endfilter %}
    : {{ guest.class }}(undergo::typed::call<{{ guest.class }}>(instance.view(), wit::signatures[{{ member.number }}]{{ method.args }})) {}
#endif

{% filter fitted(WIDTH) %}inline undergo::Result<{{ guest.class }}> {{ guest.class }}::try_make(
      const undergo::Instance &instance{% if !method.params.is_empty() %},{% endif %}
      {%- call params(method) %}{% endcall %}) {
{%- endfilter %}
  return undergo::typed::invoke<{{ guest.class }}>(instance.view(), wit::signatures[{{ member.number }}]{{ method.args }});
}
{%- endif %}
{%- for member in guest.methods %}
{%- let method = member.method %}

#if UNDERGO_EXCEPTIONS
{% filter fitted(WIDTH) %}inline {{ method.result }} {{ guest.class }}::{{ method.name }}(
      {%- call params(method) %}{% endcall %}) const {
{%- endfilter %}
  return undergo::typed::call_method<{{ method.result }}>(wit::signatures[{{ member.number }}], static_cast<const Handle &>(*this){{ method.args }});
}
#endif

{% filter fitted(WIDTH) %}inline undergo::Result<{{ method.result }}> {{ guest.class }}::try_{{ method.name }}(
      {%- call params(method) %}{% endcall %}) const {
{%- endfilter %}
  return undergo::typed::invoke_method<{{ method.result }}>(wit::signatures[{{ member.number }}], static_cast<const Handle &>(*this){{ method.args }});
}
{%- endfor %}
{%- endfor %}

{{ about_exports }}
class {{ exports_class }} {
 public:
  // Of an instance or a pool that is known to have these functions.
  explicit {{ exports_class }}(undergo::View view) : view_(std::move(view)) {}
  {%- for method in exports %}

#if UNDERGO_EXCEPTIONS
  {{- method.docs|lines(2) }}
{% filter fitted(WIDTH) %}{% filter fitted(WIDTH) %}  {{ method.result }} {{ method.name }}(
      {%- call params(method) %}{% endcall %}) const {
{%- endfilter %}
    return undergo::typed::call<{{ method.result }}>(view_, wit::signatures[{{ loop.index0 }}]{{ method.args }});
  }
{%- endfilter %}
#endif
{% filter fitted(WIDTH) %}{% filter fitted(WIDTH) %}  undergo::Result<{{ method.result }}> try_{{ method.name }}(
      {%- call params(method) %}{% endcall %}) const {
{%- endfilter %}
    return undergo::typed::invoke<{{ method.result }}>(view_, wit::signatures[{{ loop.index0 }}]{{ method.args }});
  }
{%- endfilter %}
  {%- endfor %}

  // The same with options for calls, such as a timeout: with(100ms).
  {{ exports_class }} with(undergo::CallOptions options) const { return {{ exports_class }}(view_.with(std::move(options))); }

 private:
  undergo::View view_;
};
{%- for import in imports %}

{{ import.about_provide }}
inline void provide(undergo::Imports &imports, std::shared_ptr<{{ import.class }}> host) {
  undergo::typed::provide(imports, std::move(host), {
      {%- for method in import.methods %}
      {&wit::signatures[{{ import.first + loop.index0 }}], undergo::typed::Adapter<&{{ import.class }}::{{ method.name }}>::call},
      {%- endfor %}
  });
}
{%- endfor %}

{{ about_instance }}
class {{ class }} : public {{ exports_class }} {
 public:
#if UNDERGO_EXCEPTIONS
  // Makes an instance of a plugin, which must have the functions of this header: else the error is signature-mismatch.
  explicit {{ class }}(const undergo::Plugin &plugin, {{ hosts }}undergo::Options options = {})
      : {{ class }}(try_make(plugin, {{ moved }}std::move(options)).value()) {}

  // Loads a plugin from a file, and makes an instance.
  static {{ class }} load(const std::string &file, {{ hosts }}undergo::Options options = {}) {
    return {{ class }}(undergo::Plugin(file), {{ moved }}std::move(options));
  }
#endif

  static undergo::Result<{{ class }}> try_make(const undergo::Plugin &plugin, {{ hosts }}undergo::Options options = {}) {
    {%- for import in imports %}
    provide(options.imports(), std::move({{ import.param }}));
    {%- endfor %}
    undergo::Result<undergo::Instance> made = undergo::typed::instantiate(plugin, undergo::Span<undergo_signature_t>(wit::signatures, {{ expected }}), options);
    return made ? undergo::Result<{{ class }}>({{ class }}(std::move(*made))) : undergo::Result<{{ class }}>(made.error());
  }

  static undergo::Result<{{ class }}> try_load(const std::string &file, {{ hosts }}undergo::Options options = {}) {
    const undergo::Result<undergo::Plugin> plugin = undergo::Plugin::try_load(file);
    return plugin ? try_make(*plugin, {{ moved }}std::move(options)) : undergo::Result<{{ class }}>(plugin.error());
  }

  // The instance, for what is not a function of the plugin.
  const undergo::Instance &instance() const noexcept { return instance_; }

 private:
  explicit {{ class }}(undergo::Instance instance)
      : {{ exports_class }}(instance.view()), instance_(std::move(instance)) {}

  undergo::Instance instance_;
};

{{ about_pool }}
class {{ pool }} : public {{ exports_class }} {
 public:
#if UNDERGO_EXCEPTIONS
  // Makes a pool of a plugin, which must have the functions of this header: else the error is signature-mismatch.
  explicit {{ pool }}(const undergo::Plugin &plugin, const undergo::PoolOptions &pool_options, {{ hosts }}undergo::Options options = {})
      : {{ pool }}(try_make(plugin, pool_options, {{ moved }}std::move(options)).value()) {}
#endif

  static undergo::Result<{{ pool }}> try_make(const undergo::Plugin &plugin, const undergo::PoolOptions &pool_options, {{ hosts }}undergo::Options options = {}) {
    {%- for import in imports %}
    provide(options.imports(), std::move({{ import.param }}));
    {%- endfor %}
    undergo::Result<undergo::Pool> made = undergo::typed::pool(plugin, undergo::Span<undergo_signature_t>(wit::signatures, {{ expected }}), pool_options, options);
    return made ? undergo::Result<{{ pool }}>({{ pool }}(std::move(*made))) : undergo::Result<{{ pool }}>(made.error());
  }

  // The pool, for what is not a function of the plugin.
  const undergo::Pool &pool() const noexcept { return pool_; }

 private:
  explicit {{ pool }}(undergo::Pool pool) : {{ exports_class }}(pool.view()), pool_(std::move(pool)) {}

  undergo::Pool pool_;
};

}  // namespace {{ namespace }}

#endif  // {{ guard }}

