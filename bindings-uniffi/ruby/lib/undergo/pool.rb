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
    attr_reader :plugin

    def initialize(plugin, core, imports)
      @plugin = plugin
      @core = core
      @imports = imports
    end

    # A view whose calls have other options: seconds, and a CancelToken.
    def using(timeout: nil, cancel: nil)
      View.new(self, timeout, cancel)
    end

    # The maximum number of instances.
    def size
      @core.size
    end

    # What the pool has done so far, and what it has now.
    def stats
      stats = @core.stats
      PoolStats.new(stats.busy, stats.idle, stats.waiting, stats.calls, stats.made, stats.died, stats.retired, stats.shrunk)
    end

    # Creates instances until there are that many, or as many as the pool may have.
    def warm_up(instances)
      turns { |turns, core| turns.warm_up(core, instances) }
      nil
    end

    # Refuses new and waiting calls, and waits for running calls until the timeout. Closing again
    # has no further effect.
    def close(timeout: nil)
      if Turns.within?(self)
        @core.shut_down_now
        raise BusyError, "a host function of the pool can't wait for the end of its calls, of which it is part: the pool is closed all the same"
      end
      turns { |turns, core| turns.shut_down(core, Seconds.of(timeout)) }
      nil
    end

    # Whether it is closed.
    def closed?
      @core.is_closed
    end

    # Calls an export with packed arguments.
    def call_packed(number, packed, timeout, cancel) # :nodoc:
      Wire.unpack(turns { |turns, core| turns.call_pool(core, number, packed, timeout, cancel) }, @plugin.records)
    end

    def inspect
      "#<Undergo::Pool #{size} × #{@plugin.name}#{', closed' if closed?}>"
    end

    private

    def turns
      Turns.run(self, @imports, @plugin.records) { |turns| yield turns, @core }
    end
  end
end
