# frozen_string_literal: true

# Runs jq's queries over a JSON document of some megabytes.
#
# Usage: main.rb jq.wasm

require "json"
require "undergo"

CITIES = ["Aachen", "Bogotá", "Cairo", "Dhaka", "Essen", "Fukuoka", "Graz", "Hà Nội"].freeze
ORDERS = 30_000

# Makes an order: always the same for the same number.
def order(number)
  mixed = number * 2_654_435_761 % 2**32
  lines = [3, 9, 17].map { |n| { article: format("A%03d", (mixed >> n) % 500), count: 1 + (mixed >> n) % 4, cents: 99 + mixed % 5_000 } }
  { id: number, city: CITIES[mixed / 7 % CITIES.size], express: (mixed % 7).zero?, note: nil, lines: lines.first(1 + mixed % 3) }
end

# JSON with a space behind each comma and colon.
def spaced(value)
  JSON.generate(value, space: " ").gsub(/,(?=["{])/, ", ")
end

orders = (0...ORDERS).map { |number| order(number) }
document = spaced(orders).b
puts "a document of #{format('%.1f', document.bytesize / 1e6)} MB"

jq = Undergo.load(ARGV.fetch(0), limits: { memory: "512MiB", timeout: 60 })
puts "#{jq.load('orders', document)} orders"

# The document stays in the plugin; a query crosses, and its results come back as Ruby's values.
cities = orders.map { |order| order[:city] }.tally
jq.query("orders", "group_by(.city)[] | {name: .[0].city, orders: length}").each do |city|
  puts "  #{city['name']}: #{city['orders']}"
  raise city["name"] unless city["orders"] == cities[city["name"]]
end

total, = jq.query("orders", "[.[].lines[] | .count * .cents] | add")
puts "sold for #{format('%.2f', total / 100.0)}"

BEST = <<~JQ
  [.[].lines[]] | group_by(.article) | map({article: .[0].article, count: map(.count) | add})
  | sort_by(-.count, .article) | limit(3; .[])
JQ
puts ["sold most:", *jq.query("orders", BEST).map { |best| "#{best['article']} (#{best['count']})" }].join(" ")

# Any value that JSON can hold may be given, and comes back as what it is.
puts jq.eval(".[] | type", [nil, true, 7, 0.25, "grüße", [1], { "a" => {} }]).join(" ")
raise "not the same" unless jq.eval(".", { "a" => [nil, 0.25] }) == [{ "a" => [nil, 0.25] }]

# An error in a query, and one of its run, are errors of a call. The plugin and its document live
# on.
["map(.city", ".[0] | .city + 1", "missing(.)"].each do |query|
  jq.query("orders", query)
rescue Undergo::GuestError => error
  puts "#{query}: #{error.message}"
end
puts jq.query("orders", ".[12345].city").join(" ")

# A query that never ends is stopped.
begin
  jq.using(timeout: 0.2).eval("def forever: forever; forever", nil)
rescue Undergo::TimeoutError => error
  puts "#{error.kind}: #{jq.alive? ? 'alive' : 'ended'}"
end
