# frozen_string_literal: true

# Calls of a plugin beside those of the same Go code as a native library, by Fiddle. Prints a table,
# and ends with 3 if a bound is missed.

require "fiddle"
require "undergo"

# Measured in turns, since machines are faster at times.
ROUNDS = 7

# Seconds of one call, the best of some runs.
def time(count)
  began = Process.clock_gettime(Process::CLOCK_MONOTONIC)
  count.times { yield }
  (Process.clock_gettime(Process::CLOCK_MONOTONIC) - began) / count
end

# The best of both, measured in turns.
def best(count, ours, theirs)
  times = Array.new(ROUNDS) { [time(count, &ours), time(count, &theirs)] }
  times.transpose.map(&:min)
end

plugin = Undergo::Plugin.load(ARGV[0], compile: :best, cache: false)
nothing = plugin.imports.transform_values { |functions| functions.transform_values { ->(*) { 0 } } }
guest = plugin.instantiate(imports: nothing)
native = Fiddle.dlopen(ARGV[1])
libc = Fiddle.dlopen(nil)
add = Fiddle::Function.new(native["Add"], [Fiddle::TYPE_INT32_T] * 2, Fiddle::TYPE_INT32_T)
echo = Fiddle::Function.new(native["EchoString"], [Fiddle::TYPE_VOIDP], Fiddle::TYPE_VOIDP)
free = Fiddle::Function.new(libc["free"], [Fiddle::TYPE_VOIDP], Fiddle::TYPE_VOID)
through_native = lambda do |text|
  made = echo.call(text)
  back = made.to_s.force_encoding(Encoding::UTF_8)
  free.call(made)
  back
end

text = "Grüße aus dem Gastmodul, hin und zurück"
bytes = Random.bytes(1 << 20)
raise "the results differ" unless guest.add(2, 3) == add.call(2, 3) && guest.echo_string(text) == through_native.call(text) && guest.echo_bytes(bytes) == bytes

rows = [
  ["`add(int32, int32)`", "native Go by Fiddle", 1.0, *best(20_000, -> { guest.add(2, 3) }, -> { add.call(2, 3) })],
  ["string → string (#{text.bytesize} bytes)", "native Go by Fiddle", 0.8, *best(10_000, -> { guest.echo_string(text) }, -> { through_native.call(text) })],
  ["1 MiB there and back", "two copies", 6.0, *best(100, -> { guest.echo_bytes(bytes) }, -> { 2.times { String.new(capacity: 1 << 20) << bytes } })]
]

puts "Ruby #{RUBY_VERSION}; the best of #{ROUNDS} runs, in turns.", ""
puts "| call | Undergo, µs | beside it | µs | ratio | bound |"
puts "| --- | ---: | --- | ---: | ---: | ---: |"
rows.each do |name, other, bound, ours, theirs|
  puts format("| %s | %.2f | %s | %.2f | %.2f | %.1f |", name, ours * 1e6, other, theirs * 1e6, ours / theirs, bound)
end
exit(rows.all? { |_, _, bound, ours, theirs| ours <= bound * theirs } ? 0 : 3)
