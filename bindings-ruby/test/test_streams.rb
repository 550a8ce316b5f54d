# frozen_string_literal: true

require "pathname"
require "tmpdir"
require_relative "helper"

# Standard streams and limits.
class TestStreams < Minitest::Test
  include Helper

  def test_a_captured_stream_is_taken_once
    guest = start(sandbox: { stdout: :discard, stderr: :capture })
    assert_raises(Undergo::PanicError) { guest.panic("oh dear") }
    taken = guest.take_stderr
    assert_equal Encoding::BINARY, taken.encoding
    assert_includes taken, "panic: oh dear"
    assert_empty guest.take_stderr
    assert_empty guest.take_stdout
    little = start(sandbox: { stdout: :discard, stderr: :capture, capture_limit: 5 })
    assert_raises(Undergo::PanicError) { little.panic("oh dear") }
    assert_equal 5, little.take_stderr.bytesize
  end

  def test_lines_go_to_a_function
    lines = []
    guest = start(sandbox: { stdout: :discard, stderr: ->(line) { lines << line } })
    assert_raises(Undergo::PanicError) { guest.panic("oh dear") }
    assert_equal "panic: oh dear", lines.first
    assert_includes lines.join("\n"), "goroutine 1"
  end

  def test_an_exception_of_the_function_is_the_callers
    raised = RuntimeError.new("not this line")
    guest = start(sandbox: { stdout: :discard, stderr: ->(_) { raise raised } })
    assert_same raised, assert_raises(RuntimeError) { guest.panic("x") }
    refute_predicate guest, :alive?
    thrown = start(sandbox: { stdout: :discard, stderr: ->(_) { throw :nowhere } })
    assert_raises(UncaughtThrowError) { thrown.panic("x") }
  end

  def test_a_function_of_lines_can_not_call_its_instance
    guest = start(sandbox: { stdout: :discard, stderr: ->(_) { guest.counter } })
    assert_raises(Undergo::BusyError) { guest.panic("x") }
    other = start
    counts = []
    calling = start(sandbox: { stdout: :discard, stderr: ->(_) { counts << other.counter } })
    assert_raises(Undergo::PanicError) { calling.panic("x") }
    assert_equal counts.sort, counts
    refute_empty counts
  end

  def test_what_can_be_no_stream
    [{ stdout: 5 }, { stderr: :elsewhere }, { stdin: 5 }, { stdin: :nowhere }, { capture_limit: -1 }, { capture_limit: "much" }].each do |sandbox|
      assert_raises(ArgumentError, sandbox.inspect) { Undergo::Sandbox.new(**sandbox) }
    end
    assert_raises(ArgumentError) { Undergo::Sandbox.new(stdnut: 5) }
  end

  def test_arguments_environment_and_directories
    Dir.mktmpdir do |folder|
      File.binwrite(File.join(folder, "file"), "content")
      guest = start(sandbox: { args: ["one", :two], dirs: { "/data" => Undergo::Dir.new(folder, readonly: true) }, **QUIET })
      assert_equal %w[one two], guest.args
      assert_equal "content".b, guest.read_file("/data/file")
      assert_raises(Undergo::GuestError) { guest.read_file("/etc/passwd") }
      assert_equal "content".b, start(sandbox: { dirs: { "/data" => Pathname(folder) }, **QUIET }).read_file("/data/file")
    end
  end

  def test_limits
    assert_raises(Undergo::OutOfFuelError) { start(limits: { fuel: 10_000_000 }).spin }
    [{ memory: "much" }, { timeout: -1 }, { timeout: "1s" }, { stack: "1KiB" }, { fuel: 0 }, { table: -1 }, { memory: 1.5 }].each do |limits|
      assert_raises(ArgumentError, limits.inspect) { Undergo::Limits.new(**limits) }
    end
    error = assert_raises(ArgumentError) { Undergo::Limits.new(memory: "lots") }
    assert_equal "memory is 'lots'; write a number of bytes, or a text such as '64 MiB', '1.5 GB' or '64M'", error.message
    assert_equal [64 << 20, 64 << 20], [Undergo::Limits.new(memory: "64 MiB").memory, Undergo::Limits.new(memory: "64M").memory]
    limits = Undergo::Limits.new(memory: "1.5MiB", value: "2kB", output: 3, stack: "1MiB", table: 5, fuel: 6, timeout: Rational(1, 2))
    assert_equal [1_572_864, 2000, 3, 1 << 20, 5, 6, 0.5], [limits.memory, limits.value, limits.output, limits.stack, limits.table, limits.fuel, limits.timeout]
    assert_raises(Undergo::OutOfMemoryError) { start(limits: { value: 100 }).echo_string("x" * 200) }
  end
end
