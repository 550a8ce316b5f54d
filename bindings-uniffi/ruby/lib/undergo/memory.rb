# frozen_string_literal: true

module Undergo
  # A guest's memory.
  class Memory
    def initialize(instance)
      @instance = instance
    end

    # Reads bytes. Those that do not lie within the memory are a TypeMismatchError.
    def read(address, length)
      @instance.turns { |turns, core| turns.read_memory(core, *Memory.place(address, length)) }
    end

    # Writes bytes.
    def write(address, bytes)
      place = Memory.place(address, bytes.bytesize).first
      @instance.turns { |turns, core| turns.write_memory(core, place, bytes.b) }
      nil
    end

    # Bytes of it now. It never shrinks.
    def size
      Wire.unpack(@instance.turns { |turns, core| turns.memory_size(core) }, nil)
    end
    alias length size

    # What no guest can have is told as the library would.
    def self.place(address, length)
      fits = [address, length].all? { |number| number.is_a?(Integer) && number.between?(0, (1 << 32) - 1) }
      raise TypeMismatchError, "#{length.inspect} bytes at address #{address.inspect} lie outside any guest's memory" unless fits

      [address, length]
    end
  end
end
