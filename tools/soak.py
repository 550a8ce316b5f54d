"""Runs misdeeds of the hostile guest at random next to well-behaved calls, which must notice nothing; and nothing may be left behind.

soak.py [--seconds 60] [--threads 4] [--seed N] [--write]

A run has phases. At the end of each all threads have ended and all instances are dropped: then memory, threads and descriptors are
counted. The first phases, a third of the time, are to warm up: allocators and pools of threads find their size. What there is behind the
last phase is compared with what there was behind those. The same seed gives the same misdeeds in the same order in each thread; what runs
beside what is up to the system. One thread uses objects, iterators, callbacks and streams of another plugin, of which nothing may be left
on either side at the end of a phase. Another calls a component, whose collector is at work while its arguments are placed.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import ctypes
import gc
import json
import os
import platform
import random
import re
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import results
import undergo
from project import COMPONENT, CONFORMANCE, HOSTILE, ROOT
from soak_component import Pressed
from soak_handles import Handles
from soak_misdeeds import Outside

CASES: list[dict[str, Any]] = json.loads((ROOT / "conformance" / "hostile" / "misdeeds.json").read_text())["cases"]
MEMORY = "64MiB"
COMPONENT_MEMORY = "256MiB"
"""That of the component, which gets arguments of some MiB, and is to have a collector that works rather than one that has to."""

ENOUGH = 120.0
"""Seconds that a call which ends by itself may take, on a machine that is busy with all the others."""

OUTSIDE = 0.2
"""How many of the misdeeds are with files, descriptors, memory and modules."""

PHASES = 6
WARM_UP = 2

GROWTH = 12 << 20
"""Bytes that what malloc has given out may grow by from the warm-up on.

Each of the compilers' threads keeps as much as the largest function needed that it has compiled.
"""

RESIDENT_GROWTH = 96 << 20
"""The same of resident memory: what instances have beside malloc's, and what malloc keeps for each thread that there was.

An instance that is not given back has 2 MiB and more, and there are hundreds of misdeeds.
"""

MAPPED_GROWTH = 2 << 30
"""The same of address space: each instance reserves 4 GiB for its memory, and malloc 64 MiB for an arena."""

SLOW_MODULES = 60
"""How many modules whose functions are large are compiled before anything is counted."""

SETTLE = 5.0
"""Seconds that a thread which has ended may take to be gone."""


class MallInfo(ctypes.Structure):
    """`struct mallinfo2` of glibc."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in ("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost")
    ]


@dataclass
class Counted:
    """What a process has."""

    memory: int
    """Resident."""
    allocated: int
    """What malloc has given out, as glibc says it; 0 elsewhere."""
    mapped: int
    """Address space."""
    threads: int
    descriptors: int

    @staticmethod
    def now() -> Counted:
        """Count, once all that can be given back is."""
        gc.collect()
        allocated = 0
        if platform.libc_ver()[0] == "glibc":
            libc = ctypes.CDLL(None)
            libc.malloc_trim(0)
            libc.mallinfo2.restype = MallInfo
            info = libc.mallinfo2()
            allocated = info.uordblks + info.hblkhd
        status = Path("/proc/self/status").read_text()
        memory = {name: int(kilobytes) << 10 for name, kilobytes in re.findall(r"^(VmRSS|VmSize):\s+(\d+) kB", status, re.MULTILINE)}
        return Counted(memory["VmRSS"], allocated, memory["VmSize"], len(os.listdir("/proc/self/task")), len(os.listdir("/proc/self/fd")))

    def __str__(self) -> str:
        """Say it for people."""
        allocated = f" ({self.allocated / (1 << 20):.1f} allocated)" if self.allocated else ""
        return f"{self.memory / (1 << 20):.1f} MiB{allocated}, {self.threads} threads, {self.descriptors} descriptors"


@dataclass
class Tally:
    """What the threads did; a lock is taken for each entry, since they share it."""

    honest: int = 0
    handled: int = 0
    pressed: int = 0
    slowest: float = 0.0
    ends: collections.Counter[str] = field(default_factory=collections.Counter)
    troubles: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def trouble(self, text: str) -> None:
        """Note what should not be."""
        with self.lock:
            self.troubles.append(text)


class Host:
    """The host functions: `do` calls the instance back."""

    def __init__(self) -> None:
        self.instance: Any = None

    def do(self, what: str, n: int) -> str:
        """Do a misdeed within the call."""
        return str(self.instance.do(what, n)) if self.instance else "nothing done"

    def echo(self, s: str) -> str:
        """Return s."""
        return s

    def fail(self) -> None:
        """Fail."""
        raise undergo.HostError("refused by the host")


