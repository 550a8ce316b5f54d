"""Measure how late calls end: behind their deadline, a cancel, Ctrl-C, for each thing that a guest or its caller may be doing.

Run by `make bench`, or alone with a Python that has the package. Prints a table; fails when a bound does not hold.
"""

from __future__ import annotations

import asyncio
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import undergo

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
ROUNDS = 20
TIMEOUT = 0.05
MISSED = 3
"""What the program ends with when a bound does not hold."""
LATE, INTERRUPT = 20e-3, 0.2


class Host:
    """The plugin's module `host`."""

    def upper(self, text: str) -> str:
        """Answer at once."""
        return text.upper()

    def pause(self, n: int) -> int:
        """Answer at once, too."""
        return n


class AsyncHost(Host):
    """The same, but for what never answers."""

    async def pause(self, n: int) -> int:  # type: ignore[override]
        """Never answer."""
        await asyncio.sleep(3600)
        return n


def late(call: Callable[[], object]) -> float:
    """Give the seconds by which a call with the timeout ends too late."""
    began = time.perf_counter()
    try:
        call()
    except undergo.TimeoutError:
        return time.perf_counter() - began - TIMEOUT
    raise AssertionError("it ended by itself")


def each(plugin: undergo.Plugin) -> Iterator[tuple[str, float, list[float]]]:
    """Measure what may be going on when the time is over."""
    limits = undergo.Limits(timeout=TIMEOUT)
    instance = plugin.instantiate(imports={"host": Host()})
    brief = instance.using(timeout=TIMEOUT)

    def guest(call: Callable[[], object]) -> float:
        instance.reset()
        return late(call)

    yield "the guest computes", LATE, [guest(lambda: brief.spin()) for _ in range(ROUNDS)]
    yield "the guest sleeps", LATE, [guest(lambda: brief.sleep(3_600_000)) for _ in range(ROUNDS)]
    with tempfile.TemporaryDirectory() as folder:
        pipe = Path(folder) / "pipe"
        os.mkfifo(pipe)
        end = os.open(pipe, os.O_RDWR)
        reader = plugin.instantiate(imports={"host": Host()}, sandbox=undergo.Sandbox(stdin=pipe), limits=limits)
        rows = []
        for _ in range(ROUNDS):
            reader.reset(timeout=60)
            rows.append(late(lambda: reader.read_stdin()))
        os.close(end)
        yield "the guest reads a pipe that nobody writes to", LATE, rows
    env = {"SPIN": "1"}
    looping = undergo.Sandbox(env=env)
    make = lambda: plugin.instantiate(imports={"host": Host()}, sandbox=looping, limits=limits)  # noqa: E731
    yield "the initialisation computes", LATE, [late(make) for _ in range(ROUNDS)]
    instance.reset()
    token = undergo.CancelToken()
    busy = threading.Thread(target=ended, args=(lambda: instance.using(cancel=token).spin(),))
    busy.start()
    while answers(lambda: instance.using(timeout=1e-3).add(1, 2)):
        pass
    yield "another call has the instance", LATE, [late(lambda: brief.add(1, 2)) for _ in range(ROUNDS)]
    token.cancel()
    busy.join()
    pool = plugin.pool(1, imports={"host": Host()})
    token = undergo.CancelToken()
    busy = threading.Thread(target=ended, args=(lambda: pool.using(cancel=token).spin(),))
    busy.start()
    while not pool.stats.busy:
        pass
    yield "the pool has no free instance", LATE, [late(lambda: pool.using(timeout=TIMEOUT).add(1, 2)) for _ in range(ROUNDS)]
    token.cancel()
    busy.join()
    pool.close()
    yield "an awaited guest computes", LATE, asyncio.run(awaited(plugin, "spin"))
    yield "an awaited guest sleeps", LATE, asyncio.run(awaited(plugin, "sleep", 3_600_000))
    yield "an awaited guest waits for a coroutine", LATE, asyncio.run(awaited(plugin, "call_pause", 1))
    yield "a token is cancelled while the guest computes", LATE, [cancelled(instance, instance.reset) for _ in range(ROUNDS)]
    yield "Ctrl-C while the guest computes", INTERRUPT, [interrupted(lambda: instance.spin(), instance.reset) for _ in range(ROUNDS)]
    sleep: Callable[[], object] = lambda: instance.sleep(3_600_000)  # noqa: E731
    yield "Ctrl-C while the guest sleeps", INTERRUPT, [interrupted(sleep, instance.reset) for _ in range(ROUNDS)]


def answers(call: Callable[[], object]) -> bool:
    """Tell whether a call is answered in time."""
    try:
        call()
    except undergo.TimeoutError:
        return False
    return True


def ended(call: Callable[[], object]) -> None:
    """Run a call until it is cancelled."""
    try:
        call()
    except undergo.CancelledError:
        return


async def awaited(plugin: undergo.Plugin, name: str, *args: Any) -> list[float]:
    """Give by how much awaited calls of that export end too late."""
    instance = await plugin.instantiate_async(imports={"host": AsyncHost()})
    rows = []
    for _ in range(ROUNDS):
        await instance.reset()
        began = time.perf_counter()
        try:
            await instance.using(timeout=TIMEOUT).exports[name](*args)
        except undergo.TimeoutError:
            rows.append(time.perf_counter() - began - TIMEOUT)
    assert len(rows) == ROUNDS
    return rows


def cancelled(instance: Any, reset: Callable[[], None]) -> float:
    """Give the seconds between a cancel and the end of the call."""
    reset()
    token = undergo.CancelToken()
    at = []

    def cancel() -> None:
        at.append(time.perf_counter())
        token.cancel()

    threading.Timer(TIMEOUT, cancel).start()
    ended(lambda: instance.using(cancel=token).spin())
    return time.perf_counter() - at[0]


def interrupted(call: Callable[[], object], reset: Callable[[], None]) -> float:
    """Give the seconds between Ctrl-C and the end of the call."""
    reset()
    at = []

    def interrupt() -> None:
        at.append(time.perf_counter())
        os.kill(os.getpid(), signal.SIGINT)

    threading.Timer(TIMEOUT, interrupt).start()
    try:
        call()
    except KeyboardInterrupt:
        return time.perf_counter() - at[0]
    raise AssertionError("it ended by itself")


def main() -> int:
    """Measure, print, and judge."""
    # A shell has its background jobs ignore Ctrl-C, which Python then leaves as it is.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    print(f"| {ROUNDS} calls each, {TIMEOUT * 1e3:.0f} ms | late, median | late, most | bound |\n| --- | --- | --- | --- |")
    held = True
    with tempfile.TemporaryDirectory() as folder:
        wasm = Path(folder) / "plugin.wasm"
        tool = os.environ.get("UNDERGO", str(ROOT / "build" / "bin" / "undergo"))
        subprocess.run([tool, "build", HERE / "plugin", "-o", wasm], check=True, stdout=subprocess.DEVNULL)
        for what, bound, rows in each(undergo.Plugin(wasm)):
            within = max(rows) <= bound
            limit = f"≤ {bound * 1e3:.0f} ms{'' if within else ', **missed**'}"
            print(f"| {what} | {statistics.median(rows) * 1e3:.1f} ms | {max(rows) * 1e3:.1f} ms | {limit} |", flush=True)
            held &= within
    return 0 if held else MISSED


if __name__ == "__main__":
    sys.exit(main())
