# frozen_string_literal: true

module Undergo
  # Reads sizes, which are Integers of bytes, or texts such as "64 MiB", "1.5 GB" or "64M".
  module Size
    # The bytes; nil for nil.
    def self.of(given, name)
      return nil if given.nil?

      text = given.is_a?(Integer) || given.is_a?(String) ? given.to_s : given.inspect
      name == "stack" ? UndergoCore.parse_stack_size(text, name) : UndergoCore.parse_size(text, name)
    rescue UndergoCore::CallError::Failed => error
      raise ArgumentError, Errors.from(error).sentence, cause: nil
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

  # A directory of the host, given to the guest: for reading and writing, or for reading alone.
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

  # What an instance may reach. By default nothing but the standard output and error of this process.
  #
  # - args: os.Args behind the program's name, which is always there.
  # - env: a Hash of environment variables; nothing is taken from this process's own environment.
  # - dirs: a Hash of directories of the host, by the path at which the guest sees them: Dir, or a path, which is given for reading and writing. They are opened once,
  #   when an instance, a pool or a run is made of the sandbox. Where none is given at "/", the guest sees an empty root that it can only read.
  # - temp: whether the guest gets a folder for temporary files at "/tmp", of its own and empty: made with it, in the host's own place for such folders, and gone when it is reset or
  #   freed. Only the host's disk bounds what it writes there.
  # - stdin: what the guest reads: a String is its content, a Pathname is a file (or a FIFO), which each instance reads from its beginning, and :inherit is the standard input
  #   of this process.
  # - stdout, stderr: :inherit, :discard, :capture, or what responds to `call`, which gets each line as a String without its newline; nil is :inherit for an instance, and
  #   :capture for a command that is run. What an instance printed to a captured stream is read with Instance#take_stdout. The function is called on a thread of its own while the call waits; what it raises ends the call and the instance, and reaches the caller.
  #   It can't call the instance whose output it gets.
  # - capture_limit: bytes of a captured stream that are kept; what is beyond is dropped.
  # - clock: for runs that can be repeated: the guest's clock begins at this Time, from 1970 on, anew for each instance and each run. It goes on by a microsecond whenever the
  #   guest reads it, and to the end of a wait (`time.Sleep`, say), which takes no time. Limits of time, and the times of files, are the host's in any case.
  # - seed: likewise: all random numbers of the guest follow from this, those of crypto/rand and the order of maps included: never for keys.
  # - network: what it may reach over the network: a rule such as "example.org:443" or "listen=127.0.0.1:8080", or an Array of them; docs/network.md has all of them.
  # - listeners: an address such as "127.0.0.1:8080" at which the host listens for the guest, which needs no rule to accept there, or an Array of them. Their descriptors are the
  #   first behind those of the directories, from 3 on. They are opened for each instance, each run and each pool, whose instances share them, and closed with it.
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

    # Reads what may be a Hash of the same. With `own` some of it is replaced, for one run of a command.
    def self.of(given, **own)
      return new(**(given || {}), **own) unless given.is_a?(Sandbox)

      own.empty? ? given : new(**OPTIONS.to_h { |name| [name, given.public_send(name)] }, **own)
    end

    # As the library wants it; the lines' functions belong to `owner`.
    def core(owner)
      dirs = @dirs.map { |guest, dir| UndergoCore::Dir.new(guest: guest, path: dir.path, readonly: dir.readonly) }
      UndergoCore::Sandbox.new(args: @args, env: @env, dirs: dirs, temp: @temp, stdin: input, stdout: output(@stdout, owner), stderr: output(@stderr, owner),
                               clock: @clock, seed: @seed, network: @network, listeners: @listeners)
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
      return UndergoCore::Input::INHERIT.new if @stdin == :inherit
      return UndergoCore::Input::CONTENT.new(bytes: @stdin.b) if @stdin.is_a?(String)

      UndergoCore::Input::FILE.new(path: @stdin.to_path)
    end

    def output(given, owner)
      case given
      when nil then UndergoCore::Output::USUAL.new(limit: @capture_limit)
      when :inherit then UndergoCore::Output::INHERIT.new
      when :discard then UndergoCore::Output::DISCARD.new
      when :capture then UndergoCore::Output::CAPTURE.new(limit: @capture_limit)
      else UndergoCore::Output::LINES.new(sink: Sink.new(given, owner))
      end
    end
  end

  # A function of lines, as the library sees it.
  class Sink
    # Marks threads that run such a function, with whose it is.
    RUNNING = :undergo_sink_of

    def initialize(function, owner)
      @function = function
      @owner = owner
    end

    # Takes a line.
    def line(text)
      Thread.current.thread_variable_set(RUNNING, @owner)
      @function.call(text)
    rescue Exception => error # rubocop:disable Lint/RescueException: there is a frame of Rust below, which it must not cross
      raise UndergoCore::HostFailure::Raised.new(text: error.message, is_error: true, raised: Failure.new(error))
    ensure
      Thread.current.thread_variable_set(RUNNING, nil)
    end
  end

  # What an instance may use. By default there is no limit but those of WebAssembly (4 GiB of memory) and of one value. Sizes are bytes, or texts such as "64MiB".
  #
  # - memory: guest memory.
  # - timeout: seconds that a call may take, and that the initialisation may: computing, sleeping, host functions and waiting for the instance.
  # - value: bytes that one value from the guest may take on this side, with all that is made of it, 1 GiB by default.
  # - output: bytes that the guest may write to each of its two outputs over its life; what is beyond is dropped, which is no error for the guest.
  # - table: elements of the guest's tables, all together, 4,194,304 by default.
  # - stack: guest stack of one call, from 64 KiB to 512 MiB, rounded up to a power of two; 4 MiB by default.
  # - fuel: how much each call, and the initialisation, may compute, in units of about one WebAssembly instruction. It costs about a tenth of the speed.
  # - descriptors: descriptors of this process that the guest may hold at once, 128 by default: files, directories, sockets, connections that it accepted, and pipes.
  class Limits
    attr_reader :memory, :timeout, :value, :output, :table, :stack, :fuel, :descriptors

    def initialize(memory: nil, timeout: nil, value: nil, output: nil, table: nil, stack: nil, fuel: nil, descriptors: nil)
      @memory = Size.of(memory, "memory")
      @timeout = Seconds.of(timeout)
      @value = Size.of(value, "value")
      @output = Size.of(output, "output")
      @stack = Size.of(stack, "stack")
      @table = table
      @fuel = fuel
      @descriptors = descriptors
      check
      freeze
    end

    # Reads what may be a Hash of the same.
    def self.of(given)
      given.is_a?(Limits) ? given : new(**(given || {}))
    end

    # As the library wants it.
    def core
      UndergoCore::Limits.new(memory: @memory, timeout: @timeout, value: @value, output: @output, table: @table, stack: @stack, fuel: @fuel, descriptors: @descriptors)
    end

    private

    def check
      raise ArgumentError, "fuel is #{@fuel.inspect}; write a positive Integer" unless @fuel.nil? || (@fuel.is_a?(Integer) && @fuel.between?(1, (1 << 63) - 1))
      { "table" => @table, "descriptors" => @descriptors }.each do |name, given|
        next if given.nil? || (given.is_a?(Integer) && given.between?(0, (1 << 32) - 1))

        raise ArgumentError, "#{name} is #{given.inspect}; write an Integer from 0 to 4294967295"
      end
    end
  end

  private_constant :Size, :Seconds, :Sink
end
