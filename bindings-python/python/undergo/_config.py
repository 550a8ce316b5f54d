"""What an instance may reach, and what it may use."""

from __future__ import annotations

import inspect
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from os import PathLike, fsdecode, fspath
from typing import Any

from ._undergo import parse_size, parse_stack_size

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True, kw_only=True)
class Dir:
    """A directory of the host that the guest gets.

    Args:
        path: its path on the host.
        readonly: whether the guest may only read.
    """

    path: str | PathLike[str]
    readonly: bool = False

    def __init__(self, path: str | PathLike[str], *, readonly: bool = False) -> None:
        object.__setattr__(self, "path", fspath(path))
        object.__setattr__(self, "readonly", readonly)


@dataclass(frozen=True, kw_only=True)
class Sandbox:
    """What an instance may reach: by default, only the standard output and error of this process.

    Args:
        args: `os.Args` after the program's name, which is always there.
        env: environment variables; nothing is taken from this process's own environment.
        dirs: directories of the host, by the path at which the guest sees them. A plain path is
            readable and writable. They are opened once, when an instance, a pool or a run is
            created. If none is given at `/`, the guest sees an empty root that it can only read.
        temp: whether the guest gets a private, empty folder at `/tmp`. It is created with the
            instance, in the host's place for temporary files, and removed when the instance is
            reset or dropped. Only the host's disk limits what the guest writes there.
        stdin: the guest's standard input: bytes are its content; a `pathlib.Path` is a file or a
            FIFO, which each instance reads from its beginning; `"inherit"` is the standard input of
            this process. The guest waits for input as long as its call may last.
        stdout: `"inherit"`, `"discard"`, `"capture"`, or a function that gets each line as a str;
            None is `"inherit"` for an instance, and `"capture"` for a command that is run.
            `instance.take_stdout()` returns captured output. A function is called on the thread of
            the call, without the newline. Bytes that are not UTF-8 are replaced, a line of more
            than 64 KiB comes in pieces, and an unfinished line comes when the call ends. What the
            function raises ends the call and the instance, and reaches the caller. It can't call
            the instance whose output it gets.
        stderr: the same for the standard error. Its end is always kept, for the text of a panic.
        capture_limit: bytes of a captured stream that are kept; the rest is dropped.
        clock: for repeatable runs: the guest's clock starts at this time, an aware datetime, anew
            for each instance and each run. It advances by a microsecond whenever the guest reads
            it, and to the end of a wait such as `time.Sleep`, which takes no time. None: the host's
            clocks. Timeouts, and the times of files, follow the host's clock.
        seed: for repeatable runs: all random numbers of the guest follow from this, including those
            of `crypto/rand` and the order of maps. Never use it where keys are made. None: the
            host's random numbers.
        network: what the guest may reach over the network: a rule as text, or several.
            `"example.org:443"` and `"10.0.0.0/8:5432"` allow connecting, `"listen=127.0.0.1:8080"`
            allows listening; docs/network.md of the project has all forms. `Completed.denied`,
            `Instance.denied` and `Error.denied` have what was denied, with the rule that would
            allow it.
        listeners: sockets that the guest gets open, from descriptor 3 on (after those of
            directories), and for which it needs no rule. An address as text is opened when an
            instance, a pool or a run is created, and closed with it. A listening `socket.socket` is
            duplicated for the guest, so that you have to close yours; it is non-blocking from then
            on.
    """

    args: Sequence[str] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    dirs: Mapping[str, Dir | str | PathLike[str]] = field(default_factory=dict)
    temp: bool = False
    stdin: bytes | PathLike[str] | str = b""
    stdout: str | Callable[[str], object] | None = None
    stderr: str | Callable[[str], object] | None = None
    capture_limit: int = 1 << 20
    clock: datetime | None = None
    seed: int | None = None
    network: str | Sequence[str] = ()
    listeners: Sequence[str | socket.socket] = ()

    def __post_init__(self) -> None:
        for name in ("stdout", "stderr"):
            given = getattr(self, name)
            if inspect.iscoroutinefunction(given):
                raise ValueError(f"Sandbox.{name} is a coroutine function, which nobody would await; write a plain function of one line")
            if given is not None and not callable(given) and given not in ("inherit", "discard", "capture"):
                raise ValueError(f"Sandbox.{name} is {given!r}; it must be 'inherit', 'discard', 'capture' or a function of one line")
        self._input()
        if self.capture_limit < 0:
            raise ValueError("Sandbox.capture_limit must not be negative")
        if not isinstance(self.temp, bool):
            raise TypeError(f"Sandbox.temp is {self.temp!r}; write True or False")
        self._start()
        if self.seed is not None:
            count(self.seed, "Sandbox.seed", 0)
        for name in ("network", "listeners"):
            given = getattr(self, name)
            if not isinstance(given, str):
                # They are read for each instance, and an iterator could be read once.
                object.__setattr__(self, name, tuple(given))
        self._rules()
        self._listening()

    def _rules(self) -> list[str]:
        """Give the rules of the network. The core checks them."""
        rules = [self.network] if isinstance(self.network, str) else list(self.network)
        for rule in rules:
            if not isinstance(rule, str):
                raise TypeError(f"Sandbox.network has {rule!r}; a rule is a str, such as 'example.org:443'")
        return rules

    def _listening(self) -> list[str | int]:
        """Give the addresses of listeners to open, and the descriptors of those that are open."""
        if isinstance(self.listeners, str):
            raise TypeError(f"Sandbox.listeners is the str {self.listeners!r}; write a list of addresses, or of sockets that listen")
        found: list[str | int] = []
        for given in self.listeners:
            if isinstance(given, socket.socket):
                if given.fileno() < 0:
                    raise ValueError("Sandbox.listeners has a socket that is closed")
                if given.family not in (socket.AF_INET, socket.AF_INET6) or given.type != socket.SOCK_STREAM:
                    raise ValueError(f"Sandbox.listeners has {given!r}; only sockets of TCP can be handed in")
                if not given.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                    raise ValueError(f"Sandbox.listeners has {given!r}, which does not listen; call its listen() before")
                found.append(given.fileno())
            elif not isinstance(given, str):
                raise TypeError(
                    f"Sandbox.listeners has {given!r}; write an address such as '127.0.0.1:8080', or give a socket that listens"
                )
            elif given.endswith(":0"):
                raise ValueError(
                    f"Sandbox.listeners has {given!r}, of which nobody would know the port; "
                    "give a socket that listens: socket.create_server(('127.0.0.1', 0))"
                )
            else:
                found.append(given)
        return found

    def _start(self) -> int | None:
        """Give the microseconds since 1970 at which a simulated clock begins."""
        if self.clock is None:
            return None
        if not isinstance(self.clock, datetime) or self.clock.tzinfo is None or self.clock < _EPOCH:
            raise ValueError(f"Sandbox.clock is {self.clock!r}; write a datetime with a time zone, from 1970 on")
        return (self.clock - _EPOCH) // timedelta(microseconds=1)

    def _input(self) -> bytes | str | None:
        """Give the standard input's content, or the path of its file, or None for the process's."""
        if isinstance(self.stdin, str):
            if self.stdin != "inherit":
                raise ValueError(
                    f"Sandbox.stdin is the str {self.stdin!r}; give content as bytes, a file as a pathlib.Path, or write 'inherit'"
                )
            return None
        if isinstance(self.stdin, PathLike):
            return fsdecode(self.stdin)
        try:
            return bytes(memoryview(self.stdin))
        except TypeError:
            kind = type(self.stdin).__name__
            raise TypeError(f"Sandbox.stdin must be bytes, a pathlib.Path or 'inherit', got {kind}") from None

    def _parts(
        self,
    ) -> tuple[
        list[str],
        list[tuple[str, str]],
        list[tuple[str, str, bool]],
        bool,
        bytes | str | None,
        str | Callable[[str], object] | None,
        str | Callable[[str], object] | None,
        int,
        int | None,
        int | None,
        list[str],
        list[str | int],
    ]:
        dirs = []
        for guest, given in self.dirs.items():
            one = given if isinstance(given, Dir) else Dir(given)
            dirs.append((guest, fspath(one.path), one.readonly))
        env = list(self.env.items())
        streams = self._input(), self.stdout, self.stderr, self.capture_limit
        return list(self.args), env, dirs, self.temp, *streams, self._start(), self.seed, self._rules(), self._listening()


