# frozen_string_literal: true

module Undergo
  # A frame of a Go traceback: the function with its package, the source file ("" if unknown), and
  # the line in it (0 if unknown).
  Frame = Struct.new(:function, :file, :line) do
    # As a line of a backtrace of Ruby.
    def to_s
      file.empty? ? "#{function}" : "#{file}:#{line}:in `#{function}'"
    end
  end

  # The base of all errors; each kind has its class. The backtrace begins with the Go frames, if
  # there are any.
  class Error < StandardError
    class << self
      # The kind, as in every language: "type-mismatch".
      def kind
        @kind || (superclass.kind unless self == Error)
      end

      # The class of each kind.
      def by_kind
        @by_kind ||= {}
      end

      private

      def for_kind(kind)
        @kind = kind
        Error.by_kind[kind] = self
      end
    end

    # Which part of a value is wrong: "greet(p.tags[3])"; "" if the error is not about a value.
    attr_reader :path
    # The Go traceback, an Array of Frame, innermost call first.
    attr_reader :frames
    # The first of `frames` outside of Go's runtime; nil if there is none.
    attr_reader :origin
    # The code of os.Exit; nil for other errors.
    attr_reader :exit_code
    # The end of what the plugin wrote to its standard error during the call.
    attr_reader :stderr
    # The last thing that the sandbox denied the plugin during the call, with the rule that would
    # allow it: perhaps why the call failed. nil if there is none.
    attr_reader :denied

    def initialize(text = nil, sentence: nil, path: "", frames: [], origin: nil, exit_code: nil, stderr: "", denied: nil)
      super(text)
      @sentence = sentence
      @path = path
      @frames = frames
      @origin = origin && frames[origin]
      @exit_code = exit_code
      @stderr = stderr
      @denied = denied
    end

    # The kind, as in every language: "type-mismatch".
    def kind
      self.class.kind
    end

    # The sentence alone, without the path.
    def sentence
      @sentence || message
    end

    # Takes what is known of the call from its error.
    def of_call(error) # :nodoc:
      @path = error.path
      @stderr = error.stderr
      @denied = error.denied
      self
    end
  end

  # The module is not WebAssembly, is damaged, or was built in a way that can't be called.
  class InvalidPluginError < Error
    for_kind "invalid-plugin"
  end

  # The plugin needs functions that were not given.
  class MissingImportError < Error
    for_kind "missing-import"
  end

  # The plugin has no export of that name.
  class UnknownExportError < Error
    for_kind "unknown-export"
  end

  # A given function has another signature than the plugin needs.
  class SignatureMismatchError < Error
    for_kind "signature-mismatch"
  end

  # A value does not fit its type; `path` says which.
  class TypeMismatchError < Error
    for_kind "type-mismatch"
  end

  # The Go function returned an error. The instance lives on. `cause` is the error that this one
  # wraps, if the plugin has errors with fields: each of them has a class that inherits from this
  # one.
  class GuestError < Error
    for_kind "guest-error"

    # Makes the class of an error with these fields, which has a reader for each. What every error
    # has keeps its name: the reader of a field `path` is `path_`.
    #
    #   NotFound = Undergo::GuestError.define(:key, :code)
    #   raise NotFound.new("not found: x", key: "x", code: 404)
    def self.define(*members)
      Class.new(self) do
        include Fields
        define_singleton_method(:members) { members.dup }
        members.each_with_index do |member, number|
          is_taken = GuestError.method_defined?(member) || Fields.method_defined?(member) || /\A(initialize|method_missing|respond_to)/.match?(member)
          define_method(is_taken ? :"#{member}_" : member) { @fields[number] }
        end
      end
    end

    # What errors with fields have.
    module Fields
      # The text is what Go's code gets from `Error()`, unless the plugin's own type says something
      # else. A field that is not given is nil.
      def initialize(text = nil, **fields)
        # `raise NotFound, key: "x"` gives them as a Hash.
        text, fields = nil, text if text.is_a?(Hash)
        unknown = fields.keys - self.class.members
        raise ArgumentError, "unknown keywords: #{unknown.join(', ')}" unless unknown.empty?

        @fields = fields.values_at(*self.class.members).freeze
        super(text || self.class.name.to_s[/[^:]*\z/].gsub(/(?<=[a-z0-9])(?=[A-Z])/, " ").downcase)
      end

      # The fields by their names.
      def to_h
        self.class.members.zip(@fields).to_h
      end

      # For `case error; in NotFound(key:)`.
      def deconstruct_keys(_names)
        to_h
      end

      def ==(other)
        super && to_h == other.to_h
      end
    end
  end

  # The Go code panicked, or its runtime gave up. `frames` is the goroutine's trace. The instance is
  # dead.
  class PanicError < Error
    for_kind "panic"
  end

  # The Go code called os.Exit with `exit_code`. The instance is dead.
  class ExitError < Error
    for_kind "exit"
  end

  # The guest did what WebAssembly forbids, or its stack overflowed. The instance is dead.
  class TrapError < Error
    for_kind "trap"
  end

  # The call took longer than its timeout. The instance is dead, unless the call had not begun.
  class TimeoutError < Error
    for_kind "timeout"
  end

  # The call was cancelled. The instance is dead.
  class CancelledError < Error
    for_kind "cancelled"
  end

  # The fuel was used up. The instance is dead.
  class OutOfFuelError < Error
    for_kind "out-of-fuel"
  end

  # The guest wanted more memory than its limit. The instance is dead.
  class OutOfMemoryError < Error
    for_kind "out-of-memory"
  end

  # A host function failed without an exception of its own.
  class HostError < Error
    for_kind "host-error"
  end

  # The sandbox forbids it, or can't be made as requested.
  class DeniedError < Error
    for_kind "denied"
  end

  # The instance is dead and answers no further call; the message says what ended it.
  class DeadInstanceError < Error
    for_kind "dead-instance"
  end

  # The instance is in the middle of another call of the same thread.
  class BusyError < Error
    for_kind "busy"
  end
end
