# frozen_string_literal: true

require_relative "helper"

# Errors with fields have classes, and their causes, in both directions.
class TestErrorFields < Minitest::Test
  include Helper

  Types = GUEST.types
  NotFound = Types::NotFound

  def test_an_error_has_its_class_and_its_fields
    error = assert_raises(NotFound) { start.fail_with("marked") }
    assert_equal ["x", 4, "not found: x", "guest-error"], [error.key, error.code, error.message, error.kind]
    assert_kind_of Undergo::GuestError, error
    assert_equal({ key: "x", code: 4 }, error.to_h)
    assert_nil error.cause
    assert(error.backtrace.first.start_with?(__FILE__), error.backtrace.first)
    case error
    in { key: String => key } then assert_equal "x", key
    end
  end

  def test_what_it_wraps_is_its_cause
    error = assert_raises(Undergo::GuestError) { start.fail_with("wrapped") }
    assert_instance_of Undergo::GuestError, error
    assert_instance_of NotFound, error.cause
    assert_equal ["loading: not found: x", "not found: x", "x"], [error.message, error.cause.message, error.cause.key]
    assert_includes error.full_message(highlight: false), "not found: x"
    assert(error.backtrace.first.start_with?(__FILE__), error.backtrace.first)
  end

  def test_what_every_error_has_keeps_its_name
    clash = assert_raises(Undergo::GuestError) { start.fail_with("clash") }.cause
    assert_instance_of Types::Clash, clash
    assert_equal ["clash", "guest-error", nil], [clash.message, clash.kind, clash.cause]
    assert_equal ["m", "k", "because", ["a"], "n", -1], [clash.message_, clash.kind_, clash.cause_, clash.args, clash.name, clash.stack]
    hostile = Undergo::GuestError.define(:class, :object_id, :hash, :initialize, :instance_variable_get, :to_h, :backtrace, :end, :self)
    made = hostile.new(class: 1, object_id: 2, hash: 3, initialize: 4, instance_variable_get: 5, to_h: 6, backtrace: 7, end: 8, self: 9)
    assert_equal hostile, made.class
    assert_equal (1..9).to_a, [made.class_, made.object_id_, made.hash_, made.initialize_, made.instance_variable_get_, made.to_h_, made.backtrace_, made.end, made.self]
  end

  def test_an_error_is_made_like_a_struct
    error = NotFound.new(key: "x", code: 4)
    assert_equal "not found", error.message
    assert_equal ["", nil, []], [error.path, error.exit_code, error.frames]
    assert_equal NotFound.new(key: "x", code: 4), error
    refute_equal NotFound.new(key: "x", code: 5), error
    assert_nil NotFound.new.key
    assert_includes assert_raises(ArgumentError) { NotFound.new(kee: "x") }.message, "kee"
    assert_equal %i[key code], NotFound.members
    assert_equal "x", assert_raises(NotFound) { raise NotFound, key: "x" }.key
  end

  def test_a_class_that_does_not_fit
    [Struct.new(:key, :code), Undergo::GuestError, Undergo::GuestError.define(:key)].each do |type|
      given = Module.new.tap { |types| types.const_set(:NotFound, type) }
      error = assert_raises(Undergo::SignatureMismatchError) { Undergo::Plugin.load(GUEST_FILE, types: given) }
      assert_includes error.message, "should be a class of Undergo::GuestError with key, code"
    end
  end

  def test_an_error_as_an_ordinary_value
    guest = start
    found = guest.echo_not_found(NotFound.new(key: "k", code: -1))
    assert_equal [NotFound, "k", -1], [found.class, found.key, found.code]
    assert_equal "k", guest.echo_not_found({ key: "k", code: 1 }).key
    error = assert_raises(Undergo::TypeMismatchError) { guest.echo_not_found(NotFound.new(key: "k", code: "1")) }
    assert_equal "echo-not-found(e.code)", error.path
  end

  def test_go_gets_the_error_that_a_host_function_raises
    guest = start(lookup: ->(_) { raise NotFound.new("gone", key: "k", code: 7) })
    error = assert_raises(NotFound) { guest.lookup("x") }
    assert_equal ["k", 7], [error.key, error.code]
    assert_includes guest.looked("x"), "k 7"
  end

  def test_go_gets_it_as_a_cause
    error = assert_raises(Undergo::GuestError) { start.lookup_wrapped("kü") }
    assert_equal [nil, nil, "kü"], [error, error.cause, error.cause.cause].map { |link| link.is_a?(NotFound) ? link.key : nil }
    inherited = Class.new(NotFound) { def message = "mine" }
    assert_equal "k", assert_raises(NotFound) { start(lookup: ->(_) { raise inherited.new(key: "k", code: 1) }).lookup("x") }.key
  end

  def test_causes_may_be_long_or_a_circle
    circle = Class.new(StandardError) { attr_accessor :cause }
    one, two = circle.new("one"), circle.new("two")
    one.cause, two.cause = two, one
    assert_equal %w[one two], start(lookup: ->(_) { raise one }).looked("x")
    failing = Class.new(StandardError) { def cause = raise("no") }
    assert_equal ["x"], start(lookup: ->(_) { raise failing, "x" }).looked("x")
    raising = method(:deep)
    error = assert_raises(Undergo::GuestError) { start(lookup: ->(_) { raising.call(200) }).lookup("x") }
    causes = [error]
    causes << causes.last.cause while causes.last.cause
    assert_equal (0...64).map { |depth| (200 - depth).to_s }, causes.map(&:message)
  end

  def test_a_field_that_does_not_fit
    guest = start(lookup: ->(_) { raise NotFound.new(key: 5, code: 1) })
    error = assert_raises(Undergo::TypeMismatchError) { guest.lookup("x") }
    assert_includes error.path, "host.lookup -> not-found.key"
    refute_predicate guest, :alive?
  end

  def test_an_error_of_another_plugins_class_is_a_text
    other = Undergo::Plugin.load(GUEST_FILE).types::NotFound
    error = assert_raises(Undergo::GuestError) { start(lookup: ->(_) { raise other.new("theirs", key: "k", code: 1) }).lookup("x") }
    assert_equal [Undergo::GuestError, "theirs"], [error.class, error.message]
  end

  def test_the_collector_may_run_at_any_time
    guest = start
    GC.stress = true
    begin
      error = assert_raises(Undergo::GuestError) { guest.lookup_wrapped("k") }
    ensure
      GC.stress = false
    end
    assert_equal ["k", 404], [error.cause.cause.key, error.cause.cause.code]
  end

  private

  def deep(depth)
    deep(depth - 1) unless depth.zero?
    raise depth.to_s
  rescue StandardError
    raise depth.to_s
  end
end
