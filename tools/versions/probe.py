"""Tries what may be wrong with a Python: a line for each thing, `ok NAME` or `not ok NAME: why`.

Usage: probe.py probe.wasm
"""

from __future__ import annotations

import array
import sys
from typing import Any

import undergo


class Probe:
    """What is tried, in this order."""

    plugin: undergo.Plugin
    instance: Any

    def start(self) -> Any:
        """Make an instance."""
        return self.plugin.instantiate(imports={"host": {"lookup": lambda name: f"{name} is here"}})

    def load(self) -> None:
        """Load the plugin."""
        self.plugin = undergo.Plugin(sys.argv[1])
        self.instance = self.start()

    def call(self) -> None:
        """Pass numbers."""
        assert self.instance.add(20, 22) == 42
        assert self.instance.add(a=-1, b=1) == 0

    def buffer(self) -> None:
        """Pass a buffer."""
        assert self.instance.sum(array.array("d", [0.5, 0.25])) == 0.75
        assert self.instance.sum(memoryview(array.array("d", [1.0] * 100_000))) == 100_000

    def record(self) -> None:
        """Pass and get a record."""
        moved = self.instance.move({"x": 1, "y": 2, "name": "p"}, 0.5)
        assert moved == self.plugin.types.Point(x=1.5, y=2.5, name="p'")

    def host(self) -> None:
        """Be called."""
        assert self.instance.ask("Ada") == "Ada is here"

        def fail(_name: str) -> str:
            raise KeyError("out")

        failing: Any = self.plugin.instantiate(imports={"host": {"lookup": fail}})
        error = raised(lambda: failing.ask("Ada"))
        assert "out" in str(error)

    def error(self) -> None:
        """Get an error of Go's."""
        error = raised(lambda: self.instance.fail("as told"))
        assert isinstance(error, undergo.GuestError)
        assert str(error) == "as told"

    def panic(self) -> None:
        """Get a panic of Go's."""
        one = self.start()
        error = raised(lambda: one.first([]))
        assert isinstance(error, undergo.PanicError)
        assert "index out of range" in str(error)
        assert "First" in error.frames[0].function

    def timeout(self) -> None:
        """End what never ends."""
        one = self.start()
        assert isinstance(raised(lambda: one.using(timeout=0.05).spin()), undergo.TimeoutError)


def raised(call: Any) -> Exception:
    """Give what a call raises."""
    try:
        call()
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


probe = Probe()
for check in (probe.load, probe.call, probe.buffer, probe.record, probe.host, probe.error, probe.panic, probe.timeout):
    try:
        check()
    except Exception as error:
        print(f"not ok {check.__name__}: {type(error).__name__}: {error}".replace("\n", " "))
    else:
        print(f"ok {check.__name__}")
