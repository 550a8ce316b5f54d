# frozen_string_literal: true

module Undergo
  # A compiled plugin: load it once and instantiate it as often as needed, from any thread.
  class Plugin
    # The library's, and the table of its exports.
    attr_reader :core, :table

    class << self
      # Compiles a file, or takes its code from the cache.
      #
      # - types: a module with classes for the plugin's records, such as `undergo bindgen`
      #   generates.
      # - compile: :tiered (a quick compiler first, a better one in the background), :fast, or
      #   :best, for which loading waits.
      # - cache: nil or true for the user's cache folder, false for none, or a path.
      # - bounds: how many times as much as usual the module may ask of the compilers. A compilation
      #   can't be stopped, so a module that asks for more is refused.
      # - timeout: seconds that it may take. A compilation that has begun goes on in the background,
      #   within the bounds.
      # - cancel: a CancelToken that can end it earlier.
      # - compiler: the path of an `undergo` program of this version, which compiles in a separate
      #   process with limited time and memory: for modules that you don't trust.
      # - optimize: whether Go's code is rewritten with structured control flow before it is
      #   compiled, which makes it faster.
      def load(path, types: nil, compile: :tiered, cache: nil, **loading)
        from(types) { UndergoCore::Plugin.from_file(path.to_s, tiers(compile), folder(cache), loading(**loading)) }
      end

      # Compiles a module, a String of bytes. The name becomes its os.Args[0]. The rest is as for
      # load.
      def compile(bytes, name: "plugin", types: nil, compile: :tiered, cache: nil, **loading)
        from(types) { UndergoCore::Plugin.from_bytes(name, bytes.b, tiers(compile), folder(cache), loading(**loading)) }
      end

      # Loads a plugin that `undergo compile` has compiled: native code, which runs outside the
      # sandbox. `trusted: true` confirms that the file comes from there and that nobody has changed
      # it.
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

    # Creates an instance.
    #
    # - imports: the functions that the plugin needs, by interface and name:
    #   `{ directory: { lookup: ->(name) { [] } } }`. An object may take the place of the inner
    #   Hash.
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

    # Creates a pool of at most `size` instances, `warm` of which are created at once. A block gets
    # the pool, which is closed at the block's end.
    #
    # - max_calls: calls after which an instance is replaced.
    # - idle: seconds after which an unused instance is dropped.
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

    # Runs a command to completion, and returns a Completed with its exit code and output. Any exit
    # code is a result, not an error. Other threads go on meanwhile, and Ctrl-C ends it, as an
    # Interrupt.
    #
    # - args: os.Args after the program's name. `args`, `env` and `stdin` replace the sandbox's own.
    # - env: a Hash of its environment variables.
    # - stdin: its standard input, as for Sandbox.
    # - imports: as for instantiate, for a command that needs functions of the host.
    # - sandbox: what else it may reach. Its output is captured, up to the sandbox's capture_limit,
    #   unless the sandbox says where it goes.
    # - limits: what the whole run may use.
    # - timeout: seconds that it may take, instead of the limits' timeout.
    # - cancel: a CancelToken that can end it earlier, from any thread.
    def run(args: nil, env: nil, stdin: nil, imports: nil, sandbox: nil, limits: nil, timeout: nil, cancel: nil)
      raise TypeMismatchError, "cancel is #{cancel.inspect}; give a CancelToken" unless cancel.nil? || cancel.is_a?(CancelToken)

      functions = Imports.new(self, imports)
      owner = Owner.new
      # A command can't be re-entered, but a function for its output may run another command.
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

    # Waits until nothing of it is being compiled in the background; new instances then have the
    # best code.
    def wait_compiled
      Errors.mapped { @core.wait_compiled }
      nil
    end

    # The name that it was loaded with: the file's.
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

    # Its interface, as WIT; nil for a bare module.
    def interface
      @core.wit
    end

    # The version of Go that built it, if the module says so.
    def go_version
      @core.go_version
    end

    # Warnings about loading it, as sentences.
    def diagnostics
      @core.diagnostics
    end

    # A module with a Struct for each record, and one with the cases of each enum:
    # `plugin.types::Person.new(name: "Ada", tags: [])`.
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
