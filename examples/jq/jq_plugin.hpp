// Typed access to the plugin jq.wasm, over undergo.hpp.
//
// Written by undergo bindgen; don't edit it, but write it anew.

#ifndef UNDERGO_BINDGEN_JQ_HPP
#define UNDERGO_BINDGEN_JQ_HPP

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

namespace jq {

namespace wit {

// The functions that this header was generated for: the exports by their numbers, the imports, and those
// of resources.
inline constexpr undergo_signature_t signatures[] = {
    {nullptr, "load", "load(name: string, document: list<u8>) -> result<s64, string>", UINT64_C(0xad151d9080f81e52), 0},
    {nullptr, "query", "query(name: string, query: string) -> result<list<json>, string>", UINT64_C(0xaff10125d51ff69c), 1},
    {nullptr, "eval", "eval(query: string, value: json) -> result<list<json>, string>", UINT64_C(0x9454626e84881c50), 2},
};

}  // namespace wit


}  // namespace jq

namespace jq {

// The functions of jq.wasm, for an instance or a pool to run. Those that begin with try_ give the error instead of
// throwing it. It must not be used when the instance or the pool is gone.
class JqExports {
 public:
  // Of an instance or a pool that is known to have these functions.
  explicit JqExports(undergo::View view) : view_(std::move(view)) {}

#if UNDERGO_EXCEPTIONS
  // Load keeps a JSON document under a name, and gives the number of its
  // outermost items.
  std::int64_t load_(std::string_view name, undergo::Span<std::uint8_t> document) const {
    return undergo::typed::call<std::int64_t>(view_, wit::signatures[0], name, document);
  }
#endif
  undergo::Result<std::int64_t> try_load_(std::string_view name, undergo::Span<std::uint8_t> document) const {
    return undergo::typed::invoke<std::int64_t>(view_, wit::signatures[0], name, document);
  }

#if UNDERGO_EXCEPTIONS
  // Query runs a query over a document that was loaded, and gives its results.
  std::vector<undergo::Json> query(std::string_view name, std::string_view query) const {
    return undergo::typed::call<std::vector<undergo::Json>>(view_, wit::signatures[1], name, query);
  }
#endif
  undergo::Result<std::vector<undergo::Json>> try_query(std::string_view name, std::string_view query) const {
    return undergo::typed::invoke<std::vector<undergo::Json>>(view_, wit::signatures[1], name, query);
  }

#if UNDERGO_EXCEPTIONS
  // Eval runs a query over a value.
  std::vector<undergo::Json> eval(std::string_view query, const undergo::Json &value) const {
    return undergo::typed::call<std::vector<undergo::Json>>(view_, wit::signatures[2], query, value);
  }
#endif
  undergo::Result<std::vector<undergo::Json>> try_eval(std::string_view query, const undergo::Json &value) const {
    return undergo::typed::invoke<std::vector<undergo::Json>>(view_, wit::signatures[2], query, value);
  }

  // The same with options for calls, such as a timeout: with(100ms).
  JqExports with(undergo::CallOptions options) const { return JqExports(view_.with(std::move(options))); }

 private:
  undergo::View view_;
};

// An instance of jq.wasm. Its functions are methods.
class Jq : public JqExports {
 public:
#if UNDERGO_EXCEPTIONS
  // Makes an instance of a plugin, which must have the functions of this header: else the error is signature-mismatch.
  explicit Jq(const undergo::Plugin &plugin, undergo::Options options = {})
      : Jq(try_make(plugin, std::move(options)).value()) {}

  // Loads a plugin from a file, and makes an instance.
  static Jq load(const std::string &file, undergo::Options options = {}) {
    return Jq(undergo::Plugin(file), std::move(options));
  }
#endif

  static undergo::Result<Jq> try_make(const undergo::Plugin &plugin, undergo::Options options = {}) {
    undergo::Result<undergo::Instance> made = undergo::typed::instantiate(plugin, undergo::Span<undergo_signature_t>(wit::signatures, 3), options);
    return made ? undergo::Result<Jq>(Jq(std::move(*made))) : undergo::Result<Jq>(made.error());
  }

  static undergo::Result<Jq> try_load(const std::string &file, undergo::Options options = {}) {
    const undergo::Result<undergo::Plugin> plugin = undergo::Plugin::try_load(file);
    return plugin ? try_make(*plugin, std::move(options)) : undergo::Result<Jq>(plugin.error());
  }

  // The instance, for what is not a function of the plugin.
  const undergo::Instance &instance() const noexcept { return instance_; }

 private:
  explicit Jq(undergo::Instance instance)
      : JqExports(instance.view()), instance_(std::move(instance)) {}

  undergo::Instance instance_;
};

// A pool of instances of jq.wasm, for many threads. Its functions are methods.
class JqPool : public JqExports {
 public:
#if UNDERGO_EXCEPTIONS
  // Makes a pool of a plugin, which must have the functions of this header: else the error is signature-mismatch.
  explicit JqPool(const undergo::Plugin &plugin, const undergo::PoolOptions &pool_options, undergo::Options options = {})
      : JqPool(try_make(plugin, pool_options, std::move(options)).value()) {}
#endif

  static undergo::Result<JqPool> try_make(const undergo::Plugin &plugin, const undergo::PoolOptions &pool_options, undergo::Options options = {}) {
    undergo::Result<undergo::Pool> made = undergo::typed::pool(plugin, undergo::Span<undergo_signature_t>(wit::signatures, 3), pool_options, options);
    return made ? undergo::Result<JqPool>(JqPool(std::move(*made))) : undergo::Result<JqPool>(made.error());
  }

  // The pool, for what is not a function of the plugin.
  const undergo::Pool &pool() const noexcept { return pool_; }

 private:
  explicit JqPool(undergo::Pool pool) : JqExports(pool.view()), pool_(std::move(pool)) {}

  undergo::Pool pool_;
};

}  // namespace jq

#endif  // UNDERGO_BINDGEN_JQ_HPP
