// Instances that stand in for each other.

#ifndef UNDERGO_POOL_HPP
#define UNDERGO_POOL_HPP

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "view.hpp"

namespace undergo {

class Plugin;

// Instances of one plugin that stand in for each other. Any number of threads may call it: a call
// takes an instance that is free, or makes one, or waits its turn, first come, first served. One
// that a call has ended is replaced. Calls share nothing that is in a guest: which instance answers
// is not defined. No thread may be calling it when it is destroyed.
class Pool {
 public:
  // Takes over a handle of undergo.h.
  explicit Pool(undergo_pool_t *pool) : pool_(pool) {}

  // Calls an export of whichever instance is free; as those of Instance.
  template <class... Args>
  Result<Value> try_call(const std::string &name, Args &&...args) const {
    return view().try_call(name, std::forward<Args>(args)...);
  }
  Result<Value> try_apply(const std::string &name, const List &args) const { return view().try_apply(name, args); }

  // The pool with options for calls. A timeout covers waiting for an instance and making one.
  View with(CallOptions options) const { return View(pool_.get(), std::move(options)); }
  View view() const { return with(CallOptions()); }

  // The plugin whose instances these are.
  Plugin plugin() const;

  // The most instances that there are at once.
  std::size_t size() const noexcept { return undergo_pool_size(pool_.get()); }

  // What it did so far, and what it has now.
  Result<PoolStats> try_stats() const {
    PoolStats stats{};
    undergo_error_t *error = undergo_pool_stats(pool_.get(), &stats);
    return error == nullptr ? Result<PoolStats>(stats) : Result<PoolStats>(Error(error));
  }

  // Makes instances until there are that many, or as many as the pool may have, so that the first
  // calls need not.
  Result<void> try_warm_up(std::size_t instances) const { return detail::check(undergo_pool_warm_up(pool_.get(), instances)); }

  // Turns away new calls and those that wait, which fail with dead-instance; lets those that run
  // finish, and waits for that, as long as it takes or this time. Fails with timeout when calls
  // still run by then, and with busy from within a host function that this pool called. The pool is
  // closed in both cases.
  Result<void> try_close(std::optional<Duration> timeout = std::nullopt) const {
    return detail::check(undergo_pool_close(pool_.get(), detail::nanoseconds(timeout)));
  }

  // Whether it was closed.
  bool closed() const noexcept { return undergo_pool_is_closed(pool_.get()); }

#if UNDERGO_EXCEPTIONS
  template <class... Args>
  Value call(const std::string &name, Args &&...args) const {
    return try_call(name, std::forward<Args>(args)...).value();
  }
  Value apply(const std::string &name, const List &args) const { return try_apply(name, args).value(); }
  PoolStats stats() const { return try_stats().value(); }
  void warm_up(std::size_t instances) const { try_warm_up(instances).value(); }
  void close(std::optional<Duration> timeout = std::nullopt) const { try_close(timeout).value(); }
#endif

  const undergo_pool_t *get() const noexcept { return pool_.get(); }

 private:
  std::unique_ptr<undergo_pool_t, detail::Deleter<undergo_pool_delete>> pool_;
};

}  // namespace undergo

#endif  // UNDERGO_POOL_HPP
