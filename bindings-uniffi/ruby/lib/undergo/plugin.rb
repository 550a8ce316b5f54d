# frozen_string_literal: true

module Undergo
  # A compiled plugin: load once, instantiate as often as needed, from any thread.
  class Plugin
    # The library's, and the table of its exports.
    attr_reader :core, :table

    class << self
      # Compiles a file, or finds its code in the cache.
      #
      # - types: a module with classes for the plugin's records, such as `undergo bindgen` writes.
      # - compile: :tiered (a quick compiler first, a better one meanwhile in the background), :fast, or :best, which loading waits for.
      # - cache: nil or true for the user's own folder, false for none, or a path.
      # - bounds: how many times as much as usual the module may ask of the compilers: no compilation can be stopped, so what asks for more is refused.
      # - timeout: seconds that it may take; behind it a compilation goes on, within the bounds.
      # - cancel: a CancelToken that can end it before that.
      # - compiler: the path of the program `undergo`, of this version, that compiles in a process of its own, whose time and memory are limited: for modules of
      #   strangers.
      # - optimize: whether the jumps of Go's code are written as nested blocks and loops before it is compiled, which makes it faster.
      def load(path, types: nil, compile: :tiered, cache: nil, **loading)
        from(types) { UndergoCore::Plugin.from_file(path.to_s, tiers(compile), folder(cache), loading(**loading)) }
      end

      # Compiles a module, a String of bytes. The name is what its os.Args[0] will be. The rest is as of load.
      def compile(bytes, name: "plugin", types: nil, compile: :tiered, cache: nil, **loading)
        from(types) { UndergoCore::Plugin.from_bytes(name, bytes.b, tiers(compile), folder(cache), loading(**loading)) }
      end

      # Loads what `undergo compile` made: native code, which is run as it is, outside the sandbox. `trusted: true` says that the file comes from there through hands
      # that you trust.
      def load_compiled(path, trusted:, types: nil)
        raise ArgumentError, "a compiled plugin is native code: give trusted: true if you trust whoever made #{path}" unless trusted == true

        from(types) { UndergoCore::Plugin.load_trusted(path.to_s) }
      end

      private

      def from(types, &load)
        new(Errors.mapped(&load), types)
      end

      def tiers(name)
        known = { tiered: UndergoCore::Compile::TIERED, fast: UndergoCore::Compile::FAST, best: UndergoCore::Compile::BEST }
        known.fetch(name.to_sym) { raise ArgumentError, "compile is #{name.inspect}; it must be :tiered, :fast or :best" }
      end

      def loading(bounds: 1, timeout: nil, cancel: nil, compiler: nil, optimize: true)
        raise ArgumentError, "bounds is #{bounds.inspect}; write a whole number of at least 1" unless bounds.is_a?(Integer) && bounds.between?(1, 0xffff_ffff)
        raise TypeMismatchError, "cancel is #{cancel.inspect}; give a CancelToken" unless cancel.nil? || cancel.is_a?(CancelToken)

        raise ArgumentError, "optimize is #{optimize.inspect}; it must be true or false" unless [true, false].include?(optimize)

        apart = { compiler: compiler&.to_s, optimize: optimize }
        UndergoCore::Loading.new(bounds: bounds, timeout: Seconds.of(timeout), cancel: cancel&.core, **apart)
      end

      def folder(cache)
        case cache
        when nil, true then UndergoCore::Cache::USER.new
        when false then UndergoCore::Cache::OFF.new
        else UndergoCore::Cache::FOLDER.new(path: cache.to_s)
        end
      end
    end
    private_class_method :new

    def initialize(core, types)
      @core = core
      @table = Table.new(core.exports)
      @records = Types.new(core.types, types)
    end

    # Makes an instance.
    #
    # - imports: the functions that the plugin wants, by interface and name: `{ directory: { lookup: ->(name) { [] } } }`; an object will do for the inner Hash.
    # - sandbox: a Sandbox, or a Hash of its arguments.
    # - limits: Limits, or a Hash of their arguments.
    def instantiate(imports: nil, sandbox: nil, limits: nil)
      functions = Imports.new(self, imports)
      owner = Owner.new
      sandbox = Sandbox.of(sandbox).core(owner)
      limits = Limits.of(limits).core
      made = Turns.run(nil, functions, @records) { |turns| turns.instantiate(@core, functions.core, sandbox, limits) }
      owner.owner = Instance.new(self, made, functions)
    end

    # Makes a pool of at most `size` instances, none of which is made yet but the first `warm`. With a block, gives it the pool, and closes that at its end.
    #
    # - max_calls: calls after which an instance is replaced.
    # - idle: seconds after which an instance that nobody called is dropped.
    def pool(size:, imports: nil, sandbox: nil, limits: nil, max_calls: nil, idle: nil, warm: 0)
      functions = Imports.new(self, imports)
      owner = Owner.new
      { size: size, warm: warm, max_calls: max_calls }.compact.each do |name, given|
        raise ArgumentError, "#{name} is #{given.inspect}; write a number that is not negative" unless given.is_a?(Integer) && given.between?(0, (1 << 63) - 1)
      end
      core = Errors.mapped do
        @core.async_pool(size, functions.core, Sandbox.of(sandbox).core(owner), Limits.of(limits).core, max_calls, Seconds.of(idle, "idle"))
      end
      pool = owner.owner = Pool.new(self, core, functions)
      pool.warm_up(warm) if warm.positive?
      return pool unless block_given?

      begin
        yield pool
      ensure
        pool.close
      end
    end

    # Runs a command from its beginning to its end, and gives a Completed: its exit code, which is a result whichever it is, and what it printed. Other threads go on
    # meanwhile, and Ctrl-C ends it, as an Interrupt.
    #
    # - args: os.Args behind the program's name. This, `env` and `stdin` are in place of the sandbox's own, where they are given.
    # - env: a Hash of its environment variables.
    # - stdin: what it reads from its standard input, as of Sandbox.
    # - imports: as of instantiate, for a command that needs functions of the host.
    # - sandbox: what else it may reach. What it prints is captured, up to the sandbox's capture_limit, unless the sandbox says where it goes.
    # - limits: what the whole run may use.
    # - timeout: seconds that it may take, in place of the limits'.
    # - cancel: a CancelToken that can end it before that, from any thread.
    def run(args: nil, env: nil, stdin: nil, imports: nil, sandbox: nil, limits: nil, timeout: nil, cancel: nil)
      raise TypeMismatchError, "cancel is #{cancel.inspect}; give a CancelToken" unless cancel.nil? || cancel.is_a?(CancelToken)

      functions = Imports.new(self, imports)
      owner = Owner.new
      # Nobody can call it, but a function of its output that runs another command is not to be taken for one that does.
      owner.owner = owner
      sandbox = Sandbox.of(sandbox, **{ args: args, env: env, stdin: stdin }.compact).core(owner)
      limits = Limits.of(limits).core
      seconds = Seconds.of(timeout)
      done = Turns.run(nil, functions, @records) do |turns|
        turns.run_command(@core, functions.core, sandbox, limits, seconds, cancel&.core)
      end
      usage = Usage.new(done.usage.time, done.usage.memory, done.usage.fuel)
      Completed.new(done.code, done.stdout, done.stderr, done.truncated, usage, done.denied)
    end

    # Waits until nothing of it is being compiled in the background, so that new instances have the best code.
    def wait_compiled
      Errors.mapped { @core.wait_compiled }
      nil
    end

    # The name that it was given: the file's.
    def name
      @core.name
    end

    # :reactor, :command or :component.
    def kind
      @core.kind.to_sym
    end

    # Which code the next instance will have: :fast or :best.
    def tier
      Errors.mapped { @core.tier }.to_sym
    end

    # The interface that it carries, as WIT; nil for a bare module.
    def interface
      @core.wit
    end

    # The version of Go that built it, where the module says so.
    def go_version
      @core.go_version
    end

    # What went wrong when it was loaded and did no harm, as sentences.
    def diagnostics
      @core.diagnostics
    end

    # A module with a Struct for each record, and one with the cases of each enum: `plugin.types::Person.new(name: "Ada", tags: [])`.
    def types
      @records.namespace
    end

    # The signatures of its exports, by their names in Ruby.
    def exports
      @table.rows.to_h { |row| [row.name, row.signature] }
    end

    # The signatures of what it imports, by interface and name in WIT.
    def imports
      @core.imports.each_with_object({}) do |import, found|
        (found[import.interface] ||= {})[import.function.name] = import.function.signature
      end
    end

    # The types of its records, for values.
    def records # :nodoc:
      @records
    end

    def inspect
      "#<Undergo::Plugin #{name}>"
    end
  end

  # Whose an output is, which is known when it is made.
  class Owner
    attr_accessor :owner
  end
  private_constant :Owner
end
