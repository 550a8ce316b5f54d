# frozen_string_literal: true

module Undergo
  # An object of a guest. `plugin.types` has the classes, which derive from this one.
  #
  # A call of the instance gives it, or its constructor: `instance.new_document("text")`, which with
  # a block gives the block the object, and closes it at the block's end. The methods are those of
  # the Go type; one whose name every object has in Ruby gets an underscore behind it. The guest
  # keeps the object until it is closed, or until Ruby has no reference to it left. It can't be used
  # then, nor after a reset of its instance or the return to a pool.
  class Resource
    # close: the guest releases its object, at once, or after the call that is running. Closing it
    # again does nothing.
    #
    # closed?: whether it was closed, given away to the guest, or ended with its instance.

    class << self
      # Its name in WIT.
      attr_accessor :wit_name
      # Its Go doc comment.
      attr_accessor :docs

      def new(*) # :nodoc:
        raise TypeError, "an instance makes these objects: instance.new_#{wit_name.to_s.tr('-', '_')}(...)"
      end
    end

    def initialize_copy(_other) # :nodoc:
      raise TypeError, "an object in one instance of a plugin can't be copied"
    end

    def inspect
      "#<Undergo::Resource #{self.class.wit_name}#{', closed' if closed?}>"
    end
  end

  # The items of a guest's iterator, which runs as far as they are asked for, and a batch ahead. It
  # gives each once. It ends by `close`, and where `each` is left early, by `break` or `first` for
  # example: the Go function's `yield` returns false.
  class Items < Enumerator
    def initialize(object)
      @object = object
      @ready = []
      @is_over = false
      super() { |items| give(items) }
    end

    # The next item. Raises StopIteration when there is none.
    def next
      peek
      @ready.shift
    end

    # The item that `next` will give.
    def peek
      fill.empty? ? raise(StopIteration, "iteration reached an end") : @ready.first
    end

    # Its items are given once.
    def rewind
      raise NotImplementedError, "an iterator of a plugin can't begin anew: call the function again"
    end

    # Ends it. Closing it again does nothing.
    def close
      @ready.clear
      @object.close
    end

    # Whether it was closed, or has ended.
    def closed?
      @ready.empty? && @object.closed?
    end

    # How many items there are is not known.
    def size
      nil
    end

    def initialize_copy(_other) # :nodoc:
      raise TypeError, "an iterator of a plugin can't be copied: it runs in one instance"
    end

    def inspect
      "#<Undergo::Items#{' closed' if closed?}>"
    end
    alias to_s inspect

    private

    def give(items)
      until fill.empty?
        items << @ready.shift until @ready.empty?
      end
    ensure
      close
    end

    # What is ready, which is nothing at the end.
    def fill
      while @ready.empty? && !@is_over
        batch, @is_over = @object.__send__(:_batch)
        # Bytes are a String.
        @ready = batch.is_a?(String) ? batch.bytes : batch
        @object.close if @is_over
      end
      @ready
    end
  end

  # Bytes that a stream carries at once, at most.
  CHUNK = 256 << 10

  # What streams of a guest have in common.
  class Stream
    def initialize(object)
      @object = object
      @is_closed = false
    end

    # Closes it, which raises what the guest's own closing fails with. Closing again does nothing.
    def close
      return if @is_closed

      @is_closed = true
      begin
        @object.close_ unless @object.closed?
      rescue DeadInstanceError
        # It ended with its instance.
      ensure
        @object.close
      end
      nil
    end

    # Whether it is closed.
    def closed?
      @is_closed
    end

    # Its bytes are no text.
    def binmode
      self
    end

    def initialize_copy(_other) # :nodoc:
      raise TypeError, "a stream of a plugin can't be copied: it is open in one instance"
    end

    def inspect
      "#<#{self.class}#{', closed' if closed?}>"
    end

    private

    def check
      raise IOError, "closed stream" if @is_closed
    end
  end

  # A stream of a guest, to read from as from an IO, in bytes.
  class Reader < Stream
    include Enumerable

    def initialize(object)
      super
      @ready = "".b
      @is_over = false
    end

    # Reads that many bytes, fewer at the end, where it gives nil; or all that there are.
    def read(length = nil, into = nil)
      check
      fetch until @is_over || (length && @ready.bytesize >= length)
      taken = length ? @ready.slice!(0, length) : @ready.slice!(0..)
      taken = nil if length&.positive? && taken.empty?
      into ? into.replace(taken || "") && taken && into : taken
    end

    # Reads the next bytes, at least one and at most that many. Raises EOFError at the end.
    def readpartial(length, into = nil)
      check
      data = @ready.empty? ? @object.read([length, CHUNK].min) : @ready.slice!(0, length)
      raise EOFError, "end of file reached" if data.empty? && length.positive?

      into ? into.replace(data) : data
    end

    # Gives a block the bytes as they come.
    def each
      return enum_for(:each) unless block_given?

      loop do
        data = readpartial(CHUNK)
        yield data
      rescue EOFError
        return self
      end
    end

    # Whether there is nothing more.
    def eof?
      check
      fetch if @ready.empty? && !@is_over
      @ready.empty?
    end

    private

    def fetch
      data = @object.read(CHUNK)
      @is_over = data.empty?
      @ready << data
    end
  end

  # A stream of a guest, to write to as to an IO.
  class Writer < Stream
    # Writes all of these, and gives the number of bytes.
    def write(*texts)
      check
      texts.sum do |text|
        bytes = text.to_s.b
        (0...bytes.bytesize).step(CHUNK) { |at| @object.write(bytes.byteslice(at, CHUNK)) }
        bytes.bytesize
      end
    end

    # Writes a text.
    def <<(text)
      write(text)
      self
    end

    # Nothing waits here.
    def flush
      check
      self
    end
  end

  # Gives a guest the items of an Enumerable, or of whatever has `each`.
  class Feed
    def initialize(given)
      @given = given
      @at = 0
      @most = 0
      @fiber = nil
    end

    # One to `most` items that are ready, and whether there are no more.
    def next(most)
      case @given
      when Array then part(most)
      # On a fiber it could not run in the middle of a call of its own instance.
      when Items then one
      else
        @most = most
        (@fiber ||= Fiber.new { gather }).resume
      end
    end

    private

    def part(most)
      batch = @given[@at, most] || []
      @at += batch.size
      [batch, @at >= @given.size]
    end

    def one
      [[@given.next], false]
    rescue StopIteration
      [[], true]
    end

    # Leaves the fiber with each batch, and not with each item, which would cost ten times as much.
    def gather
      batch = []
      stop = now + BATCH
      @given.each do |*all|
        # What comes as several values is an Array of them.
        batch << (all.size > 1 ? all : all.first)
        next if batch.size < @most && now < stop

        Fiber.yield([batch, false])
        batch = []
        stop = now + BATCH
      end
      done(batch)
    rescue StandardError
      # After the items before it.
      Fiber.yield([batch, false]) unless batch.empty?
      raise
    end

    def done(batch)
      Fiber.yield([batch, true])
      Fiber.yield([[], true]) while true
    end

    def now
      Process.clock_gettime(Process::CLOCK_MONOTONIC)
    end
  end

  # Gives a guest the bytes of an IO, or of whatever has `readpartial` or `read`.
  class Source
    def initialize(io)
      @io = io
      @is_partial = io.respond_to?(:readpartial)
    end

    # Up to that many bytes; none at the end. The guest says how many, and the IO makes room for
    # all of them.
    def read(most)
      most = [most, CHUNK].min
      data = @is_partial ? @io.readpartial(most) : @io.read(most)
      return "".b if data.nil?
      raise TypeError, "#{@is_partial ? 'readpartial' : 'read'} gave #{data.class}; it gives a String" unless data.is_a?(String)

      data.encoding == Encoding::BINARY ? data : data.b
    rescue EOFError
      "".b
    end

    def close
      @io.close if @io.respond_to?(:close)
      nil
    end
  end

  # Gives an IO, or whatever has `write`, the bytes of a guest.
  class Sink
    def initialize(io)
      @io = io
    end

    # Writes all of these bytes.
    def write(data)
      written = @io.write(data)
      written = @io.write(data = data.byteslice(written..)) while written.is_a?(Integer) && written.positive? && written < data.bytesize
      nil
    end

    def close
      @io.close if @io.respond_to?(:close)
      nil
    end
  end

  # What a guest gets of the host's objects.
  module Passed
    # The functions of an object, in the order of the methods' names; a text that says what it
    # lacks, or nil.
    def self.of(shape, given, methods)
      case shape
      when "callback" then given.respond_to?(:call) ? [given] : nil
      when "items" then given.respond_to?(:each) ? functions(Feed.new(given), methods) : nil
      when "source"
        return "#{given.class} is no stream to read from: it has neither readpartial nor read" unless %i[readpartial read].any? { |name| given.respond_to?(name) }

        functions(Source.new(given), methods)
      when "sink"
        return "#{given.class} is no stream to write to: it has no write" unless given.respond_to?(:write)

        functions(Sink.new(given), methods)
      else object(given, methods)
      end
    end

    def self.functions(object, methods)
      methods.map { |name| object.method(name) }
    end
    private_class_method :functions

    def self.object(given, methods)
      found = methods.map { |name| Imports.find(given, name) }
      missing = methods.zip(found).filter_map { |name, function| name.tr("-", "_") unless function.respond_to?(:call) }
      missing.empty? ? found : "#{given.class} has no public method #{missing.join(', ')}"
    end
    private_class_method :object
  end
  private_constant :CHUNK, :Stream, :Feed, :Source, :Sink, :Passed
end
