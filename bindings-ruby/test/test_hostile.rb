# frozen_string_literal: true

require_relative "helper"

# The hostile guest of conformance/hostile; conformance/README.md says how the list is run.
class TestHostile < Minitest::Test
  FOLDER = File.join(Helper::ROOT, "conformance", "hostile")
  CASES = JSON.parse(File.read(File.join(FOLDER, "misdeeds.json"))).fetch("cases")
  # Seconds: far more than any call here takes.
  ENOUGH = 60

  # File and line that the trace of a misdeed must name first.
  MARKS = Dir[File.join(FOLDER, "*.go")].flat_map do |file|
    File.readlines(file).each_with_index.filter_map do |line, number|
      mark = line[%r{ // at: (\S+)}, 1]
      [mark, [File.basename(file), number + 1]] if mark
    end
  end.to_h

  # The module `host` of the hostile guest.
  class Host
    attr_accessor :instance

    def do(what, number)
      @instance ? @instance.do(what, number) : "nothing done"
    end

    def echo(text)
      text
    end

    def fail
      raise Undergo::HostError, "refused by the host"
    end
  end

  def start(timeout: ENOUGH, env: {})
    host = Host.new
    sandbox = { env: env, **Helper::QUIET }
    host.instance = Helper.hostile.instantiate(imports: { host: host }, sandbox: sandbox, limits: { memory: "64MiB", timeout: timeout })
  end

  def bystander
    @@bystander ||= start # rubocop:disable Style/ClassVars: one for all tests
  end

  CASES.each do |one|
    misdeed, number = one["misdeed"], one["n"] || 0
    define_method("test_#{misdeed}_#{number}_in_a_call") do
      instance = start(timeout: one["kind"] == "timeout" ? 0.3 : ENOUGH)
      if one["kind"] == "done"
        assert_equal "done", instance.do(misdeed, number)
        assert_equal 338_350, instance.work(100)
      else
        error = assert_raises(Undergo::Error) { instance.do(misdeed, number) }
        check(one, error)
        refute_predicate instance, :alive?
        dead = assert_raises(Undergo::DeadInstanceError) { instance.ready }
        assert_includes dead.message, "its end was #{one['kind']}"
      end
      assert_equal 338_350, bystander.work(100)
      assert_equal 338_350, start.work(100)
    end

    define_method("test_#{misdeed}_#{number}_in_init") do
      options = { timeout: one["kind"] == "timeout" ? 0.3 : ENOUGH, env: { "MISDEED" => misdeed, "MISDEED_N" => number } }
      if one["kind"] == "done"
        assert_equal 338_350, start(**options).work(100)
      else
        check(one, assert_raises(Undergo::Error) { start(**options) })
      end
      assert_equal 338_350, bystander.work(100)
    end
  end

  def check(one, error)
    assert_equal one["kind"], error.kind, error.message
    one["exit_code"].nil? ? assert_nil(error.exit_code) : assert_equal(one["exit_code"], error.exit_code)
    (one["contains"] || []).each { |part| assert_includes error.sentence, part }
    return unless MARKS.key?(one["misdeed"]) && %w[panic out-of-memory].include?(error.kind)

    assert_equal MARKS[one["misdeed"]], [File.basename(error.origin.file), error.origin.line]
    assert_includes error.frames, error.origin
    # The plugin's own function comes first in the backtrace.
    assert_equal error.origin.to_s, error.backtrace.first
  end
end
