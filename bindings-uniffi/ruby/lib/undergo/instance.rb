# frozen_string_literal: true

module Undergo
  # What an instance used: the seconds that the last call took (or the initialisation before the first), the bytes of guest memory after it, and its fuel (nil
  # without a limit of fuel).
  Usage = Struct.new(:time, :memory, :fuel)

  # A running copy of a plugin. Its exports are its methods. Threads may share it: one call runs at a time. After anything but a return or a returned Go error it has
  # ended, and each later call raises DeadInstanceError.
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

    # What the sandbox has denied it so far of the network, an Array of Strings: each thing once with the rule that would allow it; 64 of them at the most.
    def denied
      @core.denied
    end

    # The guest's memory.
    def memory
      Memory.new(self)
    end

    # Takes the guest back to where it was after its first initialisation; a dead instance lives again.
    def reset(timeout: nil)
      turns { |turns, core| turns.reset(core, Seconds.of(timeout)) }
      nil
    end

    # Gives the guest's background goroutines a turn: they run only while a call does.
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
