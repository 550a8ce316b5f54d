// Options: of calls, plugins, instances, pools and servers. Each is made by setting what differs
// from the defaults: Limits().memory(64 * MiB).timeout(2s).

#ifndef UNDERGO_CONFIG_HPP
#define UNDERGO_CONFIG_HPP

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "cancel.hpp"
#include "imports.hpp"
#include "living.hpp"
#include "sandbox.hpp"

namespace undergo {

constexpr std::uint64_t KiB = 1024;
constexpr std::uint64_t MiB = 1024 * KiB;
constexpr std::uint64_t GiB = 1024 * MiB;

namespace detail {

// A time as undergo.h has it, where 0 is none: what is no time at all is the shortest.
inline std::uint64_t nanoseconds(std::optional<Duration> time) noexcept {
  return !time.has_value() ? 0 : time->count() <= 0 ? 1 : static_cast<std::uint64_t>(time->count());
}

}  // namespace detail

// Options of calls.
class CallOptions {
 public:
  CallOptions() = default;
  // Only a timeout.
  template <class Rep, class Period>
  CallOptions(std::chrono::duration<Rep, Period> time) {
    timeout(time);
  }
  // Only a token.
  CallOptions(CancelToken token) : cancel_(std::move(token)) {}

  // How long a call may take, including the wait for the instance; without it, the limit of the
  // instance counts.
  CallOptions &timeout(Duration time) { return timeout_ = time, *this; }

  // Can end a call earlier, from any thread.
  CallOptions &cancel(CancelToken token) { return cancel_ = std::move(token), *this; }

  // As undergo.h has them. They refer to this.
  undergo_call_options_t get() const noexcept {
    return {detail::nanoseconds(timeout_), cancel_.has_value() ? cancel_->get() : nullptr};
  }

 private:
  std::optional<Duration> timeout_;
  std::optional<CancelToken> cancel_;
};

// What an instance may use.
class Limits {
 public:
  // Bytes of guest memory.
  Limits &memory(std::uint64_t bytes) { return limits_.memory = bytes, *this; }
  // How long a call may take, and the initialisation may: computing, sleeping, host functions and
  // waiting for the instance.
  Limits &timeout(Duration time) { return limits_.timeout = detail::nanoseconds(time), *this; }
  // Bytes that one value from the guest may take on this side, as objects, 1 GiB by default.
  Limits &value(std::uint64_t bytes) { return limits_.value = bytes, *this; }
  // Bytes that the guest may write to each of its two outputs over its life; the rest is dropped.
  Limits &output(std::uint64_t bytes) { return limits_.output = bytes, *this; }
  // Bytes of guest stack of one call, from 64 KiB to 512 MiB, rounded up to a power of two; 4 MiB
  // by default.
  Limits &stack(std::uint64_t bytes) { return limits_.stack = bytes, *this; }
  // How much each call, and the initialisation, may compute, in units of about one WebAssembly
  // instruction. It costs about a tenth of the speed.
  Limits &fuel(std::uint64_t units) { return limits_.fuel = units, *this; }
  // Elements of the guest's tables, all together, 4,194,304 by default.
  Limits &table(std::uint32_t elements) { return limits_.table = elements, *this; }
  // Descriptors of this process that the guest may hold at once, 128 by default: files,
  // directories, sockets, connections that it accepted, and pipes.
  Limits &descriptors(std::uint32_t most) { return limits_.descriptors = most, *this; }
  // Handles that the guest may hold at once, 10,000 by default: of objects, functions, iterables
  // and streams of the program, and of its own objects on their way.
  Limits &handles(std::uint32_t most) { return limits_.handles = most, *this; }

  const undergo_limits_t *get() const noexcept { return &limits_; }

 private:
  undergo_limits_t limits_{};
};

// What an instance has, and may do.
class Options {
 public:
  // The functions that the plugin needs.
  Options &imports(Imports imports) { return imports_ = std::move(imports), *this; }
  // What it may reach.
  Options &sandbox(Sandbox sandbox) { return sandbox_ = std::move(sandbox), *this; }
  // What it may use.
  Options &limits(Limits limits) { return limits_ = limits, *this; }

  Imports &imports() noexcept { return imports_; }
  const Imports &imports() const noexcept { return imports_; }
  Sandbox &sandbox() noexcept { return sandbox_; }
  const Sandbox &sandbox() const noexcept { return sandbox_; }
  Limits &limits() noexcept { return limits_; }
  const Limits &limits() const noexcept { return limits_; }

 private:
  Imports imports_;
  Sandbox sandbox_;
  Limits limits_;
};

// How many instances a pool has, and for how long.
class PoolOptions {
 public:
  // The maximum number of instances, at least 1; they are created when calls need them.
  PoolOptions(std::size_t size) { options_.size = size; }

  // An instance is replaced after this many calls; 1 gives each call a fresh instance.
  PoolOptions &max_calls(std::uint64_t calls) { return options_.max_calls = calls, *this; }
  // An instance that was unused for this long is dropped.
  PoolOptions &idle(Duration time) { return options_.idle = detail::nanoseconds(time), *this; }
  // How many instances are created at once.
  PoolOptions &warm(std::size_t instances) { return options_.warm = instances, *this; }

  const undergo_pool_options_t *get() const noexcept { return &options_; }

