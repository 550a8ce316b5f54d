# frozen_string_literal: true

module Undergo
  # A guest's memory.
  class Memory
    def initialize(instance)
      @instance = instance
    end

    # Reads bytes. Raises TypeMismatchError if they are not within the memory.
    def read(address, length)
      @instance.read_memory(*Memory.place(address, length))
    end

    # Writes bytes.
    def write(address, bytes)
      @instance.write_memory(Memory.place(address, bytes.bytesize).first, bytes)
    end

    # Its size in bytes, which never shrinks.
    def size
      @instance.memory_size
    end
    alias length size

    # Impossible addresses get the library's error.
    def self.place(address, length)
      fits = [address, length].all? { |number| number.is_a?(Integer) && number.between?(0, (1 << 32) - 1) }
      raise TypeMismatchError, "#{length.inspect} bytes at address #{address.inspect} lie outside any guest's memory" unless fits

      [address, length]
    end
  end
end
