# frozen_string_literal: true

require_relative "helper"
require "open3"
require "pathname"
require "rbconfig"
require "tmpdir"

# Commands: programs that begin, end, and answer with their exit code.
class CommandTest < Minitest::Test
  include Helper

  ROWS = JSON.parse(File.read(File.join(ROOT, "conformance/command/runs.json"), encoding: "UTF-8"))["runs"]

  def command
    Helper.command
  end

  ROWS.each do |row|
    define_method("test_#{row["name"].tr(" ", "_")}") do
      done = command.run(args: row["args"], env: row["env"], stdin: row["stdin"])
      assert_equal row.fetch("code", 0), done.code
      row["length"] ? assert_equal(row["length"], done.stdout.bytesize) : assert_equal(row.fetch("stdout", "").b, done.stdout.b)
      row["stderr"] ? assert_includes(done.stderr, row["stderr"]) : assert_empty(done.stderr)
      assert_equal row.fetch("truncated", false), done.truncated
      assert done.usage.time.positive? && done.usage.memory >= 65_536 && done.usage.fuel.nil?
    end
  end

  def test_the_sandbox_says_where_output_goes
    lines = []
    sandbox = Undergo::Sandbox.new(args: %w[exit 1], stdout: ->(line) { lines << line }, stderr: :discard)
    done = command.run(sandbox: sandbox)
    assert_equal [1, "", "", ["out"]], [done.code, done.stdout, done.stderr, lines]
    # What is given for the run is in place of the sandbox's own, and leaves that as it is.
    assert_equal 2, command.run(args: %w[exit 2], sandbox: sandbox).code
    assert_equal [%w[out out], %w[exit 1]], [lines, sandbox.args]
    done = command.run(args: %w[print 100], sandbox: { capture_limit: 10 })
    assert_equal ["x" * 10, true], [done.stdout, done.truncated]
  end

  def test_a_function_for_output_may_run_another_command_and_what_it_raises_reaches_the_caller
    codes = []
    command.run(args: %w[exit 0], sandbox: { stdout: ->(_) { codes << command.run(args: %w[exit 7]).code } })
    assert_equal [7], codes
    error = assert_raises(KeyError) { command.run(args: %w[exit 0], sandbox: { stdout: ->(_) { raise KeyError, "no log" } }) }
    assert_equal "no log", error.message
  end

  def test_it_reaches_what_the_sandbox_has
    ::Dir.mktmpdir do |folder|
      file = File.join(folder, "in.txt")
      File.write(file, "content")
      given = { dirs: { "/data" => Undergo::Dir.new(folder, readonly: true) } }
      assert_equal "content", command.run(args: %w[read /data/in.txt], sandbox: given).stdout
      assert_equal "/tmp", command.run(args: %w[temp], sandbox: { temp: true }).stdout
      assert_match(/no such file or directory/i, command.run(args: %w[temp]).stderr)
      assert_raises(ArgumentError) { command.run(args: %w[temp], sandbox: { temp: "/tmp" }) }
      assert_includes command.run(args: %w[show], stdin: Pathname.new(file)).stdout, 'stdin "content"'
    end
  end

  def test_a_run_can_be_repeated
    chance = lambda do |seed|
      command.run(args: %w[chance], sandbox: { clock: Time.utc(2026, 2, 3, 4, 5, Rational(13, 2)), seed: seed }).stdout
    end
    first = chance.call(7)
    assert first.start_with?("now 2026-02-03T04:05:06.5000"), first
    assert_equal first, chance.call(7)
    assert_equal [true, true, false, false, false, false], first.lines.zip(chance.call((1 << 64) - 1).lines).map { |a, b| a == b }
    [{ clock: 5 }, { clock: Time.at(-1) }, { seed: -1 }, { seed: 1 << 64 }, { seed: "x" }].each do |wrong|
      assert_raises(ArgumentError) { Undergo::Sandbox.new(**wrong) }
    end
  end

  def test_what_has_no_end_is_ended
    %w[spin sleep].each do |what|
      assert_raises(Undergo::TimeoutError) { command.run(args: [what], timeout: 0.05) }
      assert_raises(Undergo::TimeoutError) { command.run(args: [what], limits: { timeout: 0.05 }) }
      token = Undergo::CancelToken.new
      other = Thread.new { token.cancel }
      assert_raises(Undergo::CancelledError) { command.run(args: [what], cancel: token) }
      other.join
    end
  end

  def test_other_threads_go_on
    token = Undergo::CancelToken.new
    running = Thread.new { command.run(args: %w[spin], cancel: token) }
    running.report_on_exception = false
    assert_equal 5, command.run(args: %w[exit 5]).code
    token.cancel
    assert_raises(Undergo::CancelledError) { running.value }
  end

  INTERRUPTED = <<~RUBY
    require "undergo"
    # What a shell runs in the background is started without it.
    trap "INT", "DEFAULT"
    command = Undergo::Plugin.load(ARGV[0])
    %w[spin sleep].each do |what|
      puts "in \#{what}"
      $stdout.flush
      command.run(args: [what])
    rescue Interrupt
      puts "out \#{what}"
      $stdout.flush
    end
  RUBY

  def test_ctrl_c_ends_it
    library = $LOAD_PATH.find { |folder| File.exist?(File.join(folder, "undergo.rb")) }
    file = Helper.built("UNDERGO_COMMAND_WASM", "command.wasm")
    Open3.popen2(RbConfig.ruby, "-I", library, "-e", INTERRUPTED, file) do |_, out, child|
      %w[spin sleep].each do |what|
        assert_equal "in #{what}\n", out.gets
        # Time to be in the run: an interrupt before it would show less, but be no failure.
        sleep 0.2
        Process.kill("INT", child.pid)
        assert_equal "out #{what}\n", out.gets
      end
      assert_predicate child.value, :success?
    end
  end

  def test_what_is_no_run
    assert_raises(Undergo::InvalidPluginError) { GUEST.run }
    assert_raises(Undergo::InvalidPluginError) { command.instantiate }
    assert_raises(ArgumentError) { command.run(stdin: 5) }
    assert_raises(Undergo::TypeMismatchError) { command.run(cancel: 5) }
  end
end
