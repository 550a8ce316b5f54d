# frozen_string_literal: true

module Undergo
  # The functions that are given to a plugin.
  class Imports
    # The library's list of them.
    attr_reader :core

    # `given`: by interface and name, in either form, a Hash of Hashes of what responds to `call`; instead of the inner Hash also an object, whose public methods are
    # the functions.
    def initialize(plugin, given)
      @core = UndergoCore::Imports.new
      @functions = []
      given = (given || {}).to_h { |interface, functions| [interface.to_s.tr("_", "-"), functions] }
      plugin.imports.each do |interface, wanted|
        functions = given[interface]
        wanted.each_key { |name| give(interface, name, Imports.find(functions, name)) } unless functions.nil?
      end
    end

    # The function of that number.
    def [](number)
      @functions.fetch(number)
    end

    # The function of that name; nil where there is none.
    def self.find(functions, name)
      snake = name.tr("-", "_").to_sym
      return functions[snake] || functions[snake.to_s] || functions[name] || functions[name.to_sym] if functions.is_a?(Hash)

      ->(*args) { functions.public_send(snake, *args) } if functions.respond_to?(snake)
    end

    private

    def give(interface, name, function)
      return if function.nil?
      raise TypeMismatchError, "the import #{interface}.#{name} is #{function.inspect}, which does not respond to call" unless function.respond_to?(:call)

      @core.give_number(interface, name, @functions.size)
      @functions << function
    end
  end
  private_constant :Imports
end