def limits(timeout: float, memory: str = MEMORY) -> undergo.Limits:
    """Give what an instance may use."""
    return undergo.Limits(memory=memory, timeout=timeout)


def options(timeout: float, env: dict[str, str] | None = None) -> dict[str, Any]:
    """Give what instances are made with; each call makes a host of its own."""
    sandbox = undergo.Sandbox(stdout="discard", stderr="discard", env=env or {})
    return {"imports": {"host": Host()}, "sandbox": sandbox, "limits": limits(timeout)}


def start(plugin: undergo.Plugin, timeout: float, env: dict[str, str] | None = None) -> tuple[Any, Host]:
    """Make an instance and its host."""
    made = options(timeout, env)
    return plugin.instantiate(**made), made["imports"]["host"]


def misbehave(plugin: undergo.Plugin, pool: Any, dice: random.Random, tally: Tally) -> None:
    """Do one misdeed: in a call, in init, within a host function, or in an instance of the pool that well-behaved calls use, too."""
    case = dice.choice(CASES)
    what, n, wanted = case["misdeed"], case.get("n", 0), case["kind"]
    timeout = dice.uniform(0.05, 0.3) if wanted == "timeout" else ENOUGH
    # A misdeed that returns leaves an instance which lives on as it is then: no pool can know that.
    way = dice.choice(("call", "init", "through") if wanted == "done" else ("call", "init", "through", "pool"))
    host = None
    try:
        if way == "init":
            start(plugin, timeout, {"MISDEED": what, "MISDEED_N": str(n)})
        elif way == "pool":
            # Waiting for an instance counts, too: a short deadline may end that.
            pool.using(timeout=timeout).do(what, n)
        else:
            # What init does counts as a call of its own, so that a short deadline ends the misdeed
            # and nothing else.
            instance, host = start(plugin, ENOUGH)
            host.instance = instance if way == "through" else None
            view = instance.using(timeout=timeout)
            (view.do if way == "call" else view.through)(what, n)
        got = "done"
    except undergo.Error as error:
        got = error.kind
    finally:
        if host:
            host.instance = None
    with tally.lock:
        tally.ends[got] += 1
    if got != wanted:
        tally.trouble(f"{what}({n}), {way}: {got}, and should be {wanted}")


def misbehave_outside(outside: Outside, dice: random.Random, tally: Tally) -> None:
    """Do one misdeed with files, descriptors, memory or a module."""
    name, got, wanted = outside.do(dice)
    with tally.lock:
        tally.ends[got] += 1
    if got not in wanted:
        tally.trouble(f"{name}: {got}, and should be {' or '.join(sorted(wanted))}")


def behave(call: Callable[[int], int], dice: random.Random, tally: Tally) -> None:
    """Make a call whose result is known."""
    n = dice.randrange(1, 500)
    began = time.monotonic()
    got = call(n)
    took = time.monotonic() - began
    with tally.lock:
        tally.honest += 1
        tally.slowest = max(tally.slowest, took)
    if got != n * (n + 1) * (2 * n + 1) // 6:
        tally.trouble(f"work({n}) is {got}")


@dataclass
class Plugins:
    """What is called."""

    hostile: undergo.Plugin
    conformance: undergo.Plugin
    component: undergo.Plugin


