// A running copy of a plugin.

#ifndef UNDERGO_INSTANCE_HPP
#define UNDERGO_INSTANCE_HPP

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "completed.hpp"
#include "imports.hpp"
#include "view.hpp"

namespace undergo {

class Plugin;

// A guest's memory. Addresses are the guest's, and every access is checked. It must not be used
// when the instance is gone.
class Memory {
 public:
  explicit Memory(const undergo_instance_t *instance) : instance_(instance) {}

  // Copies so many bytes.
  Result<std::string> try_read(std::uint32_t address, std::size_t length) const {
    // Checked before so much is made room for.
    const Result<std::uint64_t> size = try_size();
    if (!size) {
      return size.error();
    }
    std::string buffer(length <= *size ? length : 0, '\0');
    undergo_error_t *error = undergo_instance_read_memory(instance_, address, length <= *size ? buffer.data() : nullptr, length);
    return error == nullptr ? Result<std::string>(std::move(buffer)) : Result<std::string>(Error(error));
  }

  // Copies to guest memory.
  Result<void> try_write(std::uint32_t address, std::string_view data) const {
    return detail::check(undergo_instance_write_memory(instance_, address, data.data(), data.size()));
  }

  // The size in bytes, which only grows.
  Result<std::uint64_t> try_size() const {
    std::uint64_t size = 0;
    undergo_error_t *error = undergo_instance_memory_size(instance_, &size);
    return error == nullptr ? Result<std::uint64_t>(size) : Result<std::uint64_t>(Error(error));
  }

#if UNDERGO_EXCEPTIONS
  std::string read(std::uint32_t address, std::size_t length) const { return try_read(address, length).value(); }
  void write(std::uint32_t address, std::string_view data) const { try_write(address, data).value(); }
  std::uint64_t size() const { return try_size().value(); }
#endif

 private:
  const undergo_instance_t *instance_;
};

// A running copy of a plugin. Threads may share it: one call runs at a time, and others wait. When
// a call ends in any other way than by a return or a returned Go error, the instance is dead, and
// each later call fails with dead-instance.
class Instance {
 public:
  // Takes over a handle of undergo.h.
  explicit Instance(undergo_instance_t *instance) : instance_(instance) {}

  // Calls an export, by its WIT name, with what values can be made of: call("greet",
  // Record{{"name", "Ada"}}, true).
  template <class... Args>
  Result<Value> try_call(const std::string &name, Args &&...args) const {
    return view().try_call(name, std::forward<Args>(args)...);
  }

  // Calls an export with the arguments of a list.
  Result<Value> try_apply(const std::string &name, const List &args) const { return view().try_apply(name, args); }

  // Makes an object of a resource, by its WIT name, with what values can be made of.
  template <class... Args>
  Result<Ref> try_construct(const std::string &resource, Args &&...args) const {
    return view().try_construct(resource, std::forward<Args>(args)...);
  }

  // The instance with options for calls, such as a timeout: with(100ms).call("greet", person,
  // true).
  View with(CallOptions options) const { return View(instance_.get(), std::move(options)); }
  View view() const { return with(CallOptions()); }

  // The plugin of this instance.
  Plugin plugin() const;

  // Whether it answers calls.
  bool alive() const noexcept { return undergo_instance_is_alive(instance_.get()); }

  // What calls of an instance that has ended get: dead-instance, with the first cause. Nothing
  // while it lives.
  std::optional<Error> end() const {
    undergo_error_t *error = undergo_instance_end(instance_.get());
    return error == nullptr ? std::nullopt : std::optional<Error>(Error(error));
  }

  // The guest's memory.
  Memory memory() const { return Memory(instance_.get()); }

  // What the last call used, or the initialisation before the first. Can be read during a call and
  // after the instance has ended.
  Result<Usage> try_usage() const {
    undergo_usage_t usage{};
    if (undergo_error_t *error = undergo_instance_usage(instance_.get(), &usage)) {
      return Error(error);
    }
    return detail::usage(usage);
  }

  // Whether its code is that of the better compiler.
  bool is_best() const noexcept { return undergo_instance_is_best(instance_.get()); }

  // Makes the guest anew: memory, goroutines and globals are as after the first initialisation, and
  // a dead instance lives again. The options are about the wait and the initialisation.
  Result<void> try_reset(const CallOptions &options = CallOptions()) const {
    const undergo_call_options_t given = options.get();
    return detail::check(undergo_instance_reset(instance_.get(), &given));
  }

  // Lets the guest's background goroutines run, which otherwise run only during calls.
  Result<void> try_poll(const CallOptions &options = CallOptions()) const {
    const undergo_call_options_t given = options.get();
    return detail::check(undergo_instance_poll(instance_.get(), &given));
  }

  // What the sandbox has denied this instance so far of the network, each denial once, with the
  // rule that would allow it; at most 64.
  std::vector<std::string> denied() const { return detail::take_texts(undergo_instance_denied(instance_.get())); }

  // Takes what the guest wrote to a captured output.
  std::string take_stdout() const { return detail::take_bytes(undergo_instance_take_stdout(instance_.get())); }
  std::string take_stderr() const { return detail::take_bytes(undergo_instance_take_stderr(instance_.get())); }

#if UNDERGO_EXCEPTIONS
  template <class... Args>
  Value call(const std::string &name, Args &&...args) const {
    return try_call(name, std::forward<Args>(args)...).value();
  }
  Value apply(const std::string &name, const List &args) const { return try_apply(name, args).value(); }
  template <class... Args>
  Ref construct(const std::string &resource, Args &&...args) const {
    return try_construct(resource, std::forward<Args>(args)...).value();
  }
  Usage usage() const { return try_usage().value(); }
  void reset(const CallOptions &options = CallOptions()) const { try_reset(options).value(); }
  void poll(const CallOptions &options = CallOptions()) const { try_poll(options).value(); }
#endif

  const undergo_instance_t *get() const noexcept { return instance_.get(); }

 private:
  std::unique_ptr<undergo_instance_t, detail::Deleter<undergo_instance_delete>> instance_;
};

inline Imports &Imports::link(std::string interface, const Instance &instance) {
  return add([interface = std::move(interface), from = instance.get()](undergo_imports_t *imports) {
    return undergo_imports_link(imports, interface.c_str(), from);
  });
}

}  // namespace undergo

#endif  // UNDERGO_INSTANCE_HPP
