# frozen_string_literal: true

module Undergo
  # The exports of a plugin by their names in Ruby and in WIT.
  class Table
    # An export: its number, its names, its parameters and their types, and what is known of it.
    Row = Struct.new(:number, :wit_name, :name, :params, :types, :signature, :docs)

    attr_reader :rows

    def initialize(infos)
      @rows = infos.each_with_index.map do |(name, params, types, signature, docs), number|
        params = params.map { |param| param.tr("-", "_").to_sym }
        Row.new(number, name, name.tr("-", "_").to_sym, params, types, signature, docs)
      end
      @by_name = {}
      @rows.each { |row| @by_name[row.name] = row }
      @rows.each { |row| @by_name[row.wit_name.to_sym] = row }
    end

    # The export of that name, in either form; nil if there is none.
    def [](name)
      @by_name[name.to_sym]
    end
  end

  # An export of an instance or a pool, as a value.
  class Function
    def initialize(callee, row, options)
      @callee = callee
      @row = row
      @options = options
    end

    # Calls it. A block is the last argument that is a function.
    def call(*args, **named, &block)
      @callee.call_export([@row.number, args, named, block, *@options])
    end
    alias [] call
    alias === call

    # A block that calls it.
    def to_proc
      method(:call).to_proc
    end

    # Its name in Ruby, a Symbol.
    def name
      @row.name
    end

    # Its name in WIT.
    def wit_name
      @row.wit_name
    end

    # All of it in one line of WIT.
    def signature
      @row.signature
    end

    # Its Go doc comment.
    def docs
      @row.docs
    end

    # The names of its parameters, Symbols.
    def parameters
      @row.params.dup
    end

    def inspect
      "#<Undergo::Function #{@row.signature}>"
    end
  end

  # All exports of an instance or a pool, whatever their names: `instance.exports["reset"].call`, or
  # `instance.exports.reset`.
  class Exports
    include Enumerable

    def initialize(callee, timeout = nil, cancel = nil)
      @callee = callee
      @table = callee.plugin.table
      @options = [timeout, cancel].freeze
    end

    # The export of that name, in Ruby's form or in WIT's.
    def [](name)
      Function.new(@callee, @table[name] || unknown(name), @options)
    end

    # Their names in Ruby.
    def names
      @table.rows.map(&:name)
    end

    # Each of them.
    def each
      return enum_for(:each) { @table.rows.size } unless block_given?

      @table.rows.each { |row| yield Function.new(@callee, row, @options) }
    end

    # How many there are.
    def size
      @table.rows.size
    end

    # Whether there is one of that name.
    def include?(name)
      !@table[name].nil?
    end
    alias key? include?

    def respond_to_missing?(name, include_private = false)
      include?(name) || super
    end

    def method_missing(name, *args, **named, &block)
      row = @table[name] || unknown(name)
      @callee.call_export([row.number, args, named, block, *@options])
    end

    private

    def unknown(name)
      @callee.plugin.unknown(name)
    end
  end

  # Anything with exports as its methods: an instance, a pool, or a view of one.
  module Callable
    # All exports, whatever their names.
    def exports
      Exports.new(self)
    end

    def respond_to_missing?(name, include_private = false)
      !plugin.table[name].nil? || super
    end

    def method_missing(name, *args, **named, &block)
      # Ruby itself asks for these.
      return super if name.start_with?("to_") || name.end_with?("?", "!", "=")

      row = plugin.table[name] || plugin.unknown(name)
      call_export([row.number, args, named, block, nil, nil])
    end
  end

  # A view of an instance or a pool whose calls have other options.
  class View
    include Callable

    def initialize(callee, timeout, cancel)
      raise TypeMismatchError, "cancel is #{cancel.inspect}; give a CancelToken" unless cancel.nil? || cancel.is_a?(CancelToken)

      @callee = callee
      @timeout = Seconds.of(timeout)
      @cancel = cancel
    end

    # The plugin.
    def plugin
      @callee.plugin
    end

    # All exports, whatever their names.
    def exports
      Exports.new(@callee, @timeout, @cancel)
    end

    # Calls an export with these options.
    def call_export(called) # :nodoc:
      number, args, named, block, = called
      @callee.call_export([number, args, named, block, @timeout, @cancel])
    end
  end

  private_constant :Table, :Callable
end
