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
    # What errors wrap still deeper is left out.
    LONGEST = 64
    private_constant :DEPTH, :LONGEST

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

    # An error of a class that a plugin declares, for its fields in order.
    def self.of_fields(type, fields)
      type.new(**type.members.zip(fields).to_h)
    end

    # The error of a call as the chain that it consists of: texts, outermost first, with the errors
    # that have fields.
    def self.chained(error, links)
      links.each_with_index.reverse_each.inject(nil) do |cause, ((text, own), number)|
        made = own&.exception(text) || (number.zero? ? error : GuestError.new(text))
        caused(number.zero? ? made.of_call(error) : made, cause)
      end
    end

    # The error with its cause, which Ruby sets where it is raised.
    def self.caused(error, cause)
      raise error, cause: cause
    rescue GuestError => raised
      # Where it is raised to the caller is what counts.
      raised.set_backtrace(nil)
      raised
    end
    private_class_method :caused

    # An exception and its causes, with their texts. Causes may be a circle.
    def self.chain(exception)
      found = []
      while exception.is_a?(Exception) && found.size < LONGEST && found.none? { |_, known| known.equal?(exception) }
        found << [readable(exception), exception]
        exception = begin
          exception.cause
        rescue StandardError
          nil
        end
      end
      found
    end

    def self.readable(exception)
      text(exception)
    rescue StandardError
      exception.class.to_s
    end
    private_class_method :readable

    # The functions of a host's object; a text that says what it lacks, or nil.
    def self.passed(shape, given, methods)
      Passed.of(shape, given, methods)
    end

    # What Ruby has of a guest's iterator.
    def self.enumerator(object)
      Items.new(object)
    end

    # What Ruby has of a guest's stream to read from.
    def self.reader(object)
      Reader.new(object)
    end

    # What Ruby has of a guest's stream to write to.
    def self.writer(object)
      Writer.new(object)
    end

    # Gives a block an object, which is closed at the block's end.
    def self.within(object, block)
      block.call(object)
    ensure
      object.close
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
