# frozen_string_literal: true

# Tries what may be wrong with a Ruby: a line for each thing, `ok NAME` or `not ok NAME: why`.
#
# Usage: probe.rb probe.wasm

require "undergo"

# What is tried, in this order.
class Probe
  NAMES = %i[load call buffer record host error panic timeout].freeze

  def load
    @plugin = Undergo::Plugin.load(ARGV.fetch(0))
    @instance = start
  end

  def call
    same(42, @instance.add(20, 22))
    same(0, @instance.add(a: -1, b: 1))
  end

  def buffer
    same(0.75, @instance.sum([0.5, 0.25]))
    same(100_000.0, @instance.sum([1.0] * 100_000))
  end

  def record
    moved = @instance.move({ x: 1, y: 2, name: "p" }, 0.5)
    same([1.5, 2.5, "p'"], [moved.x, moved.y, moved.name])
  end

  def host
    same("Ada is here", @instance.ask("Ada"))
    failing = start(->(_) { raise KeyError, "out" })
    same(true, raised(StandardError) { failing.ask("Ada") }.message.include?("out"))
  end

  def error
    same("as told", raised(Undergo::GuestError) { @instance.fail("as told") }.message)
  end

  def panic
    one = start
    error = raised(Undergo::PanicError) { one.first([]) }
    same(true, error.message.include?("index out of range"))
    same(true, error.frames.first.function.include?("First"))
  end

  def timeout
    one = start
    raised(Undergo::TimeoutError) { one.using(timeout: 0.05).spin }
  end

  private

  def start(lookup = ->(name) { "#{name} is here" })
    @plugin.instantiate(imports: { host: { lookup: lookup } })
  end

  def same(wanted, given)
    raise "#{given.inspect} instead of #{wanted.inspect}" unless wanted == given
  end

  def raised(type)
    yield
  rescue type => error
    error
  else
    raise "nothing was raised"
  end
end

probe = Probe.new
Probe::NAMES.each do |name|
  probe.public_send(name)
  puts "ok #{name}"
rescue StandardError => error
  puts "not ok #{name}: #{error.class}: #{error.message}".tr("\n", " ")
end
