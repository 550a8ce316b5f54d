# frozen_string_literal: true

require "pathname"
require "tmpdir"
require_relative "helper"

# Arguments, names, and what plugins and instances tell of themselves.
class TestCalls < Minitest::Test
  include Helper

  def setup
    @guest = start
  end

  def test_arguments_by_position_and_by_name
    assert_equal [3, 1], @guest.divmod(10, 3)
    assert_equal [3, 1], @guest.divmod(10, b: 3)
    assert_equal [3, 1], @guest.divmod(b: 3, a: 10)
  end

  def test_wrong_arguments_show_the_signature
    [[[1], {}], [[1, 2, 3], {}], [[1], { c: 2 }], [[1], { a: 2 }]].each do |args, named|
      error = assert_raises(Undergo::TypeMismatchError) { @guest.divmod(*args, **named) }
      assert_includes error.message, "divmod(a: s64, b: s64)"
    end
  end

  # What a plugin may import of an object.
  class Store
    attr_reader :slot

    def initialize(slot = nil)
      @slot = slot
    end

    def get = 1

    def get_class = 2

    def self.of_class = 3

    def method_missing(name, *) = raise(name.to_s)

    def respond_to_missing?(*) = true

    protected def guarded = 4

    private def secret = 5
  end

  def test_a_plugin_reaches_the_public_methods_of_an_object_and_its_classes_alone
    imports = Undergo.send(:const_get, :Imports)
    find = ->(object, name) { imports.find(object, name)&.call }
    assert_equal [1, 2, 3, 6], [find[Store.new, "get"], find[Store.new, "get-class"], find[Store, "of-class"], find[Store.new(6), "slot"]]
    assert_equal 7, find[Module.new { def self.get = 7 }, "get"]
    names = %w[send public-send __send__ instance-eval eval system exit fork method-missing respond-to hash class object-id secret guarded nothing tap then dup itself _x ==]
    assert_empty(names.select { |name| imports.find(Store.new, name) })
    assert_empty(%w[new allocate const-get class-eval define-method instance-method name].select { |name| imports.find(Store, name) })
    # A Hash gives its keys.
    assert_equal [8, nil, nil], [find[{ get: -> { 8 } }, "get"], imports.find({ get: 1 }, "delete"), imports.find(Hash.new { 9 }, "get")]
    assert_nil imports.find(BasicObject.new, "instance_eval")
    assert_nil imports.find(3, "times")
  end

  def test_json_is_exact_both_ways
    [2**53 + 1, -(2**63), 2**64 - 1, 10**40, 0.1, 5e-324, 1e300, "ü\u0000\"", nil, true, [], {}].each do |value|
      [value, [value], { "a" => { "b" => value } }].each do |given|
        assert_equal [given], [@guest.echo_any(given)]
        assert_equal [given], [@guest.echo_raw(given)]
      end
    end
    assert_equal({ "a" => "b" }, @guest.echo_any({ a: :b }))
  end

  def test_what_json_cannot_hold_is_named_with_the_way_to_it
    loop_of_lists = []
    loop_of_lists << loop_of_lists
    {
      { "a" => [1, Float::NAN] } => ["(v.a[1])", "NaN is no number of JSON"],
      [Float::INFINITY] => ["(v[0])", "no number of JSON"],
      { "a b" => Object.new } => ['(v["a b"])', "JSON has no Object"],
      [1r] => ["(v[0])", "JSON has no Rational"],
      [Time.now] => ["(v[0])", "JSON has no Time"],
      ["\xff"] => ["(v[0])", "JSON has no bytes"],
      [{ 1 => 2 }] => ["(v[0])", "keys of an object in JSON are strings, and one is Integer"],
      loop_of_lists => ["", "contains itself"]
    }.each do |value, texts|
      error = assert_raises(Undergo::TypeMismatchError) { @guest.echo_any(value) }
      texts.each { |text| assert_includes error.message, text }
    end
    assert_equal 1, @guest.echo_any(1)
  end

  def test_trailing_options_may_be_left_out
    assert_nil @guest.maybe_int
    assert_equal 5, @guest.maybe_int(5)
  end

  def test_names_that_are_taken_are_in_exports
    assert_equal GUEST.exports.size, @guest.exports.size
    assert_equal "x", @guest.exports["echo-string"].call("x")
    assert_equal "x", @guest.exports.echo_string("x")
    assert_equal %w[a b], %w[a b].map(&@guest.exports[:echo_string])
    assert_includes @guest.exports, :echo_string
    assert_equal "echo-string", @guest.exports[:echo_string].wit_name
    assert_equal "echo-string(s: string) -> string", @guest.exports[:echo_string].signature
    assert_equal [:s], @guest.exports[:echo_string].parameters
    assert_respond_to @guest, :echo_string
    refute_respond_to @guest, :echo_nothing
    assert_equal @guest.exports.names, @guest.exports.map(&:name)
  end

  def test_plugins_tell_of_themselves
    assert_equal "conformance.wasm", GUEST.name
    assert_equal :reactor, GUEST.kind
    assert_includes %i[fast best], GUEST.tier
    assert_includes GUEST.interface, "export echo-string"
    assert_match(/\Ago1\./, GUEST.go_version)
    assert_empty GUEST.diagnostics
    assert_equal "echo-string(s: string) -> string", GUEST.imports["host"]["echo-string"].sub("(v:", "(s:")
    assert_includes GUEST.inspect, "conformance.wasm"
    assert_same GUEST, @guest.plugin
    GUEST.wait_compiled
    assert_equal :best, GUEST.tier
  end

  def test_records_are_structs
    made = GUEST.types::Point.new(x: 1.5, y: -2.0, tag: 7)
    back = @guest.echo_point(made)
    assert_equal made, back
    assert_instance_of GUEST.types::Point, back
    assert_equal 1.5, back.x
    assert_equal "#<Point x=1.5, y=-2.0, tag=7>", back.inspect
    back in { x: Float => x }
    assert_equal 1.5, x
    assert_equal made, @guest.echo_point({ "x" => 1.5, "y" => -2.0, "tag" => 7 })
    assert_includes assert_raises(Undergo::TypeMismatchError) { @guest.echo_point({ x: 1.0, y: 1.0, tak: 1 }) }.message, "did you mean 'tag'"
  end

  def test_classes_of_the_user_stand_for_records
    own = Module.new
    own.const_set(:Point, Struct.new(:x, :y, :tag))
    guest = Undergo::Plugin.load(GUEST_FILE, types: own)
                           .instantiate(imports: { host: Host.new }, sandbox: QUIET)
    assert_equal own::Point.new(1.0, 2.0, 3), guest.echo_point(own::Point.new(1.0, 2.0, 3))
    own.const_set(:Address, Struct.new(:elsewhere))
    assert_raises(Undergo::SignatureMismatchError) { Undergo::Plugin.load(GUEST_FILE, types: own) }
  end

  def test_enums_take_symbols_and_names
    assert_equal :dark_blue, @guest.echo_color(:dark_blue)
    assert_equal :dark_blue, @guest.echo_color("dark-blue")
    assert_equal :dark_blue, GUEST.types::Color::DARK_BLUE
    assert_includes assert_raises(Undergo::TypeMismatchError) { @guest.echo_color(:purple) }.message, "purple"
  end

  def test_strings_are_text_and_bytes
    assert_equal Encoding::UTF_8, @guest.echo_string("grüße").encoding
    assert_equal "grüße", @guest.echo_string("grüße".encode(Encoding::UTF_16LE))
    assert_equal "grüße", @guest.echo_string("grüße".b)
    assert_equal Encoding::BINARY, @guest.echo_bytes("\xFF\x00".b).encoding
    assert_includes assert_raises(Undergo::TypeMismatchError) { @guest.echo_string("\xFF") }.message, "UTF-8"
    assert_includes assert_raises(Undergo::TypeMismatchError) { @guest.echo_bytes("text") }.message, "text.b"
    large = Random.bytes(1 << 20)
    assert_equal large, @guest.echo_bytes(large)
  end

  def test_durations_are_seconds
    assert_equal Rational(3, 2), @guest.echo_duration(1.5)
    assert_equal 2, @guest.echo_duration(2)
    assert_raises(Undergo::TypeMismatchError) { @guest.echo_duration(1e30) }
    assert_raises(Undergo::TypeMismatchError) { @guest.echo_duration(Float::NAN) }
  end

  # Classes of the program's own, whose methods say something else than what is there.
  def test_no_code_runs_while_an_argument_is_read
    list = Class.new(Array) { %i[each size length [] to_a].each { |name| define_method(name) { |*| raise name.to_s } } }
    hash = Class.new(Hash) { %i[each size keys [] to_h].each { |name| define_method(name) { |*| raise name.to_s } } }
    struct = Class.new(Struct.new(:x, :y, :tag)) { %i[to_h members x [] each].each { |name| define_method(name) { |*| raise name.to_s } } }
    text = Class.new(String) { %i[bytesize encode encoding b to_s].each { |name| define_method(name) { |*| raise name.to_s } } }
    assert_equal %w[a b], @guest.echo_strings(list.new(["a", text.new("b")]))
    assert_equal({ "a" => 1 }, @guest.echo_counts(hash.new.merge!("a" => 1)))
    assert_equal [1, { "a" => nil }], @guest.echo_any(list.new([1, hash.new.merge!("a" => nil)]))
    assert_equal GUEST.types::Point.new(x: 1.0, y: 2.0, tag: 3), @guest.echo_point(struct.new(1.0, 2.0, 3))
    assert_equal "text", @guest.echo_string(text.new("text"))
  end

  def test_bytes_are_those_of_the_call
    bytes = Random.bytes(1 << 20)
    before = bytes.dup
    changing = Thread.new { 200.times { bytes.setbyte(rand(1 << 20), rand(256)) } }
    20.times { assert_equal 1 << 20, @guest.echo_bytes(bytes).bytesize }
    changing.join
    sent = before.dup
    guest = start(echo_string: ->(text) { text.tap { sent.clear } })
    assert_equal before, guest.through_host("", sent, 0, [], [])[1]
  end

  def test_of_equal_keys_the_last_counts
    assert_equal({ "a" => 2 }, @guest.echo_counts({ "a" => 1, a: 2 }))
    apart = {}.compare_by_identity
    [1, 2].each { |value| apart[+"a"] = value }
    assert_equal [2, { "a" => 2 }], [apart.size, @guest.echo_counts(apart)]
  end

  def test_a_number_of_json_has_so_many_digits
    digits = "7" * 4300
    assert_equal digits.to_i, @guest.echo_raw(digits.to_i)
    error = assert_raises(Undergo::TypeMismatchError) { @guest.echo_raw((digits * 10).to_i) }
    assert_includes error.message, "a number has 43000 digits"
  end

  def test_what_can_not_cross
    assert_includes assert_raises(Undergo::TypeMismatchError) { @guest.echo_string(Object.new) }.message, "got Object"
    cyclic = []
    cyclic << cyclic
    assert_includes assert_raises(Undergo::TypeMismatchError) { @guest.echo_strings(cyclic) }.message, "expected string, got Array"
    assert_includes assert_raises(Undergo::TypeMismatchError) { @guest.echo_int64(1 << 70) }.message, (1 << 70).to_s
  end

  def test_using_gives_other_options_to_the_same_instance
    fast = @guest.using(timeout: 10)
    assert_equal 1, fast.counter
    assert_equal 2, @guest.counter
    assert_equal 3, fast.exports[:counter].call
    assert_raises(ArgumentError) { @guest.using(timeout: -1) }
    assert_raises(ArgumentError) { @guest.using(timeout: "soon") }
    assert_raises(Undergo::TypeMismatchError) { @guest.using(cancel: Object.new) }
  end

  def test_memory_is_read_and_written
    assert_operator @guest.memory.size, :>, 65_536
    before = @guest.memory.read(1024, 4)
    @guest.memory.write(1024, "abcd")
    assert_equal "abcd".b, @guest.memory.read(1024, 4)
    @guest.memory.write(1024, before)
    assert_raises(Undergo::TypeMismatchError) { @guest.memory.read(@guest.memory.size, 1) }
    assert_raises(Undergo::TypeMismatchError) { @guest.memory.read(-1, 1) }
    assert_raises(Undergo::TypeMismatchError) { @guest.memory.write((1 << 32) - 1, "ab") }
    sizes = []
    other = start(note: ->(_) { sizes << other.memory.size })
    other.notes(["x"])
    assert_equal [other.memory.size], sizes
  end

  def test_loading_ends
    fresh = { compile: :fast, cache: false, bounds: 2 }
    assert_raises(Undergo::TimeoutError) { Undergo::Plugin.load(GUEST_FILE, timeout: 1e-9, **fresh) }
    token = Undergo::CancelToken.new
    token.cancel
    assert_raises(Undergo::CancelledError) { Undergo::Plugin.load(GUEST_FILE, cancel: token, **fresh) }
    error = assert_raises(Undergo::InvalidPluginError) { Undergo::Plugin.load(GUEST_FILE, compiler: "/nowhere/undergo", **fresh) }
    assert_includes error.message, "can't be started"
    assert_raises(ArgumentError) { Undergo::Plugin.load(GUEST_FILE, bounds: 0) }
    assert_raises(Undergo::TypeMismatchError) { Undergo::Plugin.load(GUEST_FILE, cancel: 3) }
    assert_equal "conformance.wasm", Undergo::Plugin.load(GUEST_FILE, timeout: 300, **fresh).name
    assert_raises(ArgumentError) { Undergo::Plugin.load(GUEST_FILE, optimize: "no") }
    assert_equal "conformance.wasm", Undergo::Plugin.load(GUEST_FILE, optimize: false, **fresh).name
  end

  def test_a_plugin_loads_from_bytes_and_other_paths
    bytes = File.binread(GUEST_FILE)
    plugin = Undergo::Plugin.compile(bytes, name: "mine", compile: :fast)
    assert_equal "mine", plugin.name
    Dir.mktmpdir do |folder|
      assert_equal "conformance.wasm", Undergo::Plugin.load(Pathname(GUEST_FILE), cache: folder, compile: :fast).name
      refute_empty Dir.children(folder)
    end
    assert_raises(ArgumentError) { Undergo::Plugin.compile(bytes, compile: :slow) }
    assert_equal 1, Undergo.load(GUEST_FILE, imports: { host: Host.new }, sandbox: QUIET).counter
  end

  def test_background_goroutines_run_when_they_are_polled
    @guest.start_background
    before = @guest.background
    @guest.poll
    assert_operator @guest.background, :>, before
  end

  def test_a_reset_gives_back_the_beginning
    assert_equal 1, @guest.counter
    @guest.reset
    assert_equal 1, @guest.counter
    assert_raises(Undergo::PanicError) { @guest.panic("x") }
    @guest.reset
    assert_predicate @guest, :alive?
    assert_equal 1, @guest.counter
    busy = start(note: ->(_) { busy.reset })
    assert_raises(Undergo::BusyError) { busy.notes(["x"]) }
  end

  def test_what_a_call_used
    @guest.sleep(30)
    assert_in_delta 0.03, @guest.usage.time, 0.5
    assert_operator @guest.usage.time, :>=, 0.03
    assert_operator @guest.usage.memory, :>, 65_536
    assert_nil @guest.usage.fuel
    counted = start(limits: { fuel: 1_000_000_000 })
    counted.counter
    assert_operator counted.usage.fuel, :>, 0
  end
end
