"""A plugin of Go as a component, with its collector at work while the host places arguments: each call is checked, and none may trap."""

from __future__ import annotations

import random
from typing import Any

import undergo

LARGEST = 2 << 20
"""Bytes of the longest text."""

SUBJECTS = {"ada": ["math", "engines"], "bob": []}


class Pressed:
    """One instance of the component, and what it is called with."""

    def __init__(self, plugin: undergo.Plugin, limits: undergo.Limits) -> None:
        sandbox = undergo.Sandbox(stdout="discard", stderr="discard")
        self.guest: Any = plugin.instantiate(imports={"directory": {"lookup": SUBJECTS.__getitem__}}, sandbox=sandbox, limits=limits)
        self.calls = 0

    def do(self, dice: random.Random) -> None:
        """Make a call with small arguments or large ones, or one that calls the host."""
        self.calls += 1
        if dice.random() < 0.2:
            names = dice.choices(list(SUBJECTS), k=dice.randrange(50))
            assert self.guest.ask(names) == [subject for name in names for subject in SUBJECTS[name]]
            return
        letter, value = chr(97 + dice.randrange(26)), dice.randrange(250)
        size = dice.choice((dice.randrange(1, 100), dice.randrange(1, LARGEST)))
        # Each byte of a list is a value to the engine, so that long texts are quicker.
        data, words = bytes([value]) * dice.randrange(1, 2000), [letter * 50] * dice.randrange(1, 50)
        got = self.guest.press(self.calls, data, letter * size, words)
        assert got == sum(data) + size + len(words), f"call {self.calls}: {got}"
