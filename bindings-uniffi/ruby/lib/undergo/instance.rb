# frozen_string_literal: true

module Undergo
  # What an instance used: the seconds that the last call took (or the initialisation before the
  # first), the bytes of guest memory after it, and its fuel (nil without a limit of fuel).
  Usage = Struct.new(:time, :memory, :fuel)

  # A running copy of a plugin. Its exports are its methods. Threads may share it: one call runs at
  # a time. When a call ends in any other way than by a return or a returned Go error, the instance
  # is dead, and each later call raises DeadInstanceError.
  class Instance
    include Callable

    # Its plugin.
    attr_reader :plugin

    def initialize(plugin, core, imports)
      @plugin = plugin
      @core = core
      @imports = imports
    end
    private_class_method :new

    class << self
      public :new # :nodoc:
    end

    # A view whose calls have other options: seconds, and a CancelToken.
    def using(timeout: nil, cancel: nil)
      View.new(self, timeout, cancel)
    end

    # Whether it answers calls.
    def alive?
      @core.is_alive
    end

    # What the last call used.
    def usage
      usage = @core.usage
      Usage.new(usage.time, usage.memory, usage.fuel)
    end

    # What the sandbox has denied it so far of the network, an Array of Strings: each denial once,
    # with the rule that would allow it; at most 64.
    def denied
      @core.denied
    end

    # The guest's memory.
    def memory
      Memory.new(self)
    end

    # Makes the guest anew, as it was after its first initialisation; a dead instance lives again.
    def reset(timeout: nil)
      turns { |turns, core| turns.reset(core, Seconds.of(timeout)) }
      nil
    end

    # Lets the guest's background goroutines run, which otherwise run only during calls.
    def poll(timeout: nil)
      raise BusyError, "the instance is in the middle of a call, and can't be polled from within it" if Turns.within?(self)

      turns { |turns, core| turns.poll(core, Seconds.of(timeout)) }
      nil
    end

    # Takes what the guest wrote to a captured standard output, a String of bytes.
    def take_stdout
      @core.take_stdout
    end

    # Takes what the guest wrote to a captured standard error.
    def take_stderr
      @core.take_stderr
    end

    # Calls an export with packed arguments.
    def call_packed(number, packed, timeout, cancel) # :nodoc:
      Wire.unpack(turns { |turns, core| turns.call_instance(core, number, packed, timeout, cancel) }, @plugin.records)
    end

    # Runs something of the library that takes turns.
    def turns # :nodoc:
      Turns.run(self, @imports, @plugin.records) { |turns| yield turns, @core }
    end

    def inspect
      "#<Undergo::Instance #{@plugin.name}#{', ended' unless alive?}>"
    end
  end
end
