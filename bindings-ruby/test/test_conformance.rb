# frozen_string_literal: true

require "stringio"

require_relative "helper"

# The conformance list, run from Ruby; see conformance/README.md.
class TestConformance < Minitest::Test
  CAPABILITIES = %w[dynamic strict-records nanoseconds surrogates handles passing-on].freeze
  # How the guest is loaded, and what it has then, beside what Ruby has.
  FORMS = { module: %w[module], component: %w[component] }.freeze
  CASES = Dir[File.join(Helper::ROOT, "conformance", "cases", "*.json")].to_h do |path|
    file = JSON.parse(File.read(path), max_nesting: false)
    [File.basename(path, ".json"), file["cases"].map { |one| one.merge("needs" => [*file["needs"], *one["needs"]]) }]
  end

  # The cases of a file share an instance, one after the other.
  def self.test_order
    :alpha
  end

  RUNNERS = Hash.new { |made, (form, file)| made[[form, file]] = Runner.new(form) }

  FORMS.keys.product(CASES.to_a).each do |form, (file, cases)|
    cases.each_with_index do |one, number|
      name = format("test_%<form>s_%<file>s_%<number>04d_%<name>s", form: form, file: file, number: number, name: one["name"].gsub(/\W+/, "_"))
      define_method(name) do
        lacks = [*one["needs"], *one["steps"]&.flat_map { |step| step["needs"] || [] }].uniq - CAPABILITIES - FORMS.fetch(form)
        skip "a #{form} in Ruby lacks #{lacks.join(', ')}" unless lacks.empty?
        RUNNERS[[form, file]].run(one, self)
      end
    end
  end

  def test_each_export_has_a_case
    steps = CASES.values.flatten.flat_map { |one| one["steps"] || [one] }
    called = steps.filter_map { |step| (step["call"] || (step["new"] && "new-#{step['new']}"))&.tr("-", "_")&.to_sym }
    assert_empty Helper::GUEST.exports.keys - called
  end

  # An instance, and what its steps have beside their values.
  class Place
    include Helper

    attr_reader :instance, :host, :written

    def initialize(plugin, own)
      limits = own["limits"] || {}
      memory, timeout, handles = limits.values_at("memory_mib", "timeout_ms", "handles")
      sandbox = { args: own["args"] || [], env: own["env"] || {}, **Helper::QUIET }
      limits = { memory: memory && "#{memory}MiB", timeout: timeout && timeout / 1000.0, handles: handles }
      @host = Host.new
      @instance = start(@host, plugin: plugin, sandbox: sandbox, limits: limits)
      @written = {}
    end

    def callback(name)
      case name
      when "double" then ->(number) { 2 * number }
      when "fail" then ->(*) { raise ArgumentError, "the callback failed" }
      when "reenter" then @instance.exports[:echo_int64]
      when "apply-reenter" then ->(number) { @instance.apply([number]) { |one| 2 * one }.first }
      when "open-store" then @host.method(:open_store)
      when "note" then @host.method(:note)
      when "wrong-type" then ->(*) { "not a number" }
      else raise "there is no callback #{name}"
      end
    end

    def writer(name, most)
      Collector.new(@written[name] ||= "".b, most)
    end
  end

  # A stream that fails where it should end, or begins anew there.
  class Endless < StringIO
    def initialize(data, what)
      super(data)
      @what = what
    end

    def readpartial(most)
      super
    rescue EOFError
      raise IOError, "broken reader" if @what == "fail"

      rewind
      super
    end
  end

  # A stream that collects what is written to it.
  class Collector
    def initialize(data, most)
      @data = data
      @most = most
    end

    def write(bytes)
      raise IOError, "broken writer" if @most && @data.bytesize + bytes.bytesize > @most

      @data << bytes
      bytes.bytesize
    end
  end

  # Holds the instance that the cases of a file share.
  class Runner
    include Helper

    def initialize(form)
      @plugin = form == :component ? Helper.component : Helper::GUEST
      @is_component = form == :component
      @home = nil
      @special = false
      @kept = {}
      @all = []
    end

    def run(one, test)
      @test = test
      @name = one["name"]
      steps = one["steps"] || [one]
      own = one.slice("limits", "env")
      own["args"] = one["args"] if one.key?("steps") && one.key?("args")
      @home = Place.new(@plugin, own) if @home.nil? || one["fresh"] || !own.empty? || @special || !@home.instance.alive?
      @special = !own.empty?
      places = Hash.new { |made, name| made[name] = name ? Place.new(@plugin, own) : @home }
      begin
        steps.each { |step| step(places[step["in"]], step) }
      ensure
        @all.each(&:close)
        [@all, @kept, @home.written].each(&:clear)
      end
    end

    private

    def step(place, step)
      @place = place
      if step["error"]
        check_error(@test.assert_raises(StandardError, @name) { perform(step) }, step["error"])
      elsif step["end"]
        @test.assert_raises(StopIteration, @name) { perform(step) }
      else
        result = perform(step)
        check(result, step["result"]) if step.key?("result")
      end
      @test.assert_equal step["alive"], place.instance.alive?, @name if step.key?("alive")
    end

    def perform(step)
      name, *rest = step.values_at("call", "new", "close", "next", "read", "write", "written")
      made, closed, asked, read, written, collected = rest
      args = (step["args"] || []).each_with_index.map { |value, number| argument(value, parameter(name || "new-#{made}", number)) }
      if step["on"] then method(@kept.fetch(step["on"]), name.tr("-", "_")).call(*args)
      elsif name then @place.instance.exports[name].call(*args)
      elsif made then @place.instance.exports["new-#{made}"].call(*args)
      elsif closed then @kept.fetch(closed).close
      elsif asked then @kept.fetch(asked).next
      elsif read then @kept.fetch(read).read(step["most"]) || "".b
      elsif written then @kept.fetch(written).write(argument(step["data"]))
      elsif collected then @place.written.fetch(collected)
      else step.fetch("reset") && @place.instance.reset
      end
    end

    # Names that every object has get an underscore.
    def method(object, name)
      object.public_method(object.respond_to?("#{name}_") ? "#{name}_" : name)
    end

    # The type tells a long list of strings from a long string.
    def parameter(name, number)
      @plugin.table[name]&.types&.at(number).to_s
    end

    def argument(value, type = "")
      case value
      when Array then value.map { |item| argument(item) }
      when Hash
        key, inner = value.first
        return value.to_h { |name, item| [name.tr("-", "_").to_sym, argument(item)] } unless key&.start_with?("$")

        living(key, inner, value["then"]) || special(key, inner, type)
      else value
      end
    end

    # What lives longer than a step.
    def living(key, inner, after)
      case key
      when "$handle" then @kept.fetch(inner)
      when "$callback" then @place.callback(inner)
      when "$object" then @place.host.store
      when "$endless" then [argument(inner)].cycle
      when "$reader" then after ? Endless.new(argument(inner), after) : StringIO.new(argument(inner))
      when "$writer" then @place.writer(inner["as"], inner["most"])
      when "$items"
        items = argument(inner)
        after ? Enumerator.new { |all| items.each { |item| all << item } && raise(ArgumentError, "no more items") } : items
      end
    end

    def special(key, inner, type)
      case key
      when "$int" then Integer(inner)
      when "$float" then { "nan" => Float::NAN, "inf" => Float::INFINITY, "-inf" => -Float::INFINITY, "-0.0" => -0.0 }.fetch(inner) { Float(inner) }
      when "$bytes" then [inner].pack("H*")
      # A component's maps are lists of pairs.
      when "$map" then inner.map { |pair| pair.map { |item| argument(item) } }.then { |pairs| @is_component ? pairs : pairs.to_h }
      when "$duration" then Rational(Integer(inner), 1_000_000_000)
      when "$time" then Time.at(inner["seconds"], inner["nanoseconds"], :nsec, in: inner["offset"])
      when "$json" then inner
      when "$case"
        tag, *value = inner
        { tag: tag.tr("-", "_").to_sym, **(value.empty? ? {} : { val: argument(value.first) }) }
      when "$surrogate" then [Integer(inner, 16)].pack("U")
      when "$repeat"
        one = argument(inner["value"])
        one.is_a?(String) && (type == "list<u8>" || !type.start_with?("list<")) ? one * inner["count"] : [one] * inner["count"]
      else raise "there is no #{key}"
      end
    end

    # Compares a result with the JSON value that stands for it.
    def check(actual, expected)
      special = expected.is_a?(Hash) && expected.size == 1 && expected.keys.first
      case special
      when "$between" then return @test.assert_includes(expected["$between"].first..expected["$between"].last, actual, @name)
      when "$json" then return @test.assert_equal([expected["$json"]], [actual], @name)
      when "$repeat" then return check_repeated(actual, expected["$repeat"])
      when "$map" then return check_map(actual, expected["$map"])
      when "$case" then return check_case(actual, *expected["$case"])
      when "$keep" then return keep(actual, expected["$keep"])
      when "$items" then return check(actual.to_a, expected["$items"])
      when "$reader" then return check(actual.read, expected["$reader"])
      end
      case expected
      when Array
        @test.assert_equal expected.size, actual.size, @name
        actual.zip(expected) { |got, wanted| check(got, wanted) }
      when Hash then special.to_s.start_with?("$") ? check_one(actual, argument(expected)) : check_record(actual, expected)
      when String then @test.assert_equal expected, actual.is_a?(Symbol) ? actual.name.tr("_", "-") : actual, @name
      else check_one(actual, expected)
      end
    end

    def keep(actual, name)
      @test.assert_respond_to actual, :close, @name
      @kept[name] = actual
      @all << actual
    end

    def check_repeated(actual, expected)
      return @test.assert_equal(argument({ "$repeat" => expected }), actual, @name) if actual.is_a?(String)

      check(actual, [expected["value"]] * expected["count"])
    end

    def check_map(actual, pairs)
      @test.assert_instance_of @is_component ? Array : Hash, actual, @name
      actual = actual.to_h
      @test.assert_equal pairs.size, actual.size, @name
      pairs.each do |key, value|
        key = argument(key)
        key = key.tr("-", "_").to_sym if actual.keys.first.is_a?(Symbol)
        check(actual.fetch(key), value)
      end
    end

    def check_case(actual, tag, *value)
      @test.assert_equal value.empty? ? [:tag] : %i[tag val], actual.keys, @name
      @test.assert_equal tag, actual[:tag].name.tr("_", "-"), @name
      check(actual[:val], value.first) unless value.empty?
    end

    def check_record(actual, expected)
      fields = actual.to_h
      @test.assert_equal expected.keys.map { |name| name.tr("-", "_").to_sym }.sort, fields.keys.sort, @name
      expected.each { |name, value| check(fields[name.tr("-", "_").to_sym], value) }
    end

    def check_one(actual, wanted)
      case actual
      when Float
        wanted = Float(wanted)
        return @test.assert_predicate(wanted, :nan?, @name) if actual.nan?

        @test.assert_equal wanted, actual, @name
        @test.assert_equal 1 / wanted, 1 / actual, @name if wanted.zero?
      when Time
        @test.assert_equal [wanted, wanted.nsec, wanted.utc_offset], [actual, actual.nsec, actual.utc_offset], @name
      when nil then @test.assert_nil wanted, @name
      else
        @test.assert_equal wanted.class, actual.class, @name
        @test.assert_equal wanted, actual, @name
      end
    end

    def check_error(error, expected)
      if expected["kind"] == "host-error"
        # What a host function raised is what the caller gets.
        @test.assert_instance_of ArgumentError, error, @name
      else
        @test.assert_kind_of Undergo::Error, error, "#{@name}: #{error.full_message}"
        @test.assert_equal expected["kind"], error.kind, "#{@name}: #{error.message}"
        @test.assert_includes "#{error.path} #{error.message}", expected["path"] || "", @name
      end
      @test.assert_includes error.message, expected["contains"] || "", @name
      check_chain(error, expected["chain"]) if expected.key?("chain")
    end

    def check_chain(error, expected)
      chain = [error]
      chain << chain.last.cause while chain.last.cause
      @test.assert_equal expected.map { |link| link["text"] }, chain.map(&:message), @name
      chain.zip(expected) do |link, wanted|
        type = wanted["name"] ? @plugin.types.const_get(wanted["name"].split("-").map(&:capitalize).join) : Undergo::GuestError
        @test.assert_instance_of type, link, @name
        check_record(link, wanted["fields"]) if wanted["name"]
      end
    end
  end
end
