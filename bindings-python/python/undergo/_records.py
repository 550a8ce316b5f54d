"""What is measured: of a pool, and of a call; and what becomes of a command."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class PoolStats:
    """What a pool did so far, and what it has now. One reading: the numbers belong together."""

    busy: int
    """Instances that a call has, or that are being made for one."""
    idle: int
    """Instances that wait for a call."""
    waiting: int
    """Calls that wait for an instance."""
    calls: int
    """Calls that were given an instance."""
    made: int
    """Instances that were made."""
    died: int
    """Instances that were dropped because a call had ended them."""
    retired: int
    """Instances that were dropped because they had answered `max_calls` calls."""
    shrunk: int
    """Instances that were dropped because nobody had called them for `idle` seconds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """What the last call of an instance used."""

    time: float
    """Seconds from its entry into the instance on: computing, sleeping and host functions, but not waiting for the instance."""
    memory: int
    """Bytes of guest memory after it. Guest memory never shrinks, so this is also the most there ever was."""
    fuel: int | None
    """Fuel that it used; None without a limit of fuel."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Completed:
    """What became of a command."""

    code: int
    """Its exit code: that of `os.Exit`, 0 when `main` returned, 2 after a panic, whose text is on its standard error."""
    stdout: bytes
    """What it wrote to its standard output, where that is captured."""
    stderr: bytes
    """The same for its standard error."""
    truncated: bool
    """Whether it wrote more than that: more than is captured, or than the limits let it write."""
    denied: list[str]
    """What the sandbox denied it of the network, each thing once with the rule that would allow it; 64 of them at the most."""
    usage: Usage
    """What it used."""
