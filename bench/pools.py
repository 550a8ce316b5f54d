"""Measure how calls of a pool scale with threads: a guest function of about 1 ms, called by one thread, by two, by one for each processor.

Run by `make bench`, or alone with a Python that has the package. Prints a table; fails when two threads are not 1.8 times as fast as one,
on a machine with two processors or more.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import undergo

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
ROUNDS = 7
SECONDS = 0.5
WANTED = 1.8
MISSED = 3
"""What the program ends with when a bound does not hold."""


def calibrate(work: Callable[[int, int], int]) -> int:
    """Give the number of rounds that take about a millisecond."""
    rounds = 10_000
    while (took := min(timed(work, rounds) for _ in range(5))) < 0.5e-3:
        rounds *= 2
    return max(int(rounds * 1e-3 / took), 1)


def timed(work: Callable[[int, int], int], rounds: int) -> float:
    """Give the seconds that a call takes."""
    began = time.perf_counter()
    work(rounds, 1)
    return time.perf_counter() - began


def rate(work: Callable[[int, int], int], rounds: int, threads: int) -> float:
    """Give the calls a second that so many threads get done together."""
    calls = [0] * threads
    ready = threading.Barrier(threads + 1)
    end = threading.Event()

    def run(number: int) -> None:
        ready.wait()
        while not end.is_set():
            work(rounds, number + 1)
            calls[number] += 1

    running = [threading.Thread(target=run, args=(number,)) for number in range(threads)]
    for thread in running:
        thread.start()
    ready.wait()
    began = time.perf_counter()
    time.sleep(SECONDS)
    end.set()
    for thread in running:
        thread.join()
    return sum(calls) / (time.perf_counter() - began)


def main() -> int:
    """Measure, and say how it went."""
    cli = os.environ.get("UNDERGO", str(ROOT / "build" / "bin" / "undergo"))
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    counts = sorted({1, 2, processors})
    with tempfile.TemporaryDirectory() as folder:
        plugin = Path(folder) / "plugin.wasm"
        subprocess.run([cli, "build", HERE / "plugin", "-o", plugin], check=True, stdout=subprocess.DEVNULL)
        compiled = undergo.Plugin(plugin)
    rates: dict[int, list[float]] = {count: [] for count in counts}
    with compiled.pool(counts[-1], imports={"host": {"upper": str.upper, "pause": int}}, warm=counts[-1]) as pool:
        rounds = calibrate(pool.work)
        # In turns, so that what else the machine does meets all of them.
        for _ in range(ROUNDS):
            for count in counts:
                rates[count].append(rate(pool.work, rounds, count))
    ratios = {count: statistics.median(many / one for many, one in zip(rates[count], rates[1], strict=True)) for count in counts}
    print(f"A guest function of about 1 ms on a pool of {counts[-1]}, {processors} processors:\n")
    print("| threads | calls a second | against one |")
    print("| --- | --- | --- |")
    for count in counts:
        print(f"| {count} | {statistics.median(rates[count]):,.0f} | {ratios[count]:.2f} × |")
    if processors < 2:
        return 0
    print(f"\nTwo threads: {ratios[2]:.2f} ×, wanted ≥ {WANTED} ×")
    return 0 if ratios[2] >= WANTED else MISSED


if __name__ == "__main__":
    sys.exit(main())
