# frozen_string_literal: true

require_relative "helper"

# Every kind of error has its class, and carries what a person needs.
class TestErrors < Minitest::Test
  include Helper

  def test_each_kind_has_a_class
    assert_equal Undergo::ERROR_KINDS.sort, Undergo::Error.by_kind.keys.sort
    Undergo::Error.by_kind.each do |kind, type|
      assert_operator type, :<, Undergo::Error
      assert_equal kind, type.new("x").kind
      name = kind.split("-").map(&:capitalize).join.delete_suffix("Error")
      assert_same type, Undergo.const_get("#{name}Error")
    end
  end

  def test_a_panic_has_the_message_and_the_go_trace
    guest = start
    error = assert_raises(Undergo::PanicError) { guest.panic("oh dear") }
    assert_equal "oh dear", error.sentence
    assert_equal "main.Panic", error.frames.first.function
    assert_match(/lifecycle\.go\z/, error.frames.first.file)
    assert_includes error.stderr, "goroutine 1"
    assert_match(/lifecycle\.go:\d+:in `main\.Panic'/, error.backtrace.first)
    assert(error.backtrace.any? { |line| line.include?(__FILE__) })
    dead = assert_raises(Undergo::DeadInstanceError) { guest.echo_string("x") }
    assert_includes dead.message, "its end was panic: oh dear"
  end

  def test_exit_is_not_a_trap
    guest = start
    assert_equal 3, assert_raises(Undergo::ExitError) { guest.exit(3) }.exit_code
    refute_predicate guest, :alive?
  end

  def test_a_go_error_leaves_the_instance_alive
    guest = start
    assert_equal "no such thing", assert_raises(Undergo::GuestError) { guest.fail("no such thing") }.sentence
    assert_predicate guest, :alive?
  end

  def test_an_exception_of_a_host_function_comes_back_as_the_same_object
    raised = Class.new(StandardError).new("mine")
    guest = start(crash: ->(_) { raise raised })
    assert_same raised, assert_raises(raised.class) { guest.crash("x") }
    assert(raised.backtrace.first.start_with?(__FILE__), raised.backtrace.first)
    refute_predicate guest, :alive?
  end

  def test_go_gets_the_failure_where_the_import_returns_an_error
    guest = start
    assert_includes guest.catch_failure("oh dear"), "oh dear"
    assert_predicate guest, :alive?
  end

  def test_what_is_no_standard_error_is_no_go_error
    [Interrupt, SystemExit, NoMemoryError].each do |type|
      guest = start(fail: ->(_) { raise type })
      assert_raises(type) { guest.catch_failure("x") }
      refute_predicate guest, :alive?
    end
  end

  def test_a_host_function_may_throw
    guest = start(fail: ->(message) { throw :left, message })
    assert_equal "with this", catch(:left) { guest.catch_failure("with this") }
    refute_predicate guest, :alive?
    assert_equal 1, start.counter
  end

  def test_a_host_function_of_the_wrong_type
    guest = start
    error = assert_raises(Undergo::TypeMismatchError) { guest.wrong_type }
    assert_includes error.path, "host.wrong-type -> result"
    assert_includes error.message, "expected s32, got String"
    refute_predicate guest, :alive?
  end

  def test_all_missing_functions_are_named
    error = assert_raises(Undergo::MissingImportError) { GUEST.instantiate(imports: { host: { echo_string: ->(s) { s } } }) }
    assert_includes error.message, "host.echo-bytes(v: list<u8>) -> list<u8>"
    assert_includes error.message, "host.reenter(depth: s32)"
    refute_includes error.message, "echo-string("
    assert_includes assert_raises(Undergo::TypeMismatchError) { GUEST.instantiate(imports: { host: { echo_string: 5 } }) }.message, "does not respond to call"
  end

  def test_an_unknown_export_names_near_ones
    assert_includes assert_raises(Undergo::UnknownExportError) { start.echo_strin("x") }.message, "did you mean 'echo-string'"
    assert_raises(Undergo::UnknownExportError) { start.exports[:nothing_like_it] }
  end

  def test_what_is_no_plugin
    assert_includes assert_raises(Undergo::InvalidPluginError) { Undergo::Plugin.compile("no wasm".b) }.message, "not"
    assert_raises(Undergo::InvalidPluginError) { Undergo::Plugin.load("/there/is/no/such.wasm") }
    assert_raises(ArgumentError) { Undergo::Plugin.load_compiled("x.cwasm", trusted: false) }
    assert_raises(Undergo::InvalidPluginError) { Undergo::Plugin.load_compiled(__FILE__, trusted: true) }
  end

  def test_what_the_sandbox_does_not_allow
    assert_raises(Undergo::DeniedError) { start(sandbox: { dirs: { "/data" => "/there/is/no/such/folder" } }) }
  end
end