def sandbox_of_run(
    sandbox: Sandbox | None, args: Sequence[str] | None, env: Mapping[str, str] | None, stdin: bytes | PathLike[str] | str | None
) -> Sandbox:
    """Give the sandbox of one run: what is given for the run replaces the sandbox's own."""
    given: dict[str, Any] = {"args": args, "env": env, "stdin": stdin}
    if sandbox is not None and not isinstance(sandbox, Sandbox):
        raise TypeError(f"sandbox must be an undergo.Sandbox, got {type(sandbox).__name__}")
    return replace(sandbox or Sandbox(), **{name: value for name, value in given.items() if value is not None})


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What an instance may use.

    By default the only limits are those of WebAssembly (4 GiB of memory) and of one value.

    Args:
        memory: guest memory, in bytes or as a text: `"64MiB"`.
        timeout: seconds that a call, or the initialisation, may take: computing, sleeping, host
            functions and waiting for the instance.
        value: bytes that Python may need for one value from the guest, as objects, 1 GiB by
            default; as `memory`.
        output: bytes that the guest may write to each of its two outputs over its life; as
            `memory`. The rest is dropped, which is not an error for the guest.
        table: elements of all tables of the guest together, 4,194,304 by default. Go's table has
            one for each function, and never grows.
        stack: guest stack of one call, from 64 KiB to 512 MiB, rounded up to a power of two; as
            `memory`. The default, 4 MiB, is enough for a hundred thousand nested Go calls.
        fuel: how much each call, and the initialisation, may compute, in units of about one
            WebAssembly instruction. The limit does not depend on the machine. It costs about a
            tenth of the speed.
        descriptors: descriptors of this process that the guest may hold at once, 128 by default:
            files, directories, sockets, accepted connections, and pipes. Beyond the limit the guest
            gets the error "too many open files".
        handles: handles that the guest may hold at once, 10,000 by default: of callbacks, iterables,
            files and other objects that it was given, and of its own on their way. Beyond the limit
            the call that needs one more ends with `OutOfMemoryError`.
    """

    memory: int | str | None = None
    timeout: float | None = None
    value: int | str | None = None
    output: int | str | None = None
    table: int | None = None
    stack: int | str | None = None
    fuel: int | None = None
    descriptors: int | None = None
    handles: int | None = None

    def __post_init__(self) -> None:
        size(self.memory, "memory")
        size(self.value, "value")
        size(self.output, "output")
        if self.stack is not None:
            parse_stack_size(str(self.stack), "Limits.stack")
        if self.fuel is not None and (isinstance(self.fuel, bool) or not isinstance(self.fuel, int) or not 0 < self.fuel < 1 << 63):
            raise ValueError(f"Limits.fuel is {self.fuel!r}; write a positive number")
        seconds(self.timeout)
        if self.table is not None:
            count(self.table, "Limits.table", 0, most=2**32 - 1)
        if self.descriptors is not None:
            count(self.descriptors, "Limits.descriptors", 0, most=2**32 - 1)
        if self.handles is not None:
            count(self.handles, "Limits.handles", 0, most=2**32 - 1)

    def _parts(self) -> tuple[int | float | None, ...]:
        bounds = size(self.memory, "memory"), seconds(self.timeout), size(self.value, "value"), size(self.output, "output")
        return *bounds, self.table, size(self.stack, "stack"), self.fuel, self.descriptors, self.handles


def size(given: int | str | None, name: str) -> int | None:
    """Read a number of bytes: `65536`, `"64 MiB"`, `"1.5 GB"`, `"64M"`."""
    return None if given is None else parse_size(str(given), f"Limits.{name}")


def seconds(given: float | None) -> float | None:
    """Check a number of seconds."""
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, (int, float)) or not given >= 0:
        raise ValueError(f"the timeout is {given!r}; write a number of seconds that is not negative")
    return float(given)


def idle_seconds(given: float | None) -> float | None:
    """Check a number of seconds that is more than none."""
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, (int, float)) or not given > 0:
        raise ValueError(f"idle is {given!r}; write a number of seconds that is more than 0, or None to keep unused instances")
    return float(given)


def count(given: int, name: str, least: int, most: int = 2**64 - 1) -> int:
    """Check a number of something."""
    if isinstance(given, bool) or not isinstance(given, int) or not least <= given <= most:
        bounds = f"of at least {least}" if given is True or not isinstance(given, int) or given < least else f"of at most {most}"
        raise ValueError(f"{name} is {given!r}; write a whole number {bounds}")
    return given
