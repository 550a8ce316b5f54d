# frozen_string_literal: true

module Undergo
  # What has no members: the case of a variant without a value.
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

    def deconstruct
      []
    end

    def deconstruct_keys(_names)
      {}
    end

    def ==(other)
      other.class == self.class
    end
    alias eql? ==

    def hash
      self.class.hash
    end

    def inspect
      "#<#{self.class}>"
    end
  end

  # The classes of a plugin's records, errors and variants, and its enums.
  class Types
    # A module with a Struct for each record (with keyword arguments), a class for each error with
    # fields, and a module for each enum and variant, with a constant for each case.
    attr_reader :namespace

    # `given`: a module with classes for some of them, such as `undergo bindgen` writes. The block
    # gets the number of each record with its class, and of each variant with the classes of its
    # cases; nil if they are to be Hashes of `tag` and `val`.
    def initialize(infos, given)
      @namespace = Module.new
      infos.each do |number, wit_name, kind, members|
        name = Types.constant(wit_name)
        own = given&.const_defined?(name, false) ? given.const_get(name, false) : nil
        case kind
        when "record", "error" then yield number, set(name, record(own, kind, members.map { |member| Types.symbol(member) }, name))
        when "enum" then set(name, own || Types.enum(members))
        when "variant"
          yield number, own && cases(own, members, name)
          set(name, own || Types.enum(members.map(&:first)))
        end
      end
    end

    # A name of WIT as that of a constant.
    def self.constant(wit_name)
      wit_name.split("-").map(&:capitalize).join
    end

    # A name of WIT as a symbol.
    def self.symbol(wit_name)
      wit_name.tr("-", "_").to_sym
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

    # Makes the class of a guest's objects, which derives from a class that was given for it.
    def self.resource(namespace, given, wit_name, is_object, docs)
      name = constant(wit_name)
      base = is_object && given&.const_defined?(name, false) ? given.const_get(name, false) : Resource
      raise SignatureMismatchError, "#{base} does not fit the resource #{name}: it should be a class of Undergo::Resource" unless base.is_a?(Class) && base <= Resource

      made = Class.new(base)
      made.wit_name = wit_name
      made.docs = docs
      namespace.const_set(name, made) if is_object
      made
    end

    # Makes the module of an enum or a variant.
    def self.enum(members)
      Module.new.tap { |made| members.each { |member| made.const_set(symbol(member).upcase, symbol(member)) } }
    end

    private

    def set(name, type)
      @namespace.const_set(name, type)
    end

    def record(own, kind, members, name)
      return kind == "error" ? GuestError.define(*members) : Types.struct(name, members) unless own

      base = kind == "error" ? GuestError : Struct
      return own if own.is_a?(Class) && own < base && own.respond_to?(:members) && own.members == members

      raise SignatureMismatchError, "the class #{own} does not fit the #{kind} #{name}: it should be a class of #{base} with #{members.join(', ')}"
    end

    # The classes of a variant's cases.
    def cases(own, members, name)
      classes = own.const_defined?(:CASES, false) ? own.const_get(:CASES, false) : {}
      tags = members.map { |member, _| Types.symbol(member) }
      return classes.values if classes.keys == tags && members.all? { |member, stands| stands?(classes[Types.symbol(member)], member, stands) }

      raise SignatureMismatchError, "the module #{own} does not fit the variant #{name}: its CASES should have the classes of #{tags.join(', ')}"
    end

    # Whether a class is one for that case.
    def stands?(type, member, stands)
      case stands
      when "record" then type.equal?(@namespace.const_get(Types.constant(member), false))
      when "value" then type.is_a?(Class) && type < Struct && type.members == [:value]
      else type.is_a?(Class) && type < Empty
      end
    end
  end
  private_constant :Types
end
