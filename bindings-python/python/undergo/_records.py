"""Measurements of pools, servers and calls, and the result of a command."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class PoolStats:
    """What a pool has done so far, and what it has now. The numbers are one snapshot."""

    busy: int
    """Instances that are in a call, or are being created for one."""
    idle: int
    """Instances that are free."""
    waiting: int
    """Calls that wait for an instance."""
    calls: int
    """Calls that got an instance."""
    made: int
    """Instances that were created."""
    died: int
    """Instances that were dropped because a call had killed them."""
    retired: int
    """Instances that were dropped because they had answered `max_calls` calls."""
    shrunk: int
    """Instances that were dropped because they had been unused for `idle` seconds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerStats:
    """What a server has done so far, and what it has now."""

    connections: int
    """Connections that are open."""
    requests: int
    """Requests that were read."""
    refused: int
    """Those that no instance was free for: status 503."""
    failed: int
    """Those whose instance failed, or did not answer in time: status 500 or 504, or an answer that ended early."""
    pool: PoolStats
    """Its instances."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """What the last call of an instance used."""

    time: float
    """Seconds from its entry into the instance on, including sleeping and host functions."""
    memory: int
    """Bytes of guest memory after it, which never shrinks: this is also the most there ever was."""
    fuel: int | None
    """Fuel that it used; None without a limit of fuel."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Completed:
    """The result of a command."""

    code: int
    """Its exit code: that of `os.Exit`, 0 when `main` returned, 2 after a panic."""
    stdout: bytes
    """What it wrote to its standard output, if that is captured."""
    stderr: bytes
    """What it wrote to its standard error, if that is captured. A panic's text is there."""
    truncated: bool
    """Whether it wrote more than is captured, or than the limits allow."""
    denied: list[str]
    """What the sandbox denied it of the network: each denial once, with the rule; at most 64."""
    usage: Usage
    """What it used."""
