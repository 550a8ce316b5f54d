# frozen_string_literal: true

module Undergo
  # A frame of a Go traceback: the function with its package, the source file ("" where it is not known), and the line in it (0 where it is not known).
  Frame = Struct.new(:function, :file, :line) do
    # As a line of a backtrace of Ruby.
    def to_s
      file.empty? ? "#{function}" : "#{file}:#{line}:in `#{function}'"
    end
  end

  # What went wrong in a call of a plugin. Each kind has its class. Its backtrace begins with the Go frames, where there are any.
  class Error < StandardError
    class << self
      # The kind, as in every language: "type-mismatch".
      attr_reader :kind

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

    # The sentence alone, without the path.
    attr_reader :sentence
    # Where a value does not fit: "greet(p.tags[3])"; "" when the error is not about a value.
    attr_reader :path
    # The Go traceback, an Array of Frame, innermost call first.
    attr_reader :frames
    # The first of `frames` that is not of Go's runtime; nil where there is none.
    attr_reader :origin
    # The code of os.Exit; nil for other errors.
    attr_reader :exit_code
    # What the plugin wrote to its standard error during the call, or the end of it.
    attr_reader :stderr
    # What the sandbox denied the plugin during the call, and the rule that would allow it: perhaps why the call failed. The last such thing; nil where there is none.
    attr_reader :denied

    def initialize(text = nil, sentence: nil, path: "", frames: [], origin: nil, exit_code: nil, stderr: "", denied: nil)
      super(text)
      @sentence = sentence || text.to_s
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
  end

  # Not a WebAssembly module, a damaged one, or one that was built in a way that can't be called.
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

  # A function was given with another signature than the plugin wants.
  class SignatureMismatchError < Error
    for_kind "signature-mismatch"
  end

  # A value does not fit its type; `path` says which.
  class TypeMismatchError < Error
    for_kind "type-mismatch"
  end

  # The Go function returned an error. The instance lives on.
  class GuestError < Error
    for_kind "guest-error"
  end

  # The Go code panicked, or its runtime gave up. `frames` is the goroutine's trace. The instance has ended.
  class PanicError < Error
    for_kind "panic"
  end

  # The Go code called os.Exit with `exit_code`. The instance has ended.
  class ExitError < Error
    for_kind "exit"
  end

  # The guest did what WebAssembly forbids, or its stack overflowed. The instance has ended.
  class TrapError < Error
    for_kind "trap"
  end

  # The call took longer than its timeout. The instance has ended, unless the call never began.
  class TimeoutError < Error
    for_kind "timeout"
  end

  # The call was cancelled. The instance has ended.
  class CancelledError < Error
    for_kind "cancelled"
  end

  # The fuel was used up. The instance has ended.
  class OutOfFuelError < Error
    for_kind "out-of-fuel"
  end

  # The guest wanted more memory than its limit. The instance has ended.
  class OutOfMemoryError < Error
    for_kind "out-of-memory"
  end

  # A host function failed without an exception of its own.
  class HostError < Error
    for_kind "host-error"
  end

  # The sandbox forbids it, or can't be made as asked.
  class DeniedError < Error
    for_kind "denied"
  end

  # The instance has ended, and answers no further call; the text tells the first cause.
  class DeadInstanceError < Error
    for_kind "dead-instance"
  end

  # The instance is in the middle of another call of the same thread.
  class BusyError < Error
    for_kind "busy"
  end

  # From the library's errors to these.
  module Errors
    # The exception for what the library raised: the host's own where that is the cause.
    def self.from(failed)
      return failed.raised.exception if failed.raised.is_a?(Failure)

      details = failed.details
      frames = details.frames.map { |frame| Frame.new(frame.function, frame.file, frame.line) }
      known = Error.by_kind.fetch(details.kind_name, Error)
      error = known.new(details.text, sentence: details.message, path: details.path, frames: frames, origin: details.origin,
                                      exit_code: details.exit_code, stderr: details.stderr, denied: details.denied)
      shown = error.origin ? frames.drop(frames.index(error.origin)) : frames
      error.set_backtrace(shown.map(&:to_s) + caller(2)) unless shown.empty?
      error
    end

    # Runs code of the library; its errors come out as these.
    def self.mapped
      yield
    rescue UndergoCore::CallError::Failed => error
      raise from(error), cause: nil
    end
  end

  # An exception on its way through the library.
  class Failure
    attr_reader :exception

    def initialize(exception)
      @exception = exception
    end

    # What the library has of it.
    def describe
      @exception.message
    end
  end

  private_constant :Errors, :Failure
end
