# frozen_string_literal: true

module Undergo
  # A compiled plugin: load it once and instantiate it as often as needed, from any thread.
  class Plugin
    # The table of its exports.
    attr_reader :table

    class << self
      # Compiles a file, or takes its code from the cache.
      #
      # - types: a module with classes for the plugin's records, errors and variants, such as
      #   `undergo bindgen` generates.
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
        _load(path.to_s, [tiers(compile), folder(cache), *loading(**loading)]).prepare(types)
      end

      # Compiles a module, a String of bytes. The name becomes its os.Args[0]. The rest is as for
      # load.
      def compile(bytes, name: "plugin", types: nil, compile: :tiered, cache: nil, **loading)
        _compile(name, bytes, [tiers(compile), folder(cache), *loading(**loading)]).prepare(types)
      end

      # Loads a plugin that `undergo compile` has compiled: native code, which runs outside the
      # sandbox. `trusted: true` confirms that the file comes from there and that nobody has changed
      # it.
      def load_compiled(path, trusted:, types: nil)
        raise ArgumentError, "a compiled plugin is native code: give trusted: true if you trust whoever made #{path}" unless trusted == true

        _load_trusted(path.to_s).prepare(types)
      end

      private

      def tiers(name)
        known = name.to_sym
        %i[tiered fast best].include?(known) ? known : raise(ArgumentError, "compile is #{name.inspect}; it must be :tiered, :fast or :best")
      end

      def loading(bounds: 1, timeout: nil, cancel: nil, compiler: nil, optimize: true)
        raise ArgumentError, "bounds is #{bounds.inspect}; write a whole number of at least 1" unless bounds.is_a?(Integer) && bounds.between?(1, 0xffff_ffff)
        raise TypeMismatchError, "cancel is #{cancel.inspect}; give a CancelToken" unless cancel.nil? || cancel.is_a?(CancelToken)

        raise ArgumentError, "optimize is #{optimize.inspect}; it must be true or false" unless [true, false].include?(optimize)

        [bounds, Seconds.of(timeout), cancel, compiler&.to_s, optimize]
      end

      def folder(cache)
        case cache
        when nil, true then nil
        when false then ""
        else cache.to_s
        end
      end
    end
    private_class_method :_load, :_compile, :_load_trusted

    # Makes its table, its types, and the methods of its instances and pools.
    def prepare(types) # :nodoc:
      @table = Table.new(_exports)
      @types = Types.new(_types, types) do |number, given|
        given.is_a?(Class) ? _give_class(number, given) : _give_cases(number, given)
      end.namespace
      _resources.each { |number, *described| _give_resource(number, Types.resource(@types, types, *described)) }
      @instance_methods = _instance_methods(Instance)
      @pool_methods = _pool_methods(Pool)
      self
    end

    # The methods of its instances.
    attr_reader :instance_methods # :nodoc:

    # Creates an instance.
    #
    # - imports: the functions that the plugin needs, by interface and name:
    #   `{ directory: { lookup: ->(name) { [] } } }`. An object may take the place of the inner
    #   Hash, and so may another Instance, whose exports are then called straight from this one's
    #   guest.
    # - sandbox: a Sandbox, or a Hash of its arguments.
    # - limits: Limits, or a Hash of their arguments.
    def instantiate(imports: nil, sandbox: nil, limits: nil)
      _instantiate(*parts(imports, Sandbox.of(sandbox), limits)).extend(@instance_methods)
    end

    # Creates a pool of at most `size` instances, `warm` of which are created at once. A block gets
    # the pool, which is closed at the block's end.
    #
    # - max_calls: calls after which an instance is replaced.
    # - idle: seconds after which an unused instance is dropped.
    def pool(size:, imports: nil, sandbox: nil, limits: nil, max_calls: nil, idle: nil, warm: 0)
      { size: size, warm: warm, max_calls: max_calls }.compact.each do |name, given|
        raise ArgumentError, "#{name} is #{given.inspect}; write a number that is not negative" unless given.is_a?(Integer) && given.between?(0, (1 << 63) - 1)
      end
      pool = _pool(parts(imports, Sandbox.of(sandbox), limits), size, max_calls, Seconds.of(idle, "idle")).extend(@pool_methods)
      pool.warm_up(warm) if warm.positive?
      return pool unless block_given?

      begin
        yield pool
      ensure
        pool.close
      end
    end

    # Serves HTTP/1.1 by a component that exports wasi:http/incoming-handler, and returns the
    # Server. With a block, it is closed at the block's end, and the block's result is returned.
    # Each request is answered by an instance of a pool, which keeps its state for the next one.
    #
    # - address: where to listen; port 0 is one that the system chooses.
    # - instances: the maximum number of instances, each of which answers one request at a time;
    #   nil: four for each processor.
    # - imports: as for instantiate; the functions run on threads of their own, several at once.
    # - sandbox, limits: as for instantiate. The timeout of the limits is that of a request, 30
    #   seconds if there is none.
    # - max_calls: requests after which an instance is replaced; 1 gives each one a fresh instance.
    # - idle: seconds after which an unused instance is dropped.
    # - queue: how many requests may wait for an instance; others are refused with status 503.
    # - connections: how many connections there may be at a time.
    # - body: the most bytes of a request's body, or a text such as "1MiB"; a longer one is refused
    #   with status 413.
    # - on_error: what responds to `call`, which gets the exception of each request that has failed.
    #   By default it is written to $stderr.
    def serve(address = "127.0.0.1:8080", instances: nil, imports: nil, sandbox: nil, limits: nil, max_calls: nil, idle: nil, queue: nil, connections: nil,
              body: nil, on_error: nil)
      { instances: [instances, 1], max_calls: [max_calls, 1], queue: [queue, 0], connections: [connections, 1] }.each do |name, (given, least)|
        next if given.nil? || (given.is_a?(Integer) && given.between?(least, (1 << 63) - 1))

        raise ArgumentError, "#{name} is #{given.inspect}; write an Integer of at least #{least}"
      end
      raise ArgumentError, "on_error is #{on_error.inspect}; it must respond to call" unless on_error.nil? || on_error.respond_to?(:call)

      numbers = [instances, queue, connections, Size.of(body, "body")]
      server = _serve(parts(imports, Sandbox.of(sandbox), limits), address, numbers, max_calls, Seconds.of(idle, "idle")).prepare(on_error)
      return server unless block_given?

      begin
        yield server
      ensure
        server.close
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

      sandbox = Sandbox.of(sandbox, **{ args: args, env: env, stdin: stdin }.compact)
      code, stdout, stderr, truncated, usage, denied = _run(parts(imports, sandbox, limits), Seconds.of(timeout), cancel)
      Completed.new(code, stdout, stderr, truncated, Usage.new(*usage), denied)
    end

    # Waits until nothing of it is being compiled in the background; new instances then have the
    # best code.
    def wait_compiled
      _wait_compiled
    end

    # The name that it was loaded with: the file's.
    def name
      _name
    end

    # :reactor, :command or :component.
    def kind
      _kind.to_sym
    end

    # Which code the next instance will have: :fast or :best.
    def tier
      _tier.to_sym
    end

    # Its interface, as WIT; nil for a bare module.
    def interface
      _interface
    end

    # The version of Go that built it, if the module says so.
    def go_version
      _go_version
    end

    # Warnings about loading it, as sentences.
    def diagnostics
      _diagnostics
    end

    # A module with a Struct for each record, a class for each error with fields, and a module with
    # the cases of each enum and variant: `plugin.types::Person.new(name: "Ada", tags: [])`.
    attr_reader :types

    # The signatures of its exports, by their names in Ruby.
    def exports
      @table.rows.to_h { |row| [row.name, row.signature] }
    end

    # The signatures of what it imports, by interface and name in WIT.
    def imports
      _imports.each_with_object({}) do |(interface, name, signature), found|
        (found[interface] ||= {})[name] = signature
      end
    end

    # Fails with similar names.
    def unknown(name) # :nodoc:
      check_export(name.to_s.tr("_", "-"))
      raise UnknownExportError, "there is no export #{name}"
    end

    def inspect
      "#<Undergo::Plugin #{name}>"
    end

    private

    # What instances are made from, as the library expects it.
    def parts(imports, sandbox, limits)
      [Imports.new(self, imports).functions, sandbox.parts, Limits.of(limits).parts]
    end
  end
end
