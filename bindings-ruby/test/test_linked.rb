# frozen_string_literal: true

require_relative "helper"

# Instances as the imports of others.
class TestLinked < Minitest::Test
  # A bare module that exports `size`, which gives 7, and `spin`, which does not end.
  COUNTER = Undergo::Plugin.compile(<<~MODULE.unpack1("m"))
    AGFzbQEAAAABFARgAABgBH9/f38Bf2AAAX9gAAF/AwUEAAECAwUDAQABBzUFBm1lbW9yeQIAC19pbml0aWFsaXplAAAMY2FiaV9yZWFsbG9j
    AAEEc2l6ZQACBHNwaW4AAwoYBAIACwQAQRALBABBBwsJAANADAALQQAL
  MODULE

  # One that imports both of `counter`, and calls them by `go` and `wait`.
  USER = Undergo::Plugin.compile(<<~MODULE.unpack1("m"))
    AGFzbQEAAAABHAZgAAF/YAABf2AAAGAEf39/fwF/YAABf2AAAX8CHwIHY291bnRlcgRzaXplAAAHY291bnRlcgRzcGluAAEDBQQCAwQFBQMB
    AAEHMwUGbWVtb3J5AgALX2luaXRpYWxpemUAAgxjYWJpX3JlYWxsb2MAAwJnbwAEBHdhaXQABQoTBAIACwQAQRALBAAQAAsEABABCw==
  MODULE

  # One whose import of that name gives another type.
  OTHER = Undergo::Plugin.compile(<<~MODULE.unpack1("m"))
    AGFzbQEAAAABFARgAAF+YAAAYAR/f39/AX9gAAF+AhABB2NvdW50ZXIEc2l6ZQAAAwQDAQIDBQMBAAEHLAQGbWVtb3J5AgALX2luaXRpYWxp
    emUAAQxjYWJpX3JlYWxsb2MAAgJnbwADCg4DAgALBABBEAsEABAACw==
  MODULE

  def test_calls_go_to_the_other_instance
    user = USER.instantiate(imports: { counter: COUNTER.instantiate })
    GC.start
    assert_equal 7, user.go
    pool = USER.pool(size: 2, imports: { "counter" => COUNTER.instantiate })
    assert_equal [7] * 4, Array.new(4) { Thread.new { pool.go } }.map(&:value)
  end

  def test_other_types_are_refused
    error = assert_raises(Undergo::SignatureMismatchError) { OTHER.instantiate(imports: { counter: COUNTER.instantiate }) }
    assert_includes error.message, "the import is counter.size() -> i64"
  end

  def test_a_deadline_passes_through
    counter = COUNTER.instantiate
    user = USER.instantiate(imports: { counter: counter })
    assert_raises(Undergo::TimeoutError) { user.using(timeout: 0.1).wait }
    refute_predicate counter, :alive?
    error = assert_raises(Undergo::Error) { USER.instantiate(imports: { counter: counter }).go }
    assert_includes error.message, "answers no further call"
    counter.reset
    assert_equal 7, USER.instantiate(imports: { counter: counter }).go
  end

  def test_an_instance_of_a_pool_is_refused
    COUNTER.pool(size: 1) do |pool|
      pool.instance { |lent| assert_raises(TypeError) { USER.instantiate(imports: { counter: lent }) } }
    end
  end
end
