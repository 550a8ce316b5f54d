# frozen_string_literal: true

require "ffi"

module Undergo
  # The native library, which the gem has beside this file.
  LIBRARY = File.join(__dir__, FFI.map_library_name("undergo_uniffi"))
  unless File.file?(LIBRARY)
    raise LoadError, "#{LIBRARY} is missing: this gem was built for another platform than #{RUBY_PLATFORM}, or without its library"
  end
  private_constant :LIBRARY
end
