# frozen_string_literal: true

module Undergo
  # What an instance used: the seconds that the last call took (or the initialisation before the
  # first), the bytes of guest memory after it, and its fuel (nil without a limit of fuel).
  Usage = Struct.new(:time, :memory, :fuel)

  # How many handles an instance has now: those that the guest has, of its own objects and the
  # program's (held), and those that the program has of the guest's objects (given).
  Handles = Struct.new(:held, :given)

  # A running copy of a plugin. Its exports are its methods. Threads may share it: one call runs at
  # a time. When a call ends in any other way than by a return or a returned Go error, the instance
  # is dead, and each later call raises DeadInstanceError.
  class Instance
    include Callable

    # Its plugin.
    def plugin
      _plugin
    end

    # A view whose calls have other options: seconds, and a CancelToken.
    def using(timeout: nil, cancel: nil)
      View.new(self, timeout, cancel)
    end

    # Whether it answers calls.
    def alive?
      _alive
    end

    # What the last call used.
    def usage
      Usage.new(*_usage)
    end

    # How many handles there are now.
    def handles
      Handles.new(*_handles)
    end

    # What the sandbox has denied it so far of the network, an Array of Strings: each denial once,
    # with the rule that would allow it; at most 64.
    def denied
      _denied
    end

    # The guest's memory.
    def memory
      Memory.new(self)
    end

    # Makes the guest anew, as it was after its first initialisation; a dead instance lives again.
    def reset(timeout: nil)
      _reset(Seconds.of(timeout))
    end

    # Lets the guest's background goroutines run, which otherwise run only during calls.
    def poll(timeout: nil)
      _poll(Seconds.of(timeout))
    end

    # Takes what the guest wrote to a captured standard output, a String of bytes.
    def take_stdout
      _take_stdout
    end

    # Takes what the guest wrote to a captured standard error.
    def take_stderr
      _take_stderr
    end

    def inspect
      "#<Undergo::Instance #{plugin.name}#{', ended' unless alive?}>"
    end
  end
end
