"""Misdeeds of a soak that take more than an export of the hostile guest: pipes, descriptors, and modules made for harm."""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import undergo
from made_plugins import leb, section, text

PAGES = 1 << 16
"""More than any memory has."""


class Outside:
    """What the misdeeds need: a folder with a pipe and a file, and modules."""

    def __init__(self, hostile: undergo.Plugin, limits: Callable[[float], undergo.Limits]) -> None:
        self.hostile = hostile
        self.limits = limits
        self._folder = tempfile.TemporaryDirectory()
        self.folder = Path(self._folder.name)
        os.mkfifo(self.folder / "pipe")
        (self.folder / "file").write_text("content")
        self.growing = undergo.Plugin(growing(), cache=False)
        self.all: dict[str, tuple[Callable[[random.Random], Any], set[str]]] = {
            "fifo": (self.fifo, {"timeout"}),
            "descriptors": (self.descriptors, {"done"}),
            "growth that fails": (self.growth, {"done"}),
            "huge module": (self.huge, {"invalid-plugin"}),
            "slow module": (self.slow, {"timeout", "done"}),
        }

    def do(self, dice: random.Random) -> tuple[str, str, set[str]]:
        """Do one of them; give its name, how it ended, and how it may end."""
        name = dice.choice(sorted(self.all))
        misdeed, wanted = self.all[name]
        try:
            misdeed(dice)
            return name, "done", wanted
        except undergo.Error as error:
            return name, error.kind, wanted

    def _instance(self, timeout: float) -> Any:
        sandbox = undergo.Sandbox(stdout="discard", stderr="discard", dirs={"/given": self.folder})
        return self.hostile.instantiate(imports={"host": Nobody()}, sandbox=sandbox, limits=self.limits(timeout))

    def fifo(self, dice: random.Random) -> None:
        """Read a pipe that has no other end."""
        self._instance(120.0).using(timeout=dice.uniform(0.05, 0.2)).files("read", "/given/pipe", "")

    def descriptors(self, _: random.Random) -> None:
        """Open a file until there are no descriptors left, and keep them."""
        opened = self._instance(120.0).files("flood", "/given/file", "")
        assert opened.endswith("too many open files") or "Too many open files" in opened, opened

    def growth(self, dice: random.Random) -> None:
        """Ask for more memory than there can be, many times, and then for a page."""
        exports = self.growing.instantiate(limits=self.limits(120.0)).exports
        assert all(exports.grow(dice.randrange(1 << 12, PAGES)) == -1 for _ in range(100))
        assert exports.grow(1) == 1

    def huge(self, dice: random.Random) -> None:
        """Load a module with a function that no compiler should see."""
        undergo.Plugin(adding(dice.randrange(1 << 20, 1 << 21)), cache=False)

    def slow(self, dice: random.Random) -> None:
        """Load a module that may take longer than its caller waits."""
        undergo.Plugin(adding(dice.randrange(1 << 12, 1 << 15)), cache=False, timeout=0.02)


class Nobody:
    """The host functions of an instance whose misdeeds call none."""

    def do(self, what: str, n: int) -> str:
        """Do nothing."""
        return f"{what} {n}"

    def echo(self, s: str) -> str:
        """Return s."""
        return s

    def fail(self) -> None:
        """Fail."""
        raise undergo.HostError("refused by the host")


def module(body: bytes, export: str, memory: bytes) -> bytes:
    """Make a reactor with one function from i32 to i32 besides its initialisation."""
    types = section(1, [b"\x60\x00\x00", b"\x60\x01\x7f\x01\x7f"])
    functions = section(3, [leb(0), leb(1)])
    exports = section(7, [text("_initialize") + b"\x00\x00", text(export) + b"\x00\x01", text("memory") + b"\x02\x00"])
    bodies = section(10, [leb(len(code)) + code for code in (b"\x00\x0b", body)])
    return b"\0asm\x01\0\0\0" + types + functions + section(5, [memory]) + exports + bodies


def growing() -> bytes:
    """Make a module whose memory grows by what it is told."""
    return module(b"\x00\x20\x00\x40\x00\x0b", "grow", b"\x00\x01")


def adding(count: int) -> bytes:
    """Make a module that adds its parameter to itself so many times."""
    return module(b"\x00\x20\x00" + b"\x20\x00\x6a" * count + b"\x0b", "add", b"\x00\x01")