def phase(plugins: Plugins, outside: Outside, seconds: float, threads: int, seed: str, tally: Tally) -> None:
    """Run all threads for that long, and wait for their end."""
    plugin = plugins.hostile
    until = time.monotonic() + seconds
    shared, _ = start(plugin, ENOUGH)
    pool: Any = plugin.pool(threads + 1, **options(ENOUGH))

    def loop(name: str, once: Callable[[random.Random], None]) -> None:
        dice = random.Random(f"{seed} {name}")
        try:
            while time.monotonic() < until:
                once(dice)
        except BaseException as error:
            tally.trouble(f"{name}: {error!r}")

    def honest(name: str) -> None:
        own, _ = start(plugin, ENOUGH)
        loop(name, lambda dice: behave(dice.choice((own, shared, pool)).work, dice, tally))

    def hostile(name: str) -> None:
        def once(dice: random.Random) -> None:
            if dice.random() < OUTSIDE:
                misbehave_outside(outside, dice, tally)
            else:
                misbehave(plugin, pool, dice, tally)

        loop(name, once)

    def holding(name: str) -> None:
        handles = Handles(plugins.conformance, limits(ENOUGH))

        def once(dice: random.Random) -> None:
            handles.do(dice)
            with tally.lock:
                tally.handled += 1

        loop(name, once)
        for left in handles.left():
            tally.trouble(f"{name}: {left}")

    def pressing(name: str) -> None:
        pressed = Pressed(plugins.component, limits(ENOUGH, COMPONENT_MEMORY))
        loop(name, pressed.do)
        with tally.lock:
            tally.pressed += pressed.calls

    running = [threading.Thread(target=holding, args=("holding",)), threading.Thread(target=pressing, args=("pressing",))]
    running += [threading.Thread(target=honest, args=(f"honest {i}",)) for i in range(threads)]
    running += [threading.Thread(target=hostile, args=(f"hostile {i}",)) for i in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    pool.close(ENOUGH)


def warm_up(outside: Outside) -> None:
    """Have the compilers begin all their threads, and take memory: in which phase they would is up to the system."""
    undergo.Plugin(HOSTILE, cache=False).wait_compiled()
    dice = random.Random(0)
    for _ in range(SLOW_MODULES):
        with contextlib.suppress(undergo.Error):
            outside.slow(dice)


def growth(counts: list[Counted]) -> list[str]:
    """Compare what there is behind the last phase with what there was behind the warm-up."""
    before, after = counts[WARM_UP - 1], counts[-1]
    grown = []
    for what, grew, may in [
        ("resident memory", after.memory - before.memory, RESIDENT_GROWTH),
        ("what malloc has given out", after.allocated - before.allocated, GROWTH),
        ("address space", after.mapped - before.mapped, MAPPED_GROWTH),
    ]:
        if grew > may:
            grown.append(f"{what} grew by {grew / (1 << 20):.1f} MiB, and may by {may >> 20} MiB")
    if after.threads > before.threads:
        grown.append(f"there are {after.threads} threads, and were {before.threads}")
    if after.descriptors > before.descriptors:
        grown.append(f"there are {after.descriptors} descriptors, and were {before.descriptors}")
    return grown


def settled(counts: list[Counted]) -> Counted:
    """Count when the threads of a phase are gone: Python says that one has ended a little before the system does."""
    until = time.monotonic() + SETTLE
    while True:
        now = Counted.now()
        if not counts or now.threads <= counts[-1].threads or time.monotonic() > until:
            return now
        time.sleep(0.01)


def main() -> int:
    """Run the phases; 0 when nothing was amiss."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--threads", type=int, default=4, help="of each sort: honest ones and hostile ones")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--write", action="store_true", help="write the figures to bench/results.md")
    given = parser.parse_args()
    setting = f"{given.seconds:.0f} s, {given.threads} honest and {given.threads} hostile threads, seed {given.seed}"
    print(f"soak: {setting}", flush=True)
    plugins = Plugins(undergo.Plugin(HOSTILE), undergo.Plugin(CONFORMANCE), undergo.Plugin(COMPONENT))
    outside = Outside(plugins.hostile, limits)
    warm_up(outside)
    tally = Tally()
    counts: list[Counted] = []
    for number in range(PHASES):
        phase(plugins, outside, given.seconds / PHASES, given.threads, f"{given.seed} {number}", tally)
        counts.append(settled(counts))
        print(f"phase {number + 1}: {counts[-1]}", flush=True)
    ends = ", ".join(f"{count} {kind}" for kind, count in tally.ends.most_common())
    troubles = tally.troubles + growth(counts)
    text = (
        f"{setting}: {tally.honest} well-behaved calls, the slowest of which took {tally.slowest * 1000:.0f} ms,\n"
        f"{tally.handled} uses of objects, iterators, callbacks and streams,\n"
        f"{tally.pressed} calls of a component with its collector at work,\n"
        f"and {sum(tally.ends.values())} misdeeds ({ends}).\n"
        f"Behind the warm-up: {counts[WARM_UP - 1]}. At the end: {counts[-1]}. Amiss: {len(troubles)}.\n"
    )
    print(text, end="")
    for trouble in troubles[:20]:
        print(f"AMISS: {trouble}")
    if given.write and not troubles:
        results.write("Soak", f"Written by `make soak`: {text}")
    return 1 if troubles or not tally.honest or not tally.handled or not tally.pressed or not tally.ends else 0


if __name__ == "__main__":
    sys.exit(main())
