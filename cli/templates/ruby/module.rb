# frozen_string_literal: true

# Typed access to the plugin {{ file }}.
#
# Written by undergo bindgen; don't edit it, but write it anew.

require "undergo"

# The plugin {{ file }}.
module {{ module }}
  {%- for ty in types %}
  {%- match ty %}
  {%- when Declared::Record { class, docs, fields, members, is_error } %}
  {{ docs|indent(2) }}
  #
  {%- for field in fields %}
  # - {{ field.name }} ({{ field.ty }}){% if !field.docs.is_empty() %}: {{ field.docs }}{% endif %}
  {%- endfor %}
  {%- if *is_error %}
  {{ class }} = ::Undergo::GuestError.define({{ members }})
  {%- else %}
  {{ class }} = ::Struct.new({{ members }}, keyword_init: true)
  {%- endif %}
  {%- when Declared::Enum { class, docs, cases } %}
  {{ docs|indent(2) }}
  module {{ class }}
    {%- for case in cases %}
    {{- case.docs|lines(4) }}
    {{ case.name }} = {{ case.symbol }}
    {%- endfor %}
  end
  {%- when Declared::Case { class, docs, ty } %}
  {{ docs|indent(2) }}
  {%- if let Some(ty) = ty %}
  #
  # - value ({{ ty }})
  {{ class }} = ::Struct.new(:value)
  {%- else %}
  {{ class }} = ::Class.new(::Undergo::Empty)
  {%- endif %}
  {%- when Declared::Variant { class, docs, cases } %}
  {{ docs|indent(2) }}
  module {{ class }}
    # The class of each case.
    CASES = {
      {%- for (symbol, class) in cases %}
      {{ symbol }} => {{ class }},
      {%- endfor %}
    }.freeze
    CASES.each_value { |type| type.include(self) }
  end
  {%- endmatch %}
{% endfor %}
  {%- for object in resources %}
  {{ object.docs|indent(2) }}
  class {{ object.class }} < ::Undergo::Resource
    {%- for method in object.methods %}
    {{ method.docs|indent(4) }}
    {%- if method.is_fallible %}
    #
    # Raises Undergo::GuestError when the method returns an error{% if method.has_errors %}: of the error's own class, where it has fields{% endif %}.
    {%- endif %}
    #: {{ method.signature }}
    def {{ method.name }}{{ method.params }}
      ::Kernel.raise ::NotImplementedError, {{ method.wit }}
    end
    {%- if !loop.last %}
{% endif %}
    {%- endfor %}
  end
{% endfor %}
  {%- for import in imports %}
  {{ import.docs|indent(2) }}
  module {{ import.class }}
    {%- for method in import.methods %}
    {{ method.docs|indent(4) }}
    {%- if method.is_fallible %}
    #
    # An exception that it raises is the error that the plugin gets.
    {%- endif %}
    #: {{ method.signature }}
    def {{ method.name }}{{ method.params }}
      ::Kernel.raise ::NotImplementedError, {{ method.missing }}
    end
    {%- if !loop.last %}
{% endif %}
    {%- endfor %}
  end
{% endfor %}
  # The functions of {{ file }}, for an instance or a pool to run.
  class {{ exports_class }}
    # All exports, whatever their names.
    attr_reader :exports

    def initialize(callee)
      @exports = callee.exports
    end
    {%- for method in exports %}

    {{ method.docs|indent(4) }}
    {%- if method.is_fallible %}
    #
    # Raises Undergo::GuestError when the function returns an error{% if method.has_errors %}: of the error's own class, where it has fields{% endif %}.
    {%- endif %}
    #: {{ method.signature }}
    def {{ method.name }}{{ method.params }}
      @exports[{{ method.wit }}].call{{ method.args }}
    end
    {%- endfor %}
  end

  # An instance of {{ file }}.
  class {{ instance }} < {{ exports_class }}
    # The instance that the methods call.
    attr_reader :instance

    # Compiles the plugin and makes an instance of it.
    def self.load(path, **options)
      new(::Undergo::Plugin.load(path, types: {{ module }}).instantiate(**options))
    end

    def initialize(instance)
      super(instance)
      @instance = instance
    end

    # The same functions, called with other options: seconds, and an Undergo::CancelToken.
    def using(timeout: nil, cancel: nil)
      {{ exports_class }}.new(@instance.using(timeout: timeout, cancel: cancel))
    end
  end

  # A pool of instances of {{ file }}.
  class {{ pool }} < {{ exports_class }}
    # The pool that the methods call.
    attr_reader :pool

    # Compiles the plugin and makes a pool of at most that many instances. With a block, gives it the pool, and closes that at its end.
    def self.load(path, size:, **options)
      pool = new(::Undergo::Plugin.load(path, types: {{ module }}).pool(size: size, **options))
      return pool unless block_given?

      begin
        yield pool
      ensure
        pool.close
      end
    end

    def initialize(pool)
      super(pool)
      @pool = pool
    end

    # The same functions, called with other options: seconds, and an Undergo::CancelToken.
    def using(timeout: nil, cancel: nil)
      {{ exports_class }}.new(@pool.using(timeout: timeout, cancel: cancel))
    end

    # Gives a block an instance that nobody else has until the block's end, and returns what the block returns.
    def instance(timeout: nil)
      @pool.instance(timeout: timeout) { |instance| yield {{ instance }}.new(instance) }
    end

    # Closes the pool, and waits for the calls that run.
    def close(timeout: nil)
      @pool.close(timeout: timeout)
    end
  end
end

