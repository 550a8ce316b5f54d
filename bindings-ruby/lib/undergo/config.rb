# frozen_string_literal: true

module Undergo
  # Reads sizes, which are Integers of bytes, or texts such as "64 MiB", "1.5 GB" or "64M".
  module Size
    # The bytes; nil for nil.
    def self.of(given, name)
      return nil if given.nil?

      Undergo.__send__(:_parse_size, given.is_a?(Integer) || given.is_a?(String) ? given.to_s : given.inspect, name)
    end
  end

  # Reads numbers of seconds.
  module Seconds
    # A Float; nil for nil.
    def self.of(given, name = "timeout")
      return nil if given.nil?

      seconds = given.is_a?(Numeric) && given.real? ? given.to_f : Float::NAN
      return seconds if seconds >= 0

      raise ArgumentError, "#{name} is #{given.inspect}; write a number of seconds that is not negative"
    end
  end

  # A directory of the host that the guest gets, for reading and writing or for reading only.
  class Dir
    # Its path on the host.
    attr_reader :path
    # Whether the guest may only read.
    attr_reader :readonly

    def initialize(path, readonly: false)
      @path = path.to_s
      @readonly = readonly ? true : false
      freeze
    end
  end

  # What an instance may reach: by default, only the standard output and error of this process.
  #
  # - args: os.Args after the program's name, which is always there.
  # - env: a Hash of environment variables; nothing is taken from this process's own environment.
  # - dirs: a Hash of directories of the host, by the path at which the guest sees them: a Dir, or a
  #   path, which is readable and writable. They are opened once, when an instance, a pool or a run
  #   is created. If none is given at "/", the guest sees an empty root that it can only read.
  # - temp: whether the guest gets a private, empty folder at "/tmp". It is created with the
  #   instance, in the host's place for temporary files, and removed when the instance is reset or
  #   freed. Only the host's disk limits what the guest writes there.
  # - stdin: the guest's standard input: a String is its content; a Pathname is a file or a FIFO,
  #   which each instance reads from its beginning; :inherit is the standard input of this process.
  # - stdout, stderr: :inherit, :discard, :capture, or what responds to `call`, which gets each line
  #   as a String without its newline; nil is :inherit for an instance, and :capture for a command
  #   that is run. Instance#take_stdout returns captured output. The function is called on the
  #   thread of the call. What it raises ends the call and the instance, and reaches the caller. It
  #   can't call the instance whose output it gets.
  # - capture_limit: bytes of a captured stream that are kept; the rest is dropped.
  # - clock: for repeatable runs: the guest's clock starts at this Time, from 1970 on, anew for each
  #   instance and each run. It advances by a microsecond whenever the guest reads it, and to the
  #   end of a wait such as `time.Sleep`, which takes no time. Timeouts, and the times of files,
  #   follow the host's clock.
  # - seed: for repeatable runs: all random numbers of the guest follow from this, including those
  #   of crypto/rand and the order of maps. Never use it where keys are made.
  # - network: what it may reach over the network: a rule such as "example.org:443" or
  #   "listen=127.0.0.1:8080", or an Array of them; docs/network.md has all forms.
  # - listeners: an address such as "127.0.0.1:8080" at which the host listens for the guest, which
  #   needs no rule to accept there, or an Array of them. Their descriptors are the first ones after
  #   those of the directories, from 3 on. They are opened for each instance, each run and each
  #   pool, whose instances share them, and closed with it.
  class Sandbox
    OPTIONS = %i[args env dirs temp stdin stdout stderr capture_limit clock seed network listeners].freeze
    private_constant :OPTIONS

    attr_reader :args, :env, :dirs, :temp, :stdin, :stdout, :stderr, :capture_limit, :clock, :seed, :network, :listeners

    def initialize(args: [], env: {}, dirs: {}, temp: false, stdin: "", stdout: nil, stderr: nil, capture_limit: 1 << 20, clock: nil, seed: nil, network: [],
                   listeners: [])
      @args = args.map(&:to_s)
      @env = env.to_h { |name, value| [name.to_s, value.to_s] }
      @dirs = dirs.to_h { |guest, given| [guest.to_s, given.is_a?(Dir) ? given : Dir.new(given)] }
      @temp = temp
      @stdin = stdin
      @stdout = stdout
      @stderr = stderr
      @capture_limit = Size.of(capture_limit, "capture_limit")
      @clock = clock
      @seed = seed
      @network = texts(network, "network")
      @listeners = texts(listeners, "listeners")
      check
      freeze
    end

    # Reads what may be a Hash of the same. `own` replaces some of it, for one run of a command.
    def self.of(given, **own)
      return new(**(given || {}), **own) unless given.is_a?(Sandbox)

      own.empty? ? given : new(**OPTIONS.to_h { |name| [name, given.public_send(name)] }, **own)
    end

    # As the library expects it.
    def parts # :nodoc:
      dirs = @dirs.map { |guest, dir| [guest, dir.path, dir.readonly] }
      clock = @clock && [@clock.to_i, @clock.nsec]
      [@args, @env.sort, dirs, @temp, input, @stdout, @stderr, @capture_limit, clock, @seed, @network, listening]
    end

    private

    def texts(given, name)
      all = given.is_a?(String) ? [given] : given
      return all.map { |one| one.dup.freeze }.freeze if all.is_a?(Array) && all.all?(String)

      raise ArgumentError, "#{name} is #{given.inspect}; write a String, or an Array of them"
    end

    def check
      { stdout: @stdout, stderr: @stderr }.each do |name, given|
        next if [nil, :inherit, :discard, :capture].include?(given) || given.respond_to?(:call)

        raise ArgumentError, "#{name} is #{given.inspect}; it must be :inherit, :discard, :capture, or respond to call"
      end
      raise ArgumentError, "clock is #{@clock.inspect}; give a Time from 1970 on" unless @clock.nil? || (@clock.is_a?(Time) && @clock >= Time.at(0))
      raise ArgumentError, "seed is #{@seed.inspect}; write an Integer of at most 64 bits" unless @seed.nil? || (@seed.is_a?(Integer) && @seed.between?(0, (1 << 64) - 1))
      raise ArgumentError, "temp is #{@temp.inspect}; write true or false" unless [true, false].include?(@temp)
      return if @stdin == :inherit || @stdin.is_a?(String) || @stdin.respond_to?(:to_path)

      raise ArgumentError, "stdin is #{@stdin.inspect}; give content as a String, a file as a Pathname, or :inherit"
    end

    def input
      return [:inherit, nil] if @stdin == :inherit

      @stdin.is_a?(String) ? [:content, @stdin] : [:file, @stdin.to_path]
    end

    def listening
      @listeners.each do |address|
        next unless address.end_with?(":0")

        raise TypeMismatchError, "a listener at '#{address}' has a port that nobody would know; write one that is free"
      end
    end
  end

  # What an instance may use. By default the only limits are those of WebAssembly (4 GiB of memory)
  # and of one value. Sizes are bytes, or texts such as "64MiB".
  #
  # - memory: guest memory.
  # - timeout: seconds that a call, or the initialisation, may take: computing, sleeping, host
  #   functions and waiting for the instance.
  # - value: bytes that Ruby may need for one value from the guest, as objects, 1 GiB by default.
  # - output: bytes that the guest may write to each of its two outputs over its life; the rest is
  #   dropped, which is not an error for the guest.
  # - table: elements of all tables of the guest together, 4,194,304 by default.
  # - stack: guest stack of one call, from 64 KiB to 512 MiB, rounded up to a power of two; 4 MiB by
  #   default.
  # - fuel: how much each call, and the initialisation, may compute, in units of about one
  #   WebAssembly instruction. It costs about a tenth of the speed.
  # - descriptors: descriptors of this process that the guest may hold at once, 128 by default:
  #   files, directories, sockets, accepted connections, and pipes.
  # - handles: handles that the guest may have at once of its own objects and of the program's,
  #   10,000 by default: objects, functions, iterators and streams.
  class Limits
    attr_reader :memory, :timeout, :value, :output, :table, :stack, :fuel, :descriptors, :handles

    def initialize(memory: nil, timeout: nil, value: nil, output: nil, table: nil, stack: nil, fuel: nil, descriptors: nil, handles: nil)
      @memory = Size.of(memory, "memory")
      @timeout = Seconds.of(timeout)
      @value = Size.of(value, "value")
      @output = Size.of(output, "output")
      @stack = Size.of(stack, "stack")
      @table = table
      @fuel = fuel
      @descriptors = descriptors
      @handles = handles
      check
      freeze
    end

    # Reads what may be a Hash of the same.
    def self.of(given)
      given.is_a?(Limits) ? given : new(**(given || {}))
    end

    # As the library expects it.
    def parts # :nodoc:
      [@memory, @timeout, @value, @output, @table, @stack, @fuel, @descriptors, @handles]
    end

    private

    def check
      raise ArgumentError, "fuel is #{@fuel.inspect}; write a positive Integer" unless @fuel.nil? || (@fuel.is_a?(Integer) && @fuel.between?(1, (1 << 63) - 1))
      { "table" => @table, "descriptors" => @descriptors, "handles" => @handles }.each do |name, given|
        next if given.nil? || (given.is_a?(Integer) && given.between?(0, (1 << 32) - 1))

        raise ArgumentError, "#{name} is #{given.inspect}; write an Integer from 0 to 4294967295"
      end
    end
  end

  private_constant :Size, :Seconds
end
