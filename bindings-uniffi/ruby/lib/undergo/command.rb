# frozen_string_literal: true

module Undergo
  # What became of a command:
  #
  # - code: its exit code: that of os.Exit, 0 when main returned, 2 after a panic, whose text is on its standard error.
  # - stdout, stderr: what it wrote, as Strings of bytes, where that is captured.
  # - truncated: whether it wrote more than that: more than is captured, or than the limits let it write.
  # - usage: what it used.
  # - denied: what the sandbox denied it of the network, an Array of Strings: each thing once with the rule that would allow it.
  Completed = Struct.new(:code, :stdout, :stderr, :truncated, :usage, :denied)
end
