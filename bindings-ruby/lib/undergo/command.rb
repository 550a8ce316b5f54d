# frozen_string_literal: true

module Undergo
  # The result of a command:
  #
  # - code: its exit code: that of os.Exit, 0 when main returned, 2 after a panic, whose text is on
  #   its standard error.
  # - stdout, stderr: what it wrote, as Strings of bytes, if that is captured.
  # - truncated: whether it wrote more than is captured, or than the limits allow.
  # - usage: what it used.
  # - denied: what the sandbox denied it of the network, an Array of Strings: each denial once, with
  #   the rule that would allow it.
  Completed = Struct.new(:code, :stdout, :stderr, :truncated, :usage, :denied)
end
