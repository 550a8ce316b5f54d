# frozen_string_literal: true

require "json"
require "minitest/autorun"
require "timeout"
require "undergo"

# What the tests share: the plugins, and the module `host` of the conformance guest.
module Helper
  ROOT = File.expand_path("../..", __dir__)

  def self.built(variable, name)
    path = ENV[variable] || File.join(ROOT, "build", name)
    File.file?(path) ? path : raise("#{path} is not there: 'make guest' builds it, or set #{variable}")
  end

  # The plugin of the conformance list, as a file, and loaded.
  GUEST_FILE = built("UNDERGO_CONFORMANCE_WASM", "conformance.wasm")
  GUEST = Undergo::Plugin.load(GUEST_FILE)
  QUIET = { stdout: :discard, stderr: :discard }.freeze

  # The same as a component.
  def self.component
    @component ||= Undergo::Plugin.load(built("UNDERGO_CONFORMANCE_COMPONENT_WASM", "conformance-component.wasm"))
  end

  def self.command
    @command ||= Undergo::Plugin.load(built("UNDERGO_COMMAND_WASM", "command.wasm"))
  end

  def self.hostile
    @hostile ||= Undergo::Plugin.load(built("UNDERGO_HOSTILE_WASM", "hostile.wasm"))
  end

  # The object `store`; see conformance/README.md.
  class Store
    def initialize(texts = {})
      @texts = texts
    end

    def get(key)
      @texts.fetch(key) { raise KeyError, "no such key: #{key}" }
    end

    def put(key, value)
      @texts[key] = value
      nil
    end

    def size
      @texts.size
    end

    def child(name)
      Store.new({ "name" => name })
    end
  end

  # The functions of the module `host`; see conformance/README.md.
  class Host
    attr_accessor :instance
    attr_reader :store

    def initialize
      @notes = []
      @store = Store.new
    end

    %i[string bytes int strings floats person maybe color counts time duration json raw shape].each do |what|
      define_method(:"echo_#{what}") { |value| value }
    end

    def many(*args)
      args.map { |arg| arg.is_a?(Float) && arg == arg.to_i ? arg.to_i : arg }
      [args.first(7).map(&:to_s).join(" "), *args.drop(7)].join("|")
    end

    def bundle(*args)
      args
    end

    def divmod(left, right)
      left.divmod(right)
    end

    def note(text)
      @notes << text
      nil
    end

    def notes
      @notes.tap { @notes = [] }
    end

    def fail(message)
      raise ArgumentError, message
    end

    def check(message)
      raise ArgumentError, message unless message.empty?
    end

    def crash(message)
      raise ArgumentError, message
    end

    def wrong_type
      "not a number"
    end

    def wrong_result
      "not a list"
    end

    def lookup(key)
      return "" if key.empty?

      begin
        raise @instance.plugin.types::NotFound.new("not found: #{key}", key: key, code: 404)
      rescue Undergo::GuestError
        raise ArgumentError, "looking up: not found: #{key}"
      end
    end

    def open_store(name)
      raise ArgumentError, "no name" if name.empty?

      Store.new({ "name" => name })
    end

    def reenter(depth)
      @instance.reenter(depth - 1) + 1
    end
  end

  # Makes an instance of the conformance guest, whose host functions may be replaced.
  def start(host = Host.new, plugin: GUEST, sandbox: QUIET, limits: nil, **functions)
    host = overridden(host, functions)
    host.instance = plugin.instantiate(imports: { host: host }, sandbox: sandbox, limits: limits)
  end

  # Makes a pool of it.
  def start_pool(size, host = Host.new, sandbox: QUIET, **options)
    functions, options = options.partition { |_, given| given.is_a?(Proc) }.map(&:to_h)
    GUEST.pool(size: size, imports: { host: overridden(host, functions) }, sandbox: sandbox, **options)
  end

  def overridden(host, functions)
    functions.each { |name, function| host.define_singleton_method(name, &function) }
    host
  end

  def seconds
    began = Process.clock_gettime(Process::CLOCK_MONOTONIC)
    yield
    Process.clock_gettime(Process::CLOCK_MONOTONIC) - began
  end

  # Waits until the block is true; nothing but a test that fails takes long.
  def eventually(most = 30)
    give_up = Process.clock_gettime(Process::CLOCK_MONOTONIC) + most
    until yield
      raise "this has not come to be in #{most} seconds" if Process.clock_gettime(Process::CLOCK_MONOTONIC) > give_up

      Thread.pass
    end
  end
end
