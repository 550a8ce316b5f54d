# frozen_string_literal: true

module Undergo
  # The functions that a plugin gets.
  class Imports
    # Each with the names of its interface and its own; an instance that is linked, or a service of
    # the library, with that of the interface and an empty one.
    attr_reader :functions

    # `given`: by interface and name, in either form, a Hash of Hashes of objects that respond to
    # `call`. An object may take the place of the inner Hash; its public methods, except those of
    # Object, are the functions. So may an Instance, whose exports they are then.
    def initialize(plugin, given)
      @functions = []
      given = (given || {}).to_h { |interface, functions| [interface.to_s.tr("_", "-"), functions] }
      plugin.imports.each do |interface, wanted|
        functions = given.fetch(interface) { given[interface.split("@").first] }
        if Instance === functions || KeyValue === functions
          @functions << [interface, "", functions]
        elsif !functions.nil?
          wanted.each_key { |name| give(interface, name, Imports.find(functions, name)) }
        end
      end
    end

    # The function of that name; nil if there is none. A plugin chooses the names, so of an object
    # it gets only the public methods of the object's own classes and modules, not those that every
    # object has.
    def self.find(functions, name)
      snake = name.tr("-", "_")
      if Hash === functions
        key = [snake.to_sym, snake, name, name.to_sym].find { |spelling| functions.key?(spelling) }
        return key.nil? ? nil : functions[key]
      end

      ->(*args) { functions.__send__(snake, *args) } if public?(functions, snake)
    end

    # Whether an object has such a public method of its own.
    def self.public?(object, name)
      # What Ruby itself calls (method_missing) is not callable.
      return false if !name.match?(/\A[a-z][a-z0-9_]*\z/i) || BasicObject.private_method_defined?(name)

      # The object is not asked, because its class may answer for any name.
      own = class << object; self; end
      own.public_method_defined?(name) && !Class.ancestors.include?(own.public_instance_method(name).owner)
    rescue TypeError
      # A number or a symbol has no class of its own.
      false
    end
    private_class_method :public?

    private

    def give(interface, name, function)
      return if function.nil?
      raise TypeMismatchError, "the import #{interface}.#{name} is #{function.inspect}, which does not respond to call" unless function.respond_to?(:call)

      @functions << [interface, name, function]
    end
  end
  private_constant :Imports
end
