"""Runs the tests of the gem, with the gem in build/ruby."""

from __future__ import annotations

import subprocess
import sys

from host_ruby import GEM, PROJECT
from hosts import HOSTS
from project import environment

LOAD = "ARGV.each { |file| require file }; ARGV.replace ['--verbose']"


def main(tests: list[str]) -> int:
    """Run the tests, or those files of them."""
    reason = HOSTS["ruby"].missing()
    if not reason and subprocess.run(["ruby", "-e", "require 'minitest'"], capture_output=True).returncode:
        reason = "minitest is missing; on Debian: apt install ruby-minitest"
    if reason:
        print(f"Ruby#tests = 0.00 s = S\n\n  1) Skipped:\nRuby#tests [ruby]:\n{reason}")
        return 0
    files = tests or sorted(map(str, (PROJECT / "test").glob("test_*.rb")))
    return subprocess.run(["ruby", "-W", "-I", GEM / "lib", "-e", LOAD, *files], cwd=PROJECT, env=environment()).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
