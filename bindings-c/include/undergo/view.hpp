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
    const detail::Arguments given(args);
    const undergo_call_options_t options = options_.get();
    undergo_value_t *result = nullptr;
    undergo_error_t *error = pool_ == nullptr ? undergo_instance_call(instance_, name.c_str(), given.data(), given.size(), &options, &result)
                                              : undergo_pool_call(pool_, name.c_str(), given.data(), given.size(), &options, &result);
    return detail::result(error, result, {instance_});
  }

  // Makes an object of a resource, by its WIT name, with what values can be made of.
  template <class... Args>
  Result<Ref> try_construct(const std::string &resource, Args &&...args) const {
    if (pool_ != nullptr) {
      return Error(Kind::signature_mismatch, resource + ": objects belong to one instance: take one of the pool");
    }
    const detail::Arguments given(List{Value(std::forward<Args>(args))...});
    const undergo_call_options_t options = options_.get();
    undergo_handle_t *handle = nullptr;
    undergo_error_t *error = undergo_instance_construct(instance_, resource.c_str(), given.data(), given.size(), &options, &handle);
    return error == nullptr ? Result<Ref>(Ref(handle)) : Result<Ref>(Error(error));
  }

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
