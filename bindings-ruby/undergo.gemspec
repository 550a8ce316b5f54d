# frozen_string_literal: true

require_relative "lib/undergo/version"

Gem::Specification.new do |spec|
  spec.name = "undergo"
  spec.version = Undergo::VERSION
  spec.summary = "Go plugins as typed, sandboxed functions of Ruby"
  spec.description = "Loads plugins that were written in Go and compiled to WebAssembly, and calls them as if they were Ruby's own methods, in a sandbox."
  spec.authors = ["The Undergo authors"]
  spec.license = "Apache-2.0"
  spec.homepage = "https://github.com/undergo-dev/undergo"
  series = RUBY_VERSION[/\A\d+\.\d+/]
  spec.required_ruby_version = "~> #{series}.0"
  # The native library is inside, made for one minor version of Ruby.
  spec.platform = Gem::Platform.local
  spec.files = ::Dir.chdir(__dir__) { ::Dir["lib/**/*.{rb,so,bundle}", "LICENSE", "README.md", "sbom.cdx.json"] }
end
