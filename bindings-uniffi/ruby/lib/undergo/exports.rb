# frozen_string_literal: true

module Undergo
  # The exports of a plugin by their names in Ruby and in WIT.
  class Table
    # An export: its number, names, parameters, and what is known of it.
    Row = Struct.new(:number, :wit_name, :name, :params, :optional, :signature, :docs)

    attr_reader :rows

    def initialize(infos)
      @rows = infos.each_with_index.map do |info, number|
        params = info.params.map { |param| param.name.tr("-", "_").to_sym }
        optional = info.params.map { |param| param.type_name.start_with?("option<") }
        Row.new(number, info.name, info.name.tr("-", "_").to_sym, params, optional, info.signature, info.docs)
      end
      @by_name = {}
      @rows.each { |row| @by_name[row.name] = row }
      @rows.each { |row| @by_name[row.wit_name.to_sym] = row }
    end

    # The export of that name, in either form; nil if there is none.
    def [](name)
      @by_name[name.to_sym]
    end

    # The arguments in the parameters' order.
    def self.arrange(row, args, named)
      # Trailing options may be omitted.
      return args.size < row.params.size && row.optional.drop(args.size).all? ? args.values_at(0...row.params.size) : args if named.empty?

      row.params.each_with_index.map do |param, number|
        if number < args.size
          raise TypeMismatchError, "#{row.wit_name}: the argument #{param} is given twice; it is #{row.signature}" if named.key?(param)

          args[number]
        elsif named.key?(param) || row.optional[number]
          named[param]
        else
          raise TypeMismatchError, "#{row.wit_name}: the argument #{param} is missing; it is #{row.signature}"
        end
      end.concat(args.drop(row.params.size)).tap do
        unknown = named.keys - row.params
        next if unknown.empty?

        raise TypeMismatchError, "#{row.wit_name} has no parameter #{unknown.join(', ')}; it is #{row.signature} (write {} around a record)"
      end
    end
  end

  # An export of an instance or a pool, as a value.
  class Function
    def initialize(callee, row)
      @callee = callee
      @row = row
    end

    # Calls it.
    def call(*args, **named)
      @callee.call_row(@row, args, named)
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

    def initialize(callee, table)
      @callee = callee
      @table = table
    end

    # The export of that name, in Ruby's form or in WIT's.
    def [](name)
      row = @table[name] || @callee.unknown(name)
      Function.new(@callee, row)
    end

    # Their names in Ruby.
    def names
      @table.rows.map(&:name)
    end

    # Each of them.
    def each
      return enum_for(:each) { @table.rows.size } unless block_given?

      @table.rows.each { |row| yield Function.new(@callee, row) }
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

    def method_missing(name, *args, **named)
      row = @table[name] || @callee.unknown(name)
      @callee.call_row(row, args, named)
    end
  end

  # Anything with exports as its methods: an instance, a pool, or a view of one.
  module Callable
    # All exports, whatever their names.
    def exports
      Exports.new(self, table)
    end

    def respond_to_missing?(name, include_private = false)
      !table[name].nil? || super
    end

    def method_missing(name, *args, **named)
      row = table[name]
      return call_row(row, args, named) if row
      # Ruby itself asks for these.
      return super if name.start_with?("to_") || name.end_with?("?", "!", "=")

      unknown(name)
    end

    # Calls an export; with the options of a view.
    def call_row(row, args, named)
      packed = Wire.pack(Table.arrange(row, args, named))
      call_packed(row.number, packed, nil, nil)
    end

    # Fails with similar names of the plugin.
    def unknown(name)
      Errors.mapped { plugin.core.check_export(name.to_s.tr("_", "-")) }
      raise UnknownExportError, "there is no export #{name}"
    end

    private

    def table
      plugin.table
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

    # Calls an export with these options.
    def call_packed(number, packed, _timeout, _cancel)
      @callee.call_packed(number, packed, @timeout, @cancel&.core)
    end
  end

  private_constant :Table, :Callable
end
