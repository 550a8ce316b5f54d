# frozen_string_literal: true

# Go plugins as typed, sandboxed functions of Ruby.
#
#   plugin = Undergo::Plugin.load("greeter.wasm")
#   imports = { directory: { lookup: ->(name) { [] } } }
#   greeter = plugin.instantiate(imports: imports, limits: { memory: "64MiB", timeout: 2 })
#   greeter.greet({ name: "Ada", tags: [] }, shout: true)
module Undergo
  # Loads a plugin and makes an instance of it: Plugin.load(path).instantiate(**options).
  def self.load(path, **options)
    Plugin.load(path).instantiate(**options)
  end
end

require_relative "undergo/version"
require_relative "undergo/native"
require_relative "undergo/errors"
require_relative "undergo/config"
require_relative "undergo/cancel"
require_relative "undergo/types"
require_relative "undergo/services"
require_relative "undergo/imports"
require_relative "undergo/handles"
require_relative "undergo/command"
require_relative "undergo/exports"
require_relative "undergo/memory"
require_relative "undergo/plugin"
require_relative "undergo/instance"
require_relative "undergo/pool"
require_relative "undergo/server"
