# frozen_string_literal: true

require_relative "helper"

# Nothing is kept.
class TestLeaks < Minitest::Test
  include Helper

  # KiB of this process's memory.
  def resident
    File.read("/proc/self/statm").split[1].to_i * 4
  end

  def test_memory_is_bounded_over_many_calls
    skip "there is no /proc" unless File.exist?("/proc/self/statm")
    guest = start
    work = lambda do |count|
      count.times do |number|
        guest.through_host("text #{number}", "bytes".b, number, %w[a b], [0.5])
        guest.catch_failure("x") if (number % 10).zero?
      end
      GC.start
    end
    work.call(1_000)
    before = resident
    work.call(10_000)
    assert_operator resident - before, :<, 16 << 10
  end

  def test_instances_are_freed
    skip "there is no /proc" unless File.exist?("/proc/self/statm")
    make = lambda do |_|
      20.times { start.counter }
      GC.start
    end
    3.times(&make)
    before = resident
    8.times(&make)
    assert_operator resident - before, :<, 64 << 10
  end

  def test_calls_that_are_left_in_the_middle
    20.times do
      guest = start(fail: ->(_) { throw :left })
      catch(:left) { guest.catch_failure("x") }
    end
    GC.start
    assert_equal 1, start.counter
  end

  def test_under_pressure_of_the_collector
    guest = start
    GC.stress = true
    assert_includes guest.catch_failure("oh dear"), "oh dear"
    assert_equal [["a", nil], ["b"]], [guest.list_of_maybe(["a", nil]), guest.list_of_maybe(["b"])]
  ensure
    GC.stress = false
  end
end
