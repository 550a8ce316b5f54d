# frozen_string_literal: true

require "json"

begin
  require_relative "undergo_ruby"
rescue LoadError => error
  raise error if File.file?(File.join(__dir__, "undergo_ruby.#{RbConfig::CONFIG['DLEXT']}"))

  raise LoadError, "the native library of this gem is missing: it was built for another platform than #{RUBY_PLATFORM}, or without its library"
end

module Undergo
  # What the native library calls.
  module Native
    # Deeper JSON is refused.
    DEPTH = 500
    private_constant :DEPTH

    # The exception for an error of the library.
    def self.error(kind, text, details)
      message, path, frames, origin, exit_code, stderr, denied = details
      frames = frames.map { |frame| Frame.new(*frame) }
      error = Error.by_kind.fetch(kind, Error).new(text, sentence: message, path: path, frames: frames, origin: origin,
                                                         exit_code: exit_code, stderr: stderr, denied: denied)
      shown = origin ? frames.drop(origin) : frames
      error.set_backtrace(shown.map(&:to_s) + caller(1)) unless shown.empty?
      error
    end

    # What a guest gets as the text of its error, when a host function raises.
    def self.text(exception)
      message = exception.is_a?(Error) ? exception.sentence : exception.message
      message.encode(Encoding::UTF_8, invalid: :replace, undef: :replace).scrub
    end

    # The value that a text of JSON holds.
    def self.json(text)
      parsed = JSON.parse(text, max_nesting: DEPTH)
      # Few texts have what a float above the range of floats has.
      raise RangeError, "a number is out of range for a Float" if text.match?(/[eE]\+?\d{2}|(?<!\d)\d{300}/) && infinite?(parsed)

      parsed
    end

    def self.infinite?(value)
      case value
      when Float then value.infinite?
      when Array then value.any? { |item| infinite?(item) }
      when Hash then value.each_value.any? { |item| infinite?(item) }
      end
    end
    private_class_method :infinite?
  end
  private_constant :Native
end
