# frozen_string_literal: true

module Undergo
  # What a pool has now (busy and idle instances, waiting calls), and what it did so far (calls, instances made; and those that died by a call, were retired after
  # max_calls, or were shrunk because nobody called them).
  PoolStats = Struct.new(:busy, :idle, :waiting, :calls, :made, :died, :retired, :shrunk)

  # Instances of one plugin that stand in for each other. Its exports are its methods, for any number of threads. A call takes an instance that is free, or makes one, or waits
  # its turn; one that a call has ended is replaced.
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

    # The most instances that there are at once.
    def size
      @core.size
    end

    # What the pool did so far, and what it has now.
    def stats
      stats = @core.stats
      PoolStats.new(stats.busy, stats.idle, stats.waiting, stats.calls, stats.made, stats.died, stats.retired, stats.shrunk)
    end

    # Makes instances until there are that many, or as many as the pool may have.
    def warm_up(instances)
      turns { |turns, core| turns.warm_up(core, instances) }
      nil
    end

    # Turns away new calls and those that wait, lets those that run finish, and waits for that as long as the timeout says. Closing twice does nothing more.
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
