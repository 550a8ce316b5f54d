# frozen_string_literal: true

require "json"

module Undergo
  # Values on their way to a plugin and from it, packed into one String; `wire.rs` in the library is
  # the other side, and says how they are packed.
  module Wire
    INTEGERS = (-(1 << 63)...(1 << 63)).freeze
    UNSIGNED = ((1 << 63)...(1 << 64)).freeze
    # Deeper values are refused, since those that contain themselves are that, too.
    DEPTH = 500
    SECOND = 1_000_000_000
    # Code of the program's runs meanwhile: methods of its own classes of lists, strings and
    # structs.
    CHANGED = "the value changed its size while it was read; don't change an argument during a call"
    private_constant :INTEGERS, :UNSIGNED, :DEPTH, :SECOND, :CHANGED

    # Packs values, one behind the other.
    def self.pack(values)
      out = String.new(capacity: 128, encoding: Encoding::BINARY)
      values.each { |value| put(value, out, 0) }
      out
    end

    # The only value in there; nil where there is none.
    def self.unpack(packed, types)
      packed.empty? ? nil : Reader.new(packed, types).value
    end

    # All values in there.
    def self.unpack_all(packed, types)
      reader = Reader.new(packed, types)
      values = []
      values << reader.value until reader.end?
      values
    end

    def self.put(value, out, depth)
      raise TypeMismatchError, "a value is nested more than #{DEPTH} deep, or contains itself" if depth == DEPTH

      case value
      when String then put_string(value, out)
      when Integer then put_integer(value, out)
      when nil then out << "n"
      when true then out << "t"
      when false then out << "f"
      when Float then [100, value].pack("CE", buffer: out)
      when Symbol then put_run(121, value.name.encode(Encoding::UTF_8), out)
      when Array then put_list(value, out, depth)
      when Hash then put_pairs(109, value, out, depth)
      when Time then [84, value.to_i, value.nsec, value.utc_offset].pack("Cq<Vl<", buffer: out)
      when Rational then put_rational(value, out)
      when Struct then put_pairs(114, value.to_h, out, depth)
      else put_object(value, out, depth)
      end
    end

    def self.put_string(value, out)
      return put_run(98, value, out) if value.encoding == Encoding::BINARY

      text = value.encode(Encoding::UTF_8)
      # What is no text is told so where text is wanted, with its path.
      put_run(text.valid_encoding? ? 115 : 98, text, out)
    rescue EncodingError
      put_run(98, value, out)
    end

    def self.put_run(tag, text, out)
      [tag, text.bytesize, text].pack("CVa*", buffer: out)
    end

    def self.put_integer(value, out)
      if INTEGERS.cover?(value)
        [105, value].pack("Cq<", buffer: out)
      elsif UNSIGNED.cover?(value)
        [117, value].pack("CQ<", buffer: out)
      else
        put_run(73, value.to_s, out)
      end
    end

    def self.put_list(list, out, depth)
      [108, left = list.size].pack("CV", buffer: out)
      list.each do |item|
        left -= 1
        put(item, out, depth + 1)
      end
      raise TypeMismatchError, CHANGED unless left.zero?
    end

    def self.put_pairs(tag, pairs, out, depth)
      [tag, left = pairs.size].pack("CV", buffer: out)
      pairs.each do |key, item|
        left -= 1
        put(key, out, depth + 1)
        put(item, out, depth + 1)
      end
      raise TypeMismatchError, CHANGED unless left.zero?
    end

    def self.put_rational(value, out)
      nanoseconds = (value * SECOND).round
      INTEGERS.cover?(nanoseconds) ? [68, nanoseconds].pack("Cq<", buffer: out) : [100, value.to_f].pack("CE", buffer: out)
    end

    def self.put_object(value, out, depth)
      # Data of Ruby 3.2 and later.
      if defined?(::Data) && ::Data.respond_to?(:define) && value.is_a?(::Data)
        put_pairs(114, value.to_h, out, depth)
      else
        put_run(111, value.class.name || "an object", out)
      end
    end
    private_class_method :put, :put_list, :put_string, :put_run, :put_integer, :put_pairs, :put_rational, :put_object

    # Reads what the library packed.
    class Reader
      SIZES = { "c" => 1, "s" => 2, "S" => 2, "l" => 4, "L" => 4, "e" => 4, "q" => 8, "Q" => 8, "E" => 8 }.freeze
      private_constant :SIZES

      def initialize(packed, types)
        @packed = packed
        @types = types
        @at = 0
      end

      # Whether all was read.
      def end?
        @at >= @packed.bytesize
      end

      # Reads a value.
      def value
        tag = @packed.getbyte(@at)
        @at += 1
        case tag
        when 115 then run.force_encoding(Encoding::UTF_8)
        when 105 then number("q<", 8)
        when 110 then nil
        when 116 then true
        when 102 then false
        when 100 then number("E", 8)
        when 98 then run
        when 121 then run.tr("-", "_").to_sym
        when 108 then Array.new(length) { value }
        when 114 then record
        when 109 then map
        when 112 then numbers
        when 117 then number("Q<", 8)
        when 106 then json
        when 68 then Rational(number("q<", 8), SECOND)
        when 84 then time
        else raise Error, "the library packed a value that can't be read, which is a mistake in it"
        end
      end

      private

      def number(letter, size)
        found = @packed.unpack1(letter, offset: @at)
        @at += size
        found
      end

      def length
        number("V", 4)
      end

      def run
        size = length
        found = @packed.byteslice(@at, size)
        @at += size
        found
      end

      def record
        made = @types.record(length)
        made.members.each { |member| made[member] = value }
        made
      end

      def map
        pairs = {}
        length.times do
          key = value
          pairs[key] = value
        end
        pairs
      end

      def numbers
        letter = @packed[@at]
        @at += 1
        count = length
        # Without a mark the letters of integers mean the machine's order.
        marked = "sSlLqQ".include?(letter) ? "#{letter}<" : letter
        found = @packed.unpack("#{marked}#{count}", offset: @at)
        @at += count * SIZES.fetch(letter)
        found
      end

      def json
        text = run.force_encoding(Encoding::UTF_8)
        parsed = JSON.parse(text, max_nesting: DEPTH)
        # Few texts have what a float above the range of floats has.
        if text.match?(/[eE]\+?\d{2}|(?<!\d)\d{300}/) && infinite?(parsed)
          raise TypeMismatchError, "the plugin gave a number in JSON that is out of range for a Float"
        end

        parsed
      rescue JSON::ParserError => error
        raise TypeMismatchError, "the plugin gave what is no JSON: #{error.message}"
      end

      def infinite?(value)
        case value
        when Float then value.infinite?
        when Array then value.any? { |item| infinite?(item) }
        when Hash then value.each_value.any? { |item| infinite?(item) }
        end
      end

      def time
        seconds, nanoseconds, offset = @packed.unpack("q<Vl<", offset: @at)
        @at += 16
        Time.at(seconds, nanoseconds, :nsec, in: offset)
      end
    end
    private_constant :Reader
  end
  private_constant :Wire
end
