# frozen_string_literal: true

module Undergo
  # Ends calls from another thread: `instance.using(cancel: token).greet(...)`. One token may serve
  # many calls; a cancelled token stays cancelled.
  class CancelToken
    # Cancels all calls that have the token, now and later. Does not wait for their end.
    def cancel
      _cancel
    end

    # Whether it is cancelled.
    def cancelled?
      _cancelled
    end
  end
end