 private:
  undergo_pool_options_t options_{};
};

// How a plugin serves HTTP.
class ServeOptions {
 public:
  // Where to listen: "127.0.0.1:8080" by default. Port 0 is one that the system chooses.
  ServeOptions &address(std::string where) { return address_ = std::move(where), *this; }
  // The maximum number of instances, each of which answers one request at a time; four for each
  // processor by default.
  ServeOptions &instances(std::size_t most) { return options_.instances = most, *this; }
  // An instance is replaced after this many requests; 1 gives each request a fresh instance.
  ServeOptions &max_calls(std::uint64_t requests) { return options_.max_calls = requests, *this; }
  // An instance that was unused for this long is dropped.
  ServeOptions &idle(Duration time) { return options_.idle = detail::nanoseconds(time), *this; }
  // How many requests may wait for an instance, 256 by default; others are refused with status 503.
  ServeOptions &queue(std::size_t most) { return options_.queue = most, options_.no_queue = most == 0, *this; }
  // How many connections there may be at a time, 1024 by default.
  ServeOptions &connections(std::size_t most) { return options_.connections = most, *this; }
  // Bytes of a request's body, 32 MiB by default; a longer one is refused with status 413.
  ServeOptions &body(std::uint64_t most) { return options_.body = most, options_.no_body = most == 0, *this; }
  // Is told of requests that failed, on threads of the server, several at once. What it throws is
  // ignored. By default such errors are written to standard error.
  ServeOptions &failed(std::function<void(const Error &)> function) { return failed_ = std::move(function), *this; }

  // As undergo.h has them, for one call of undergo_plugin_serve, which takes over the function.
  // They refer to this.
  undergo_serve_options_t make() const {
    undergo_serve_options_t made = options_;
    made.address = address_.has_value() ? address_->c_str() : nullptr;
    if (failed_) {
      made.user_data = new std::function<void(const Error &)>(failed_);
      made.failed = tell;
      made.destroy = [](void *data) { delete static_cast<std::function<void(const Error &)> *>(data); };
    }
    return made;
  }

 private:
  static void tell(void *data, const undergo_error_t *error) {
    // The error is never one to return.
    undergo_error_delete(detail::guarded([&]() -> undergo_error_t * {
      (*static_cast<const std::function<void(const Error &)> *>(data))(Error(undergo_error_copy(error)));
      return nullptr;
    }));
  }

  undergo_serve_options_t options_{};
  std::optional<std::string> address_;
  std::function<void(const Error &)> failed_;
};

enum class Compile : std::uint32_t {
  // Quickly first, and better in the background, for instances that are created later.
  tiered = UNDERGO_COMPILE_TIERED,
  // Quickly, to code that takes two to three times as long.
  fast = UNDERGO_COMPILE_FAST,
  // Well, and wait for it.
  best = UNDERGO_COMPILE_BEST,
};

// How a plugin is compiled.
class PluginOptions {
 public:
  PluginOptions &compile(Compile how) { return compile_ = how, *this; }
  // The folder where compiled code is kept for the next process: by default the one that
  // UNDERGO_CACHE_DIR names, or the user's cache folder.
  PluginOptions &cache(std::string folder) { return cache_ = std::move(folder), *this; }
  // Compiled code is kept nowhere.
  PluginOptions &no_cache() { return no_cache_ = true, *this; }
  // How many times as much as usual the module may ask of the compilers. A compilation can't be
  // stopped, so a module that asks for more is refused.
  PluginOptions &bounds(std::uint32_t times) { return bounds_ = times, *this; }
  // How long loading may take. A compilation that has begun goes on in the background, within the
  // bounds.
  PluginOptions &timeout(Duration time) { return timeout_ = time, *this; }
  // Can end the loading earlier, from any thread.
  PluginOptions &cancel(CancelToken token) { return cancel_ = std::move(token), *this; }
  // The program `undergo`, of this version, which compiles in a separate process with limited time
  // and memory: for modules that you don't trust.
  PluginOptions &compiler(std::string program) { return compiler_ = std::move(program), *this; }
  // Go's code is compiled as its compiler wrote it. By default it is rewritten with structured
  // control flow first, which makes it faster.
  PluginOptions &no_optimize() { return no_optimize_ = true, *this; }

  // As undergo.h has them. They refer to this.
  undergo_plugin_options_t get() const noexcept {
    return {static_cast<std::uint32_t>(compile_),
            no_cache_,
            cache_.has_value() ? cache_->c_str() : nullptr,
            bounds_,
            detail::nanoseconds(timeout_),
            cancel_.has_value() ? cancel_->get() : nullptr,
            compiler_.has_value() ? compiler_->c_str() : nullptr,
            no_optimize_};
  }

 private:
  Compile compile_ = Compile::tiered;
  bool no_cache_ = false;
  std::optional<std::string> cache_;
  std::uint32_t bounds_ = 1;
  std::optional<Duration> timeout_;
  std::optional<CancelToken> cancel_;
  std::optional<std::string> compiler_;
  bool no_optimize_ = false;
};

// What an instance used.
struct Usage {
  // What the last call took, or the initialisation before the first: host functions included.
  Duration time{};
  // Bytes of guest memory after it, which never shrinks.
  std::uint64_t memory = 0;
  // Fuel that the last call used, where it is limited.
  std::optional<std::uint64_t> fuel;
};

// What a pool has done so far, and what it has now.
using PoolStats = undergo_pool_stats_t;

// What a server has done so far, and what it has now.
using ServerStats = undergo_server_stats_t;

}  // namespace undergo

#endif  // UNDERGO_CONFIG_HPP
