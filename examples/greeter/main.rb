# frozen_string_literal: true

# Calls the greeter: values and errors there and back.
#
# Usage: main.rb greeter.wasm

require "undergo"

DIRECTORY = { "Ada" => %w[mathematics engines], "Grace" => [] }.freeze

# Gives a person's tags; the plugin calls this.
lookup = lambda do |name|
  DIRECTORY.fetch(name) { raise KeyError, "#{name} is not in the directory" }
end

plugin = Undergo::Plugin.load(ARGV.fetch(0))
greeter = plugin.instantiate(imports: { directory: { lookup: lookup } }, limits: { memory: "64MiB", timeout: 5 })

# What the plugin has, with the comments of its Go source.
puts "exports: #{plugin.exports.keys.join(', ')}"
puts greeter.exports[:greet].docs
puts

# A Hash will do for a record, and what is optional may be left out.
puts greeter.greet({ name: "Ada", tags: [] }, shout: false)

# So will an object of the class that is made for it.
grace = plugin.types::Person.new(name: "Grace", email: "grace@example.com", tags: ["compilers"])
puts greeter.greet(grace, shout: true)
puts

# An error that the Go function returns.
begin
  greeter.greet({ name: "", tags: [] }, false)
rescue Undergo::GuestError => error
  puts "#{error.kind}: #{error.message}"
end

# An exception of a Ruby block reaches Go as an error, where the Go function has one among its
# results.
begin
  greeter.greet({ name: "Nobody", tags: [] }, false)
rescue Undergo::GuestError => error
  puts "#{error.kind}: #{error.message}"
end

# A value that does not fit: the path says which.
begin
  greeter.greet({ name: "Ada", tags: ["a", "b", 3] }, false)
rescue Undergo::TypeMismatchError => error
  puts "#{error.kind}: at #{error.path}"
end

# A name that is misspelt.
begin
  greeter.great(grace, false)
rescue Undergo::UnknownExportError => error
  puts "#{error.kind}: #{error.message}"
end

# The instance has lived through all of these. A panic ends it.
puts greeter.alive? ? "alive" : "ended"
begin
  greeter.initial({ name: "", tags: [] })
rescue Undergo::PanicError => error
  puts "#{error.kind}: #{error.sentence}"
  puts "in #{error.frames.first.function}"
end
puts greeter.alive? ? "alive" : "ended"

# The plugin itself is as good as ever, and a new instance is quickly made.
greeter = plugin.instantiate(imports: { directory: { lookup: lookup } })
puts greeter.initial(grace)
