# frozen_string_literal: true

# Services under standard names: what a host switches on for plugins that import them. Each method
# gives imports, to be merged with others.
module Undergo
  # Stores of keys and values, for plugins that import wasi:keyvalue: see Undergo.keyvalue.
  class KeyValue
    # The value of a key of a store, as a String of bytes; nil if there is none.
    def get(store, key)
      _get(store, key)
    end

    # Sets the value of a key of a store.
    def set(store, key, value)
      _set(store, key, value)
      self
    end

    private_class_method :_make, :new, :allocate
  end

  # A configuration.
  class Configuration
    def initialize(values)
      @values = values
    end

    def get(key)
      @values[key] || @values[key.to_sym]
    end

    def get_all
      @values.map { |key, value| [key.to_s, value] }
    end
  end
  private_constant :Configuration

  # A logger.
  class PluginLog
    LEVELS = { trace: 0, debug: 0, info: 1, warn: 2, error: 3, critical: 4 }.freeze
    # What would change the terminal, or begin another line.
    UNPLAIN = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/
    LONGEST = 64 << 10
    private_constant :LEVELS, :UNPLAIN, :LONGEST

    def initialize(logger)
      @logger = logger
    end

    def log(level, context, message)
      line = context.empty? ? plain(message) : "#{plain(context)}: #{plain(message)}"
      @logger.add(LEVELS.fetch(level.to_sym, 1), line)
      nil
    end

    private

    def plain(text)
      text = "#{text[0, LONGEST]}… (#{text.length - LONGEST} more characters)" if text.length > LONGEST
      text.gsub(UNPLAIN) { |found| format("\\u{%x}", found.ord) }
    end
  end
  private_constant :PluginLog

  # Imports for plugins that keep keys and values: wasi:keyvalue/store, /batch and /atomics.
  # Instances that get the same ones have the same stores.
  #
  # - redis: where they are: "redis://[user:password@]host[:port][/database]"; nil for this
  #   process's memory.
  # - stores: the names of the stores that a plugin can open.
  # - entries: how many keys there may be in memory, in all stores together.
  # - bytes: how many bytes these and their values may have, and an answer of Redis.
  def self.keyvalue(redis: nil, stores: ["default"], entries: 100_000, bytes: "64 MiB")
    found = KeyValue.__send__(:_make, redis, stores.map(&:to_s), entries, Size.of(bytes, "bytes"))
    { "wasi:keyvalue/store" => found, "wasi:keyvalue/batch" => found, "wasi:keyvalue/atomics" => found }
  end

  # Imports for plugins that read a configuration: wasi:config/store, once called /runtime.
  def self.config(values)
    found = Configuration.new(values)
    { "wasi:config/store" => found, "wasi:config/runtime" => found }
  end

  # Imports for plugins that log, to a Logger: wasi:logging/logging. Control characters, and those
  # that begin a line, are escaped, and of a longer text 64 Ki characters are logged.
  def self.logging(logger)
    { "wasi:logging/logging" => PluginLog.new(logger) }
  end
end
