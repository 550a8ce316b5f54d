// Ends calls from another thread.

#ifndef UNDERGO_CANCEL_HPP
#define UNDERGO_CANCEL_HPP

#include <memory>

#include "../undergo.h"

namespace undergo {

// Ends calls from another thread, within some milliseconds: whether the guest computes, sleeps, or
// waits for its turn. Code of a host function is not interrupted. Copies are the same token, which
// may serve many calls; a cancelled token stays cancelled. For any thread.
class CancelToken {
 public:
  CancelToken() : cancel_(undergo_cancel_new(), undergo_cancel_delete) {}

  // Cancels all calls that have this token, now and later. Does not wait for them to end.
  void cancel() const noexcept { undergo_cancel_cancel(cancel_.get()); }

  bool cancelled() const noexcept { return undergo_cancel_is_cancelled(cancel_.get()); }

  const undergo_cancel_t *get() const noexcept { return cancel_.get(); }

 private:
  std::shared_ptr<undergo_cancel_t> cancel_;
};

}  // namespace undergo

#endif  // UNDERGO_CANCEL_HPP
