# frozen_string_literal: true

require_relative "helper"

# What leaves a call in the middle: jumps of host functions, interrupts, fibers; and what may come
# in its middle: forks and collections.
class TestJumps < Minitest::Test
  include Helper

  def test_every_jump_ends_the_instance_and_nothing_else
    jumps = {
      throw: [->(_) { throw :out, 7 }, ->(call) { catch(:out) { call.call } }],
      raise: [->(_) { raise Exception, "out" }, ->(call) { assert_raises(Exception) { call.call }.message == "out" && 7 }],
      break: [nil, ->(_) { breaking }]
    }
    jumps.each do |name, (function, run)|
      guest = function && start(fail: function)
      assert_equal 7, run.call(-> { guest.catch_failure("x") }), name
      refute_predicate guest, :alive? if guest
      assert_equal 1, start.counter
    end
  end

  # The block is the host function, and leaves `lend`.
  def breaking
    lend { break 7 }
  end

  def lend(&block)
    start(fail: ->(_) { block.call }).catch_failure("x")
  end

  def test_a_jump_leaves_many_calls_at_once
    guests = Array.new(5)
    5.times do |number|
      inner = number.zero? ? -> { throw :out, number } : -> { guests[number - 1].catch_failure("x") }
      guests[number] = start(fail: ->(_) { inner.call })
    end
    ensured = false
    result = catch(:out) do
      guests.last.catch_failure("x")
    ensure
      ensured = true
    end
    assert_equal [0, true], [result, ensured]
    assert_empty(guests.select(&:alive?))
    assert_equal 1, start.counter
  end

  def test_interrupts_at_any_time
    pool = start_pool(4, note: ->(_) { GC.start if rand(50).zero? })
    60.times do
      thread = Thread.new { loop { pool.notes(%w[a b c]) } }
      thread.report_on_exception = false
      sleep rand * 0.003
      next thread.kill.join if rand(2).zero?

      thread.raise("stop")
      assert_equal "stop", assert_raises(RuntimeError) { thread.join }.message
    end
    assert_equal 0, pool.stats.busy
    assert_equal 1, start.counter
    pool.close
  end

  def test_signals_at_any_time
    guest = start(note: ->(_) {})
    seen = 0
    before = trap("USR1") { seen += 1 }
    other = Thread.new { 200.times { Process.kill(:USR1, Process.pid) && sleep(0.0005) } }
    guest.notes(%w[a b]) while other.alive?
    assert_operator seen, :>, 0
    trap("USR1") { raise "by a signal" }
    other = Thread.new { Process.kill(:USR1, Process.pid) }
    assert_equal "by a signal", assert_raises(RuntimeError) { loop { guest.notes(%w[a b]) } }.message
    other.join
  ensure
    trap("USR1", before) if before
  end

  def test_interrupts_that_are_masked_wait
    guest = start(limits: { timeout: 20 })
    thread = Thread.new do
      Thread.handle_interrupt(RuntimeError => :never) { guest.exports[:sleep].call(200) }
      :survived
    rescue RuntimeError
      :raised
    end
    sleep 0.05
    thread.raise("now")
    assert_equal :raised, thread.value
    assert_predicate guest, :alive?
  end

  def test_fibers_call
    guest = start(note: ->(_) { GC.start })
    result = Fiber.new do
      guest.notes(["x"])
      [guest.echo_string("x"), guest.reenter(10), guest.echo_strings(%w[a b])]
    end.resume
    assert_equal ["x", 10, %w[a b]], result
    stepped = Enumerator.new { |out| 3.times { out << guest.counter } }
    assert_equal [1, 2, 3], [stepped.next, stepped.next, stepped.next]
    thrown = start(fail: ->(_) { raise ArgumentError, "no" })
    assert_includes Fiber.new { thrown.catch_failure("x") }.resume, "no"
  end

  def test_a_host_function_that_leaves_its_fiber
    Thread.new do
      guest = start(note: ->(_) { Fiber.yield :inside })
      fiber = Fiber.new { guest.notes(["x"]) && :done }
      assert_equal :inside, fiber.resume
      assert_raises(Undergo::BusyError) { guest.counter }
      assert_raises(Undergo::BusyError) { start }
      inner = Fiber.new { assert_raises(Undergo::BusyError) { guest.counter } && :refused }
      assert_equal :refused, inner.resume
      GC.start
      # Another thread is not concerned.
      assert_equal 1, Thread.new { start.counter }.value
      assert_equal :done, fiber.resume
      assert_equal 1, guest.counter
    end.join
  end

  # In a process of its own: the native thread is of no use to plugins any more, and Ruby may use it
  # again for another Thread.
  def test_a_fiber_that_is_never_resumed
    said = ruby(<<~RUBY)
      plugin = Undergo::Plugin.load(ARGV[0])
      host = plugin.imports.transform_values { |functions| functions.to_h { |name, _| [name, ->(*) {}] } }
      start = -> { plugin.instantiate(imports: host, sandbox: { stdout: :discard, stderr: :discard }) }
      host["host"]["note"] = ->(_) { Fiber.yield }
      host["host"]["notes"] = -> { [] }
      gone = Thread.new do
        guest = start.call
        Fiber.new { guest.notes(["x"]) }.resume
        guest.counter
      rescue Undergo::BusyError => error
        error.kind
      end
      puts gone.value
      3.times { GC.start }
      puts start.call.counter
    RUBY
    assert_equal %w[busy 1], said.split
  end

  def test_deep_fibers_and_collections
    guest = start(note: ->(text) { text * 2 })
    GC.stress = true
    assert_equal %w[a], Fiber.new { guest.notes(["x"]) && guest.echo_strings(%w[a]) }.resume
  ensure
    GC.stress = false
  end

  def test_a_forked_child_calls
    skip "there is no fork" unless Process.respond_to?(:fork)
    made = -> { start.counter }
    found = nil
    guest = start(note: lambda { |_|
      read, write = IO.pipe
      child = fork do
        write << made.call
        write.flush
        exit!(0)
      end
      write.close
      found = read.read
      Process.wait(child)
    })
    guest.notes(["x"])
    assert_equal ["1", 1], [found, guest.counter]
  end

  def test_ractors_are_refused
    skip "there is no Ractor" unless defined?(Ractor)
    assert_equal "Ractor::UnsafeError", ruby(<<~RUBY).strip
      puts Ractor.new { Undergo::CancelToken.new rescue $!.class.name }.take
    RUBY
  end

  # What a program says, in a process of its own.
  def ruby(program)
    lib = File.dirname($LOADED_FEATURES.grep(%r{/undergo\.rb\z}).first)
    IO.popen([RbConfig.ruby, "-W0", "-I", lib, "-r", "undergo", "-e", program, GUEST_FILE], &:read)
  end
end
