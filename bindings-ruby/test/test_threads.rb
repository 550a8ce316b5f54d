# frozen_string_literal: true

require "open3"
require_relative "helper"

# Deadlines, cancellation, interrupts, pools and threads.
class TestThreads < Minitest::Test
  include Helper

  def test_a_deadline_covers_computing_sleeping_and_waiting
    { spin: [], sleep: [10_000], deadlock: [] }.each do |name, args|
      guest = start(limits: { timeout: 0.1 })
      took = seconds do
        error = assert_raises(Undergo::Error) { guest.exports[name].call(*args) }
        assert_equal name == :deadlock ? "panic" : "timeout", error.kind
      end
      assert_operator took, :<, 5
      refute_predicate guest, :alive?
    end
  end

  def test_other_threads_go_on_while_a_guest_computes
    count = 0
    guest = start
    other = Thread.new { loop { count += 1; sleep 0.001 } }
    assert_raises(Undergo::TimeoutError) { guest.using(timeout: 0.5).spin }
    other.kill
    assert_operator count, :>, 20
  end

  def test_waiting_for_a_busy_instance_ends_with_the_deadline
    inside, go_on = Queue.new, Queue.new
    guest = start(note: lambda { |_|
      inside << true
      go_on.pop
    })
    other = Thread.new { guest.notes(["x"]) }
    inside.pop
    error = assert_raises(Undergo::TimeoutError) { guest.using(timeout: 0.05).counter }
    assert_includes error.message, "busy with another call"
    go_on << true
    other.join
    assert_equal 1, guest.counter
  end

  def test_a_token_ends_calls
    token = Undergo::CancelToken.new
    refute_predicate token, :cancelled?
    { spin: [], sleep: [60_000] }.each do |name, args|
      token = Undergo::CancelToken.new
      other = Thread.new { token.cancel }
      took = seconds { assert_raises(Undergo::CancelledError) { start.using(cancel: token).exports[name].call(*args) } }
      other.join
      assert_operator took, :<, 5
    end
    guest = start(note: ->(_) { token.cancel })
    assert_raises(Undergo::CancelledError) { guest.using(cancel: token = Undergo::CancelToken.new).notes(["x"]) }
    refute_predicate guest, :alive?
    assert_predicate token, :cancelled?
    assert_raises(Undergo::CancelledError) { start.using(cancel: token).counter }
  end

  def test_timeouts_of_ruby_end_a_call
    guest = start
    took = seconds { assert_raises(Timeout::Error) { Timeout.timeout(0.2) { guest.spin } } }
    assert_operator took, :<, 5
    refute_predicate guest, :alive?
    sleeping = start
    took = seconds { assert_raises(Timeout::Error) { Timeout.timeout(0.2) { sleeping.sleep(60_000) } } }
    assert_operator took, :<, 5
  end

  def test_a_killed_thread_leaves_its_calls
    inside = Queue.new
    inner = start
    outer = start(note: lambda { |_|
      inside << true
      inner.spin
    })
    thread = Thread.new { outer.notes(["x"]) }
    inside.pop
    thread.kill
    assert_same thread, thread.join(20)
    refute_predicate outer, :alive?
    assert_equal 1, start.counter
  end

  def test_ctrl_c_ends_a_call
    program = <<~RUBY
      require "undergo"
      # What a shell runs in the background is started without it.
      trap "INT", "DEFAULT"
      plugin = Undergo::Plugin.load(ARGV[0])
      nothing = plugin.imports.transform_values { |functions| functions.transform_values { ->(*) {} } }
      guest = plugin.instantiate(imports: nothing)
      $stdout.sync = true
      begin
        puts "ready"
        guest.spin
      rescue Interrupt
        puts "interrupted"
      end
    RUBY
    command = [RbConfig.ruby, "-I", File.dirname($LOADED_FEATURES.grep(%r{/undergo\.rb\z}).first), "-e", program, GUEST_FILE]
    Open3.popen2(*command) do |_, output, process|
      assert_equal "ready\n", output.gets
      Process.kill(:INT, process.pid)
      assert_equal "interrupted\n", Timeout.timeout(20) { output.gets }
      assert_predicate process.value, :success?
    end
  end

  def test_host_functions_run_on_the_thread_of_the_call
    ran = []
    guest = start(note: ->(_) { ran << Thread.current })
    guest.notes(["x"])
    thread = Thread.new { guest.notes(["y"]) }.join
    assert_equal [Thread.current, thread], ran
  end

  def test_calls_within_calls
    assert_equal 20, start.reenter(20)
    # Through another instance, and back into the first, from a thread with a small stack.
    depth = 0
    first = second = nil
    note = lambda do |text|
      depth += 1
      (depth.odd? ? second : first).notes([text]) if depth < 10
    end
    first, second = start(note: note), start(note: note)
    Thread.new { first.notes(["x"]) }.join
    assert_equal 10, depth
    assert_raises(Undergo::BusyError) { (busy = start(note: ->(_) { busy.reset })).notes(["x"]) }
    served = start(note: ->(_) { served.poll })
    assert_empty served.notes(["x"])
  end

  def test_an_exception_through_calls_within_calls
    raised = RuntimeError.new("deep down")
    guest = start(reenter: ->(depth) { depth == 1 ? raise(raised) : guest.reenter(depth - 1) })
    assert_same raised, assert_raises(RuntimeError) { guest.reenter(3) }
    refute_predicate guest, :alive?
  end

  def test_deep_recursion_ends_in_a_trap_on_any_thread
    imports = { host: { do: ->(_, _) { "" }, echo: ->(s) { s }, fail: -> {} } }
    kinds = [1, 2].map do
      Thread.new do
        Helper.hostile.instantiate(imports: imports, sandbox: QUIET, limits: { memory: "256MiB" }).do("recursion", 0)
        "done"
      rescue Undergo::Error => error
        error.kind
      end
    end
    kinds.each { |thread| assert_includes %w[trap panic], thread.value }
  end

  def test_many_threads_share_a_pool
    pool = start_pool(3)
    threads = Array.new(12) { |number| Thread.new { Array.new(50) { |n| pool.echo_string("#{number}-#{n}") } } }
    threads.each_with_index { |thread, number| assert_equal Array.new(50) { |n| "#{number}-#{n}" }, thread.value }
    stats = pool.stats
    assert_equal 600, stats.calls
    assert_operator stats.made, :<=, 3
    assert_equal [0, 0], [stats.busy, stats.waiting]
    assert_equal 3, pool.size
    pool.close
  end

  def test_a_pool_replaces_what_ended
    start_pool(1) do |pool|
      assert_raises(Undergo::PanicError) { pool.panic("x") }
      assert_equal 1, pool.counter
      assert_raises(Undergo::TimeoutError) { pool.using(timeout: 0.1).spin }
      assert_equal 1, pool.counter
      assert_equal [2, 3], [pool.stats.died, pool.stats.made]
    end
  end

  def test_pools_make_and_drop_instances
    start_pool(4, warm: 2) do |pool|
      assert_equal 2, pool.stats.made
      pool.warm_up(3)
      assert_equal 3, pool.stats.idle
    end
    start_pool(1, max_calls: 1) do |pool|
      assert_equal [1, 1, 1], Array.new(3) { pool.counter }
      assert_operator pool.stats.retired, :>=, 2
    end
    start_pool(1, idle: 0.05) do |pool|
      pool.counter
      eventually { pool.stats.shrunk == 1 }
    end
    assert_raises(ArgumentError) { start_pool(-1) }
    assert_raises(ArgumentError) { start_pool("many") }
    assert_raises(Undergo::TypeMismatchError) { start_pool(0) }
  end

  def test_a_deadline_covers_the_wait_for_an_instance
    inside, go_on = Queue.new, Queue.new
    pool = start_pool(1, note: lambda { |_|
      inside << true
      go_on.pop
    })
    other = Thread.new { pool.notes(["x"]) }
    inside.pop
    assert_raises(Undergo::TimeoutError) { pool.using(timeout: 0.05).counter }
    assert_raises(Undergo::TimeoutError) { pool.close(timeout: 0.05) }
    assert_predicate pool, :closed?
    assert_raises(Undergo::DeadInstanceError) { pool.counter }
    go_on << true
    other.join
    pool.close
  end

  def test_a_host_function_that_calls_its_own_pool
    pool = start_pool(1, note: ->(_) { pool.counter })
    assert_raises(Undergo::BusyError) { pool.notes(["x"]) }
    larger = start_pool(2, note: ->(_) { larger.counter })
    larger.notes(["x"])
    closing = start_pool(1, note: ->(_) { closing.close })
    assert_raises(Undergo::BusyError) { closing.notes(["x"]) }
    assert_predicate closing, :closed?
  end

  def test_an_initialisation_in_a_pool_may_call_the_host
    asked = Queue.new
    imports = { host: { do: ->(_, _) { "" }, echo: ->(text) { text }, fail: -> { asked << Thread.current } } }
    pool = Helper.hostile.pool(size: 2, imports: imports, sandbox: { env: { "MISDEED" => "host-fail" }, **QUIET })
    assert_equal 338_350, pool.work(100)
    pool.warm_up(2)
    assert_equal [Thread.current] * 2, [asked.pop, asked.pop]
    pool.close
  end
end
