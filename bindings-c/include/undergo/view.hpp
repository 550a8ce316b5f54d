// Calls of exports by their names.

#ifndef UNDERGO_VIEW_HPP
#define UNDERGO_VIEW_HPP

#include <string>
#include <utility>
#include <vector>

#include "config.hpp"

namespace undergo {

// An instance or a pool with options for its calls. Cheap to make and to copy; it must not be used
// when the instance or the pool is gone. For any thread.
class View {
 public:
  View(const undergo_instance_t *instance, CallOptions options) : instance_(instance), options_(std::move(options)) {}
  View(const undergo_pool_t *pool, CallOptions options) : pool_(pool), options_(std::move(options)) {}

  // Calls an export, by its WIT name, with what values can be made of.
  template <class... Args>
  Result<Value> try_call(const std::string &name, Args &&...args) const {
    return try_apply(name, List{Value(std::forward<Args>(args))...});
  }

  // Calls an export with the arguments of a list.
  Result<Value> try_apply(const std::string &name, const List &args) const {
    std::vector<detail::ValueHandle> handles;
    std::vector<const undergo_value_t *> pointers;
    for (const Value &arg : args) {
      handles.push_back(detail::to_handle(arg));
      pointers.push_back(handles.back().get());
    }
    const undergo_call_options_t options = options_.get();
    undergo_value_t *result = nullptr;
    undergo_error_t *error =
        pool_ == nullptr ? undergo_instance_call(instance_, name.c_str(), pointers.data(), pointers.size(), &options, &result)
                         : undergo_pool_call(pool_, name.c_str(), pointers.data(), pointers.size(), &options, &result);
    const detail::ValueHandle owner(result);
    return error == nullptr ? Result<Value>(detail::from_handle(result)) : Result<Value>(Error(error));
  }

#if UNDERGO_EXCEPTIONS
  template <class... Args>
  Value call(const std::string &name, Args &&...args) const {
    return try_call(name, std::forward<Args>(args)...).value();
  }

  Value apply(const std::string &name, const List &args) const { return try_apply(name, args).value(); }
#endif

  // The same instance or pool with other options.
  View with(CallOptions options) const {
    View other = *this;
    other.options_ = std::move(options);
    return other;
  }

  // Calls an export with structs: for generated headers.
  undergo_error_t *invoke(const undergo_signature_t &signature, const void *args, void *result, undergo_arena_t **arena) const {
    const undergo_call_options_t options = options_.get();
    // Null stands for zeros, and is looked at once.
    const undergo_call_options_t *given = options.timeout == 0 && options.cancel == nullptr ? nullptr : &options;
    return pool_ == nullptr ? undergo_instance_invoke(instance_, &signature, args, given, result, arena)
                            : undergo_pool_invoke(pool_, &signature, args, given, result, arena);
  }

 private:
  const undergo_instance_t *instance_ = nullptr;
  const undergo_pool_t *pool_ = nullptr;
  CallOptions options_;
};

}  // namespace undergo

#endif  // UNDERGO_VIEW_HPP
