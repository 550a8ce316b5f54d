# frozen_string_literal: true

require "stringio"
require "tempfile"

require_relative "helper"

# Objects, functions, iterators and streams that live longer than a call. The conformance list has
# what they do; here is how Ruby has them, and what may go wrong.
class TestHandles < Minitest::Test
  include Helper

  def test_an_object
    guest = start
    tally = guest.new_tally(5)
    assert_kind_of Undergo::Resource, tally
    assert_instance_of GUEST.types::Tally, tally
    assert_equal 8, tally.add(3)
    assert_equal 9, tally.add(n: 1)
    assert_equal "#<Undergo::Resource tally>", tally.inspect
    tally.close
    assert_predicate tally, :closed?
    assert_equal 1, guest.closed_tallies
    assert_includes assert_raises(Undergo::TypeMismatchError) { tally.value }.message, "closed"
  end

  def test_a_block_has_an_object_until_its_end
    guest = start
    assert_equal 6, guest.new_tally(5) { |tally| tally.add(1) }
    kept = nil
    assert_raises(KeyError) { guest.new_tally(5) { |tally| raise KeyError, (kept = tally).inspect } }
    assert_equal 7, catch(:out) { guest.using(timeout: 10).new_tally(5) { throw :out, 7 } }
    assert_predicate kept, :closed?
    assert_equal [3, true], [guest.closed_tallies, guest.alive?]
  end

  def test_the_names_that_every_object_has_are_kept
    start.new_lamp { |lamp| assert_equal [lamp.class, GUEST.types::Lamp], [GUEST.types::Lamp, lamp.class] }
    assert_includes GUEST.types::Lamp.instance_methods(false), :class_
    assert_includes GUEST.exports, :new_lamp
  end

  # As `undergo bindgen` writes it.
  module Typed
    class Tally < Undergo::Resource
      def value
        raise NotImplementedError, "value"
      end

      def twice
        2 * value
      end
    end
  end

  module Wrong
    class Tally
    end
  end

  def test_classes_that_are_given
    host = Host.new
    guest = Undergo::Plugin.load(GUEST_FILE, types: Typed).instantiate(imports: { host: host }, sandbox: QUIET)
    tally = guest.new_tally(5)
    assert_kind_of Typed::Tally, tally
    assert_equal [5, 10, 6], [tally.value, tally.twice, tally.add(1)]
    error = assert_raises(Undergo::SignatureMismatchError) { Undergo::Plugin.load(GUEST_FILE, types: Wrong) }
    assert_includes error.message, "Undergo::Resource"
  end

  def test_a_module_that_bindgen_writes
    undergo = Helper.built("UNDERGO", File.join("bin", "undergo"))
    Tempfile.create(["plugin", ".rb"]) do |file|
      assert system(undergo, "bindgen", GUEST_FILE, "--lang", "ruby", "-o", file.path)
      written = Module.new { module_eval(File.read(file.path), file.path) }
      plugin = written.const_get(written.constants.first)
      guest = plugin::Instance.load(GUEST_FILE, imports: { host: Host.new }, sandbox: QUIET)
      assert_equal([2, 4], guest.apply([1, 2]) { |number| 2 * number })
      assert_equal [3], guest.apply([3], ->(number) { number })
      tally = guest.new_tally(5) { |made| made.tap { assert_equal 6, made.update { |value| value + 1 } } }
      assert_equal [plugin::Tally, true], [tally.class.superclass, tally.closed?]
      assert_equal ["class x", [0, 1]], [guest.new_lamp.class_("x", true), guest.numbers(2).to_a]
    end
  end

  def test_objects_are_not_made_nor_copied_by_others
    tally = start.new_tally(1)
    assert_includes assert_raises(TypeError) { tally.class.new(1) }.message, "instance.new_tally"
    assert_raises(TypeError) { tally.dup }
    assert_raises(TypeError) { Marshal.dump(tally) }
  end

  def test_objects_of_another_instance
    first, second = start, start
    tally = first.new_tally(1)
    assert_includes assert_raises(Undergo::TypeMismatchError) { second.sum_tallies(tally, tally) }.message, "another instance"
    assert_raises(Undergo::TypeMismatchError) { first.sum_tallies(tally, first.new_lamp) }
    assert_raises(Undergo::TypeMismatchError) { first.sum_tallies(tally, Object.new) }
    assert_equal 2, first.sum_tallies(tally, tally)
  end

  def test_objects_end_with_a_reset
    guest = start
    tally, numbers, stream = guest.new_tally(1), guest.numbers(3), guest.repeat_stream("ab", 2)
    guest.reset
    [-> { tally.value }, -> { numbers.next }, -> { stream.read }].each { |call| assert_raises(Undergo::TypeMismatchError, &call) }
    [tally, numbers, stream].each(&:close)
    assert_equal Undergo::Handles.new(0, 0), guest.handles
  end

  def test_the_collector_releases_objects
    guest = start
    Thread.new { 50.times { guest.new_tally(1).value } }.join
    eventually do
      GC.start
      guest.closed_tallies
      guest.handles.given < 5
    end
  end

  def test_functions_that_refer_to_their_instance_are_freed
    skip "there is no WeakMap" unless defined?(ObjectSpace::WeakMap)
    weak = ObjectSpace::WeakMap.new
    make = lambda do |number|
      guest = start
      guest.keep_op(->(one) { guest.echo_int64(one) + number })
      assert_equal number + 1, guest.call_kept(1)
      weak[guest] = true
    end
    20.times { |number| Thread.new { make.call(number) }.join }
    eventually do
      GC.start
      weak.size < 5
    end
  end

  def test_callables
    guest = start
    add = ->(number) { number + 1 }
    assert_equal [2, 3], guest.apply([1, 2], add)
    assert_equal [2, 3], guest.apply([1, 2], 1.method(:+))
    assert_equal([2, 3], guest.apply([1, 2]) { |number| number + 1 })
    assert_equal([2, 3], guest.apply(xs: [1, 2]) { |number| number + 1 })
    assert_equal([2, 3], guest.exports[:apply].call([1, 2]) { |number| number + 1 })
    assert_equal(12, guest.compose(5, add) { |number| number * 2 })
    assert_raises(Undergo::TypeMismatchError) { guest.apply([1], add) { 1 } }
    assert_raises(Undergo::TypeMismatchError) { guest.apply([1]) }
    assert_equal [3], guest.apply([3], guest.exports[:echo_int64])
  end

  def test_jumps_out_of_a_block_end_the_instance
    leave = {
      break: ->(guest) { guest.apply([1]) { break 7 } },
      throw: ->(guest) { catch(:out) { guest.apply([1]) { throw :out, 7 } } },
      timeout: ->(guest) { assert_raises(Timeout::Error) { Timeout.timeout(0.05) { guest.apply([1]) { sleep } } } && 7 },
      kill: ->(guest) { Thread.new { guest.apply([1]) { Thread.current.kill } }.join && 7 },
      items: ->(guest) { catch(:out) { guest.sum_items(Enumerator.new { |all| all << 1 << throw(:out, 7) }.each_entry) } }
    }
    leave.each do |name, call|
      guest = start
      result = name == :items ? assert_raises(UncaughtThrowError) { call.call(guest) } && 7 : call.call(guest)
      assert_equal 7, result, name
      refute_predicate guest, :alive?, name
    end
  end

  def test_an_exception_is_the_error_of_the_function
    guest = start
    error = assert_raises(Undergo::GuestError) { guest.apply([1]) { raise KeyError, "no key" } }
    assert_includes error.message, "no key"
    assert_predicate guest, :alive?
    assert_raises(KeyError) { guest.apply_plain([1]) { raise KeyError, "no key" } }
  end

  def test_objects_of_the_host
    guest = start
    assert_equal 3, guest.sum_sizes([Struct.new(:size) { def get = nil; def put = nil; def child = nil }.new(3)], nil)
    hash = { get: ->(key) { "#{key}!" }, put: ->(*) {}, size: -> { 1 }, child: ->(_) {} }
    assert_equal "a!", guest.store_get(hash, "a")
    error = assert_raises(Undergo::TypeMismatchError) { guest.store_get(Object.new, "a") }
    assert_includes error.message, "Object has no public method get, put, size, child"
  end

  def test_an_iterator_is_an_enumerator
    guest = start
    assert_kind_of Enumerator, guest.numbers(3)
    assert_equal [0, 2, 4], guest.numbers(3).map { |number| 2 * number }
    assert_equal [[0, 0], [1, 1]], guest.numbers(2).with_index.to_a
    assert_equal [1, 3], guest.count_forever.lazy.select(&:odd?).first(2)
    assert_equal({ "k0" => 0, "k1" => 1 }, guest.entries(2).to_h)
    assert_equal %w[k0 k1], guest.entries(2).map { |key, _| key }
    items = guest.numbers(2)
    assert_equal [0, 0, 1], [items.peek, items.next, items.next]
    assert_raises(StopIteration) { items.next }
    assert_predicate items, :closed?
    assert_raises(NotImplementedError) { items.rewind }
    assert_empty items.to_a
  end

  def test_leaving_early_stops_the_function
    guest = start
    guest.count_forever.each { |number| break if number == 10 }
    guest.count_forever.first(3)
    catch(:out) { guest.count_forever.each { throw :out } }
    assert_raises(KeyError) { guest.count_forever.each { raise KeyError } }
    assert_equal 4, guest.ended
    items = guest.count_forever
    assert_equal [0, 1], [items.next, items.next]
    items.close
    items.close
    assert_equal 1, guest.ended
    assert_raises(Undergo::TypeMismatchError) { items.next }
    assert_equal Undergo::Handles.new(0, 0), guest.handles
  end

  def test_iterables
    guest = start
    assert_equal 6, guest.sum_items(1..3)
    assert_equal 6, guest.sum_items([1, 2, 3].each)
    assert_equal 6, guest.sum_items((1..).lazy.first(3))
    assert_equal 6, guest.sum_items(guest.numbers(4))
    assert_equal({ "a" => 1, "b" => 2 }, guest.collect_entries({ "a" => 1, "b" => 2 }))
    assert_equal({ "a" => 0 }, guest.collect_entries(%w[a].each_with_index))
    assert_equal [1, 2], guest.first_items(1.., 2)
    assert_raises(Undergo::TypeMismatchError) { guest.sum_items("text") }
    assert_raises(Undergo::TypeMismatchError) { guest.sum_items(nil) }
  end

  def test_an_endless_iterable_under_a_deadline
    guest = start(limits: { timeout: 0.3 })
    assert_raises(Undergo::TimeoutError) { guest.sum_items(1..) }
    refute_predicate guest, :alive?
  end

  def test_streams_of_the_guest
    guest = start
    stream = guest.repeat_stream("abc", 3)
    assert_equal ["ab", "c", "abcabc", "", nil], [stream.read(2), stream.readpartial(1), stream.read, stream.read, stream.read(1)]
    assert_predicate stream, :eof?
    assert_raises(EOFError) { stream.readpartial(1) }
    stream.close
    assert_raises(IOError) { stream.read }
    assert_equal "ab" * 1000, guest.repeat_stream("ab", 1000).each.to_a.join
    into = +""
    assert_equal 9, IO.copy_stream(guest.repeat_stream("abc", 3), StringIO.new(into))
    assert_equal "abcabcabc", into
    writer = guest.collect_stream(100, "")
    assert_equal 4, writer.write("ab", 12)
    IO.copy_stream(StringIO.new("cd"), writer << "!")
    assert_equal "ab12!cd", guest.collected
    writer.close
    assert_raises(IOError) { writer.write("x") }
  end

  def test_streams_of_the_host
    guest = start
    reader, writer = IO.pipe
    thread = Thread.new { 3.times { writer.write("ab") }.then { writer.close } }
    out = StringIO.new
    assert_equal 6, guest.copy_stream(out, reader)
    thread.join
    assert_equal "ababab", out.string
    File.open(__FILE__, "rb") { |file| assert_equal File.binread(__FILE__), guest.read_stream(file) }
    assert_equal "ü".b, guest.read_stream(StringIO.new("ü"))
    error = assert_raises(Undergo::TypeMismatchError) { guest.read_stream(5) }
    assert_includes error.message, "Integer is no stream to read from"
    assert_raises(Undergo::TypeMismatchError) { guest.copy_stream(5, out) }
  end

  def test_a_guest_does_not_say_how_much_room_a_stream_makes
    asked = []
    %i[read readpartial].each do |name|
      io = Object.new
      io.define_singleton_method(name) { |most| asked.push(most).then { nil } }
      assert_equal "", Undergo.const_get(:Source).new(io).read((1 << 32) - 1)
    end
    assert_equal [256 << 10] * 2, asked
  end

  def test_a_pool_lends_an_instance
    pool = start_pool(1)
    kept = nil
    assert_equal 3, pool.instance { |guest| (kept = guest.new_tally(1)).add(2) }
    assert_predicate kept, :closed?
    assert_raises(Undergo::TypeMismatchError, Undergo::DeadInstanceError) { kept.value }
    guest = pool.instance { |lent| lent }
    refute_predicate guest, :alive?
    assert_raises(Undergo::DeadInstanceError) { guest.counter }
    assert_equal 7, pool.instance { break 7 }
    assert_equal 1, pool.stats.idle
    assert_includes assert_raises(Undergo::SignatureMismatchError) { pool.new_tally(1) }.message, "handles"
    assert_equal([4], pool.apply([2]) { |number| 2 * number })
  end

  def test_how_many_handles_there_may_be
    guest = start(limits: { handles: 10 })
    assert_equal 10, guest.count_up(10).size
    assert_raises(Undergo::OutOfMemoryError) { guest.count_up(11) }
    assert_raises(ArgumentError) { Undergo::Limits.new(handles: -1) }
  end

  def test_under_pressure_of_the_collector
    guest = start
    GC.stress = true
    tally = guest.new_tally(2)
    assert_equal([4], guest.apply([2]) { |number| number * tally.value })
    assert_equal [0, 1, 2], guest.numbers(3).to_a
    assert_equal "abab", guest.read_stream(guest.repeat_stream("ab", 2))
  ensure
    GC.stress = false
  end
end
