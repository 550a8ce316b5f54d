// Instances that stand in for each other.

#ifndef UNDERGO_POOL_HPP
#define UNDERGO_POOL_HPP

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "instance.hpp"

namespace undergo {

class Plugin;

// Interchangeable instances of one plugin. Any number of threads may call it: a call takes a free
// instance, creates one, or waits for its turn, first come, first served. An instance that a call
// has killed is replaced. Which instance answers is not defined, so calls must not rely on state in
// a guest. No thread may be calling it when it is destroyed.
class Pool {
 public:
  // Takes over a handle of undergo.h.
  explicit Pool(undergo_pool_t *pool) : pool_(pool) {}

  // Calls an export of any free instance; as those of Instance.
  template <class... Args>
  Result<Value> try_call(const std::string &name, Args &&...args) const {
    return view().try_call(name, std::forward<Args>(args)...);
  }
  Result<Value> try_apply(const std::string &name, const List &args) const { return view().try_apply(name, args); }

  // The pool with options for calls. A timeout includes waiting for an instance and creating one.
  View with(CallOptions options) const { return View(pool_.get(), std::move(options)); }
  View view() const { return with(CallOptions()); }

  // Lends an instance to one caller who needs its state: a pool's own calls can't give handles. It
  // returns to the pool when it is destroyed, on the same thread, which ends all handles of its
  // objects. The pool must live longer.
  Result<Instance> try_take(const CallOptions &options = CallOptions()) const {
    const undergo_call_options_t given = options.get();
    undergo_instance_t *instance = nullptr;
    undergo_error_t *error = undergo_pool_take(pool_.get(), &given, &instance);
    return error == nullptr ? Result<Instance>(Instance(instance)) : Result<Instance>(Error(error));
  }

  // The plugin of these instances.
  Plugin plugin() const;

  // The maximum number of instances.
  std::size_t size() const noexcept { return undergo_pool_size(pool_.get()); }

  // What it has done so far, and what it has now.
  Result<PoolStats> try_stats() const {
    PoolStats stats{};
    undergo_error_t *error = undergo_pool_stats(pool_.get(), &stats);
    return error == nullptr ? Result<PoolStats>(stats) : Result<PoolStats>(Error(error));
  }

  // Creates instances until there are that many, or as many as the pool may have, so that the first
  // calls need not create them.
  Result<void> try_warm_up(std::size_t instances) const { return detail::check(undergo_pool_warm_up(pool_.get(), instances)); }

  // Refuses new and waiting calls, which fail with dead-instance, and waits for running calls,
  // without limit or for this time. Fails with timeout if calls are still running then, and with
  // busy from within a host function that this pool has called. The pool is closed in both cases.
  Result<void> try_close(std::optional<Duration> timeout = std::nullopt) const {
    return detail::check(undergo_pool_close(pool_.get(), detail::nanoseconds(timeout)));
  }

  // Whether it is closed.
  bool closed() const noexcept { return undergo_pool_is_closed(pool_.get()); }

#if UNDERGO_EXCEPTIONS
  template <class... Args>
  Value call(const std::string &name, Args &&...args) const {
    return try_call(name, std::forward<Args>(args)...).value();
  }
  Value apply(const std::string &name, const List &args) const { return try_apply(name, args).value(); }
  PoolStats stats() const { return try_stats().value(); }
  Instance take(const CallOptions &options = CallOptions()) const { return try_take(options).value(); }
  void warm_up(std::size_t instances) const { try_warm_up(instances).value(); }
  void close(std::optional<Duration> timeout = std::nullopt) const { try_close(timeout).value(); }
#endif

  const undergo_pool_t *get() const noexcept { return pool_.get(); }

 private:
  std::unique_ptr<undergo_pool_t, detail::Deleter<undergo_pool_delete>> pool_;
};

}  // namespace undergo

#endif  // UNDERGO_POOL_HPP
