# frozen_string_literal: true

module Undergo
  # The classes of a plugin's records, and its enums.
  class Types
    # A module with a Struct for each record (with keyword arguments), and a module with a constant
    # for each case of each enum.
    attr_reader :namespace

    # `given`: a module with classes for some of the records, such as `undergo bindgen` writes.
    # The block gets the number of each record, and its class.
    def initialize(infos, given)
      @namespace = Module.new
      infos.each do |number, wit_name, is_record, members|
        name = wit_name.split("-").map(&:capitalize).join
        own = given&.const_defined?(name, false) ? given.const_get(name, false) : nil
        members = members.map { |member| member.tr("-", "_").to_sym }
        made = is_record ? own || Types.struct(name, members) : own || Types.enum(members)
        check(made, members, name) if own && is_record
        @namespace.const_set(name, made)
        yield number, made if is_record
      end
    end

    # Makes the class of a record.
    def self.struct(name, members)
      # A record without fields has no member, which a Struct must.
      return Class.new(Empty) if members.empty?

      Struct.new(*members, keyword_init: true) do
        define_method(:inspect) { "#<#{name} #{each_pair.map { |member, value| "#{member}=#{value.inspect}" }.join(', ')}>" }
        alias_method :to_s, :inspect
      end
    end

    # Makes the module of an enum.
    def self.enum(members)
      Module.new.tap { |made| members.each { |member| made.const_set(member.upcase, member) } }
    end

    # A record without fields.
    class Empty
      def self.members
        []
      end

      def members
        []
      end

      def to_h
        {}
      end

      def ==(other)
        other.class == self.class
      end
    end

    private

    def check(own, members, name)
      return if own.is_a?(Class) && own <= Struct && own.members == members

      raise SignatureMismatchError, "the class #{own} does not fit the record #{name}: it should be a Struct of #{members.join(', ')}"
    end
  end
  private_constant :Types
end
