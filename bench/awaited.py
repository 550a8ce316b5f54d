"""Measure calls that are awaited: very many at once on a few threads, and how long the loop waits for guests.

Run by `make bench`, or alone with a Python that has the package. Prints a table; fails when a bound does not hold.

10,000 calls, each of whose host functions takes 50 ms, go through a pool of 500 instances: 20 rounds of 50 ms, if nothing else took time.
Then two guests compute for eight seconds, while a task measures how late the loop wakes it.
"""

from __future__ import annotations

import asyncio
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import undergo

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
MISSED = 3
"""What the program ends with when a bound does not hold."""
CALLS, INSTANCES, PAUSE = 10_000, 500, 0.05
SECONDS, MEMORY, LATE = 3.0, 1.5 * 2**30, 5e-3
WATCHED = 8.0
"""Seconds: some thousand wakes, so that one in a thousand is not one alone."""


class Host:
    """The plugin's module `host`."""

    def upper(self, text: str) -> str:
        """Answer at once."""
        return text.upper()

    async def pause(self, n: int) -> int:
        """Answer later."""
        await asyncio.sleep(PAUSE)
        return n


async def many(plugin: undergo.Plugin) -> float:
    """Give the seconds that all calls take."""
    async with plugin.async_pool(INSTANCES, imports={"host": Host()}) as pool:
        began = time.perf_counter()
        answers = await asyncio.gather(*(pool.call_pause(n) for n in range(CALLS)))
        took = time.perf_counter() - began
        assert answers == list(range(CALLS))
        assert pool.stats.made <= INSTANCES
    return took


async def lateness(plugin: undergo.Plugin, computing: int) -> list[float]:
    """Give how late a task was woken, each time, in seconds."""
    late = []
    async with plugin.async_pool(max(computing, 1), imports={"host": Host()}) as pool:
        await pool.warm_up(computing)
        until = time.perf_counter() + WATCHED
        calls = [asyncio.create_task(compute(pool, until)) for _ in range(computing)]
        while time.perf_counter() < until:
            began = time.perf_counter()
            await asyncio.sleep(1e-3)
            late.append(time.perf_counter() - began - 1e-3)
        await asyncio.gather(*calls)
    return sorted(late)


async def compute(pool: Any, until: float) -> None:
    """Have a guest compute until then, some hundred milliseconds at a time."""
    while time.perf_counter() < until:
        await pool.work(200_000_000, 1)


def peak() -> int:
    """Give the most memory that this process had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> int:
    """Measure, print, and judge."""
    with tempfile.TemporaryDirectory() as folder:
        wasm = Path(folder) / "plugin.wasm"
        tool = os.environ.get("UNDERGO", str(ROOT / "build" / "bin" / "undergo"))
        subprocess.run([tool, "build", HERE / "plugin", "-o", wasm], check=True, stdout=subprocess.DEVNULL)
        plugin = undergo.Plugin(wasm)
        took = asyncio.run(many(plugin))
        memory = peak()
        idle = asyncio.run(lateness(plugin, 0))
        busy = asyncio.run(lateness(plugin, 2))
    what = f"{CALLS:,} calls that each await {PAUSE * 1e3:.0f} ms, {INSTANCES} instances"
    rows = [(what, f"{took:.2f} s", f"≤ {SECONDS:.0f} s", took <= SECONDS)]
    most = f"{memory / 2**30:.2f} GiB"
    rows.append(("the process's memory at its most, meanwhile", most, f"≤ {MEMORY / 2**30:.1f} GiB", memory <= MEMORY))
    for name, late in (("no guest computes", idle), ("two guests compute", busy)):
        middle, worst = late[len(late) // 2], late[int(len(late) * 0.999)]
        text = f"{middle * 1e3:.2f} ms, 99.9 % below {worst * 1e3:.2f} ms, most {late[-1] * 1e3:.2f} ms"
        rows.append((f"how late the loop wakes a task while {name}", text, f"≤ {LATE * 1e3:.0f} ms", worst <= LATE))
    print("| awaited | measured | bound |\n| --- | --- | --- |")
    for what, measured, bound, held in rows:
        print(f"| {what} | {measured} | {bound}{'' if held else ', **missed**'} |")
    return 0 if all(held for *_, held in rows) else MISSED


if __name__ == "__main__":
    sys.exit(main())
