// Typed access to the plugin markdown.wasm, over undergo.hpp.
//
// Written by undergo bindgen; don't edit it, but write it anew.

#ifndef UNDERGO_BINDGEN_MARKDOWN_HPP
#define UNDERGO_BINDGEN_MARKDOWN_HPP

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

namespace markdown {

namespace wit {

// The functions that this header was generated for: the exports by their numbers, the imports, and those
// of resources.
inline constexpr undergo_signature_t signatures[] = {
    {nullptr, "render", "render(source: list<u8>, options: option<options>) -> result<string, string>", UINT64_C(0xd17bd7dbd65a4b16), 0},
    {nullptr, "outline", "outline(source: list<u8>) -> list<heading>", UINT64_C(0xff80bb2f2866ea75), 1},
};

}  // namespace wit

// Options say how a document is rendered.
struct Options {
  // GitHub's tables, strikethrough, autolinks and task lists.
  bool github{};
  // Whether HTML in the document is kept. It is left out otherwise.
  bool unsafe{};

  friend bool operator==(const Options &a_, const Options &b_) {
    return std::tie(a_.github, a_.unsafe) == std::tie(b_.github, b_.unsafe);
  }
  friend bool operator!=(const Options &a_, const Options &b_) { return !(a_ == b_); }
};

// Heading is a heading of a document.
struct Heading {
  std::int64_t level{};
  std::string text{};
  std::string id{};
  // from 1
  std::int64_t line{};

  friend bool operator==(const Heading &a_, const Heading &b_) {
    return std::tie(a_.level, a_.text, a_.id, a_.line) == std::tie(b_.level, b_.text, b_.id, b_.line);
  }
  friend bool operator!=(const Heading &a_, const Heading &b_) { return !(a_ == b_); }
};


}  // namespace markdown

namespace undergo {

template <>
struct Codec<markdown::Options> : typed::RecordCodec<markdown::Options, &markdown::Options::github, &markdown::Options::unsafe> {};

template <>
struct Codec<markdown::Heading> : typed::RecordCodec<markdown::Heading, &markdown::Heading::level, &markdown::Heading::text, &markdown::Heading::id, &markdown::Heading::line> {};

}  // namespace undergo

namespace markdown {

// The functions of markdown.wasm, for an instance or a pool to run. Those that begin with try_ give the error instead
// of throwing it. It must not be used when the instance or the pool is gone.
class MarkdownExports {
 public:
  // Of an instance or a pool that is known to have these functions.
  explicit MarkdownExports(undergo::View view) : view_(std::move(view)) {}

#if UNDERGO_EXCEPTIONS
  // Render gives the HTML of a Markdown document.
  std::string render(undergo::Span<std::uint8_t> source, const std::optional<Options> &options = std::nullopt) const {
    return undergo::typed::call<std::string>(view_, wit::signatures[0], source, options);
  }
#endif
  undergo::Result<std::string> try_render(
      undergo::Span<std::uint8_t> source,
      const std::optional<Options> &options = std::nullopt) const {
    return undergo::typed::invoke<std::string>(view_, wit::signatures[0], source, options);
  }

#if UNDERGO_EXCEPTIONS
  // Outline gives the headings of a Markdown document.
  std::vector<Heading> outline(undergo::Span<std::uint8_t> source) const {
    return undergo::typed::call<std::vector<Heading>>(view_, wit::signatures[1], source);
  }
#endif
  undergo::Result<std::vector<Heading>> try_outline(undergo::Span<std::uint8_t> source) const {
    return undergo::typed::invoke<std::vector<Heading>>(view_, wit::signatures[1], source);
  }

  // The same with options for calls, such as a timeout: with(100ms).
  MarkdownExports with(undergo::CallOptions options) const { return MarkdownExports(view_.with(std::move(options))); }

 private:
  undergo::View view_;
};

// An instance of markdown.wasm. Its functions are methods.
class Markdown : public MarkdownExports {
 public:
#if UNDERGO_EXCEPTIONS
  // Makes an instance of a plugin, which must have the functions of this header: else the error is signature-mismatch.
  explicit Markdown(const undergo::Plugin &plugin, undergo::Options options = {})
      : Markdown(try_make(plugin, std::move(options)).value()) {}

  // Loads a plugin from a file, and makes an instance.
  static Markdown load(const std::string &file, undergo::Options options = {}) {
    return Markdown(undergo::Plugin(file), std::move(options));
  }
#endif

  static undergo::Result<Markdown> try_make(const undergo::Plugin &plugin, undergo::Options options = {}) {
    undergo::Result<undergo::Instance> made = undergo::typed::instantiate(plugin, undergo::Span<undergo_signature_t>(wit::signatures, 2), options);
    return made ? undergo::Result<Markdown>(Markdown(std::move(*made))) : undergo::Result<Markdown>(made.error());
  }

  static undergo::Result<Markdown> try_load(const std::string &file, undergo::Options options = {}) {
    const undergo::Result<undergo::Plugin> plugin = undergo::Plugin::try_load(file);
    return plugin ? try_make(*plugin, std::move(options)) : undergo::Result<Markdown>(plugin.error());
  }

  // The instance, for what is not a function of the plugin.
  const undergo::Instance &instance() const noexcept { return instance_; }

 private:
  explicit Markdown(undergo::Instance instance)
      : MarkdownExports(instance.view()), instance_(std::move(instance)) {}

  undergo::Instance instance_;
};

// A pool of instances of markdown.wasm, for many threads. Its functions are methods.
class MarkdownPool : public MarkdownExports {
 public:
#if UNDERGO_EXCEPTIONS
  // Makes a pool of a plugin, which must have the functions of this header: else the error is signature-mismatch.
  explicit MarkdownPool(const undergo::Plugin &plugin, const undergo::PoolOptions &pool_options, undergo::Options options = {})
      : MarkdownPool(try_make(plugin, pool_options, std::move(options)).value()) {}
#endif

  static undergo::Result<MarkdownPool> try_make(const undergo::Plugin &plugin, const undergo::PoolOptions &pool_options, undergo::Options options = {}) {
    undergo::Result<undergo::Pool> made = undergo::typed::pool(plugin, undergo::Span<undergo_signature_t>(wit::signatures, 2), pool_options, options);
    return made ? undergo::Result<MarkdownPool>(MarkdownPool(std::move(*made))) : undergo::Result<MarkdownPool>(made.error());
  }

  // The pool, for what is not a function of the plugin.
  const undergo::Pool &pool() const noexcept { return pool_; }

 private:
  explicit MarkdownPool(undergo::Pool pool) : MarkdownExports(pool.view()), pool_(std::move(pool)) {}

  undergo::Pool pool_;
};

}  // namespace markdown

#endif  // UNDERGO_BINDGEN_MARKDOWN_HPP
