# frozen_string_literal: true

module Undergo
  # What a pool has now (busy and idle instances, waiting calls), and what it has done so far
  # (calls; instances made, died by a call, retired after max_calls, or shrunk because they were
  # unused).
  PoolStats = Struct.new(:busy, :idle, :waiting, :calls, :made, :died, :retired, :shrunk)

  # Interchangeable instances of one plugin. Its exports are its methods, for any number of threads.
  # A call takes a free instance, creates one, or waits for its turn. An instance that a call has
  # killed is replaced.
  class Pool
    include Callable

    # Its plugin.
    def plugin
      _plugin
    end

    # A view whose calls have other options: seconds, and a CancelToken.
    def using(timeout: nil, cancel: nil)
      View.new(self, timeout, cancel)
    end

    # Gives a block an instance that nobody else has until the block's end, and returns what the
    # block returns: for calls that belong together, such as those of an object's methods. All
    # objects of the instance end with the block. `timeout`: seconds to wait for the instance.
    def instance(timeout: nil)
      _lend(->(instance) { yield instance.extend(plugin.instance_methods) }, Seconds.of(timeout))
    end

    # The maximum number of instances.
    def size
      _size
    end

    # What the pool has done so far, and what it has now.
    def stats
      PoolStats.new(*_stats)
    end

    # Creates instances until there are that many, or as many as the pool may have.
    def warm_up(instances)
      _warm_up(instances)
    end

    # Refuses new and waiting calls, and waits for running calls until the timeout. Closing again
    # has no further effect.
    def close(timeout: nil)
      _close(Seconds.of(timeout))
    end

    # Whether it is closed.
    def closed?
      _closed
    end

    def inspect
      "#<Undergo::Pool #{size} × #{plugin.name}#{', closed' if closed?}>"
    end
  end
end
