# frozen_string_literal: true

module Undergo
  # What a server has now (connections that are open), and what it has done so far (requests that
  # were read; those that were refused because no instance was free: status 503; those that failed:
  # status 500 or 504, or an answer that ended early). `pool` are the PoolStats of its instances.
  ServerStats = Struct.new(:connections, :requests, :refused, :failed, :pool)

  # A plugin that serves HTTP, on threads of its own; the functions that it imports run on threads
  # of Ruby's, several at once. It serves until it is closed, also when nobody has it any more.
  class Server
    # The plugin that serves.
    def plugin
      _plugin
    end

    # Where it listens: "127.0.0.1:8080", with the port that the system chose for 0.
    def address
      _address
    end

    # What it has done so far, and what it has now.
    def stats
      *counts, pool = _stats
      ServerStats.new(*counts, PoolStats.new(*pool))
    end

    # Accepts no more connections, and waits for running requests. After `timeout` seconds those
    # that are left are ended, and it raises a TimeoutError. In a function that a request of this
    # server has called, it can't wait, and raises a BusyError: the server ends behind the requests
    # that are running all the same. Closing again waits again.
    def close(timeout: nil)
      _close(Seconds.of(timeout))
    rescue BusyError
      # Somebody has to let its threads end.
      Thread.new { _close(nil) }
      raise
    end

    # Whether it is closed.
    def closed?
      _closed
    end

    def inspect
      "#<Undergo::Server #{plugin.name} at #{address}#{', closed' if closed?}>"
    end

    # Begins to run its functions.
    def prepare(on_error) # :nodoc:
      @on_error = on_error
      _start_worker
      self
    end

    private

    # Has a thread do what there is to do.
    def _start_worker
      thread = Thread.new do
        _work
      ensure
        # A function may have ended the thread.
        _start_worker if _left
      end
      thread.name = "undergo-serve"
    rescue ThreadError
      # The process is ending.
    end

    def _failed(error)
      return warn("undergo: a request failed: #{error.message}") unless @on_error

      @on_error.call(error)
    rescue StandardError => raised
      warn("undergo: on_error raised #{raised.class}: #{raised.message}")
    end
  end
end
