# frozen_string_literal: true

# Renders the README of this project with goldmark, a Markdown library that is written in Go.
#
# Usage: main.rb markdown.wasm [FILE]

require "undergo"

README = File.expand_path("../../README.md", __dir__)
source = File.binread(ARGV[1] || README)

markdown = Undergo.load(ARGV.fetch(0), limits: { memory: "64MiB", timeout: 10 })
html = markdown.render(source, { github: true, unsafe: false })

# Each heading of the source is one of the HTML, in the same order.
headings = markdown.outline(source)
rendered = html.scan(/<h([1-6]) id="([^"]+)">/)
raise "#{rendered}" unless rendered == headings.map { |heading| [heading.level.to_s, heading.id] }

puts "#{source.bytesize} bytes of Markdown, #{html.bytesize} bytes of HTML"
puts "#{headings.size} headings:"
headings.each { |heading| puts "#{heading.line.to_s.rjust(5)}  #{'  ' * (heading.level - 1)}#{heading.text}" }
puts "#{html.scan('<pre>').size} blocks of code, #{html.scan('<table>').size} tables, #{html.scan('<a href=').size} links"

# HTML in a document is left out, unless the host wants it.
puts markdown.render("*Safe* <script>alert(1)</script>".b, nil).strip
