"""Measure Go's compiled code: fourteen programs, native, as WebAssembly, and after `undergo optimize`; the latter two under V8, too.

Run by `make bench`. All take turns. Prints tables of medians, of processor time.
"""

from __future__ import annotations

import math
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import undergo

HERE = Path(__file__).parent
SOURCE = HERE / "programs"
ROUNDS = int(os.environ.get("ROUNDS", "5"))
UNDERGO = os.environ.get("UNDERGO", "undergo")
NODE = shutil.which("node")
MISSED = 3

Runner = Callable[[str], tuple[float, str]]
"""Runs the program of that name; gives milliseconds of processor time, and what it printed."""


def build(folder: Path) -> tuple[Path, Path, Path]:
    """Build the programs three times; give the native one, the module, and the optimized module."""
    native, plain, fast = folder / "native", folder / "plain.wasm", folder / "fast.wasm"
    go = [os.environ.get("UNDERGO_GO", "go"), "build", "-o"]
    subprocess.run([*go, native, "."], cwd=SOURCE, check=True)
    subprocess.run([*go, plain, "."], cwd=SOURCE, check=True, env={**os.environ, "GOOS": "wasip1", "GOARCH": "wasm"})
    subprocess.run([UNDERGO, "optimize", plain, "-o", fast], check=True, stdout=sys.stderr)
    return native, plain, fast


def child(command: list[str | Path]) -> tuple[float, subprocess.CompletedProcess[str]]:
    """Run a command; give milliseconds of its processor time."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime), done


def natively(program: Path) -> Runner:
    """Run the native program."""

    def run(name: str) -> tuple[float, str]:
        taken, done = child([program, name])
        return taken, done.stdout

    return run


def here(module: Path) -> Runner:
    """Run a module with Undergo, compiled by the better compiler, as it is."""
    plugin = undergo.Plugin(module, compile="best", cache=False, optimize=False)

    def run(name: str) -> tuple[float, str]:
        before = time.process_time()
        done = plugin.run(args=[name])
        return 1000 * (time.process_time() - before), done.stdout.decode()

    return run


def in_node(module: Path) -> Runner:
    """Run a module under V8."""

    def run(name: str) -> tuple[float, str]:
        # Where a program's memory has grown, Node 20 crashes in its own collector
        # (MarkCompactCollector) while it marks step by step.
        flags = ["--no-warnings", "--no-incremental-marking"]
        command = [str(NODE), *flags, HERE / "go_code.mjs", module, name]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        return int(done.stderr) / 1000, done.stdout

    return run


def result(output: str) -> str:
    """Give what a program computed: it prints its name, microseconds, and that."""
    return output.split("\t", 2)[2].strip()


def mean(ratios: list[float]) -> float:
    """Give the geometric mean."""
    return math.exp(statistics.fmean(map(math.log, ratios)))


def compilations(*commands: tuple[str | Path, ...]) -> list[float]:
    """Give milliseconds of processor time that compiling takes; of rounds in turns the least, since nothing makes it less."""

    def once(arguments: tuple[str | Path, ...], folder: str) -> float:
        return child([UNDERGO, "compile", *arguments, "-o", Path(folder) / "out.undergo"])[0]

    with tempfile.TemporaryDirectory() as folder:
        rounds = [[once(arguments, folder) for arguments in commands] for _ in range(ROUNDS)]
    return [min(taken) for taken in zip(*rounds, strict=True)]


def main() -> int:
    """Measure, and print; 3 when a bound does not hold."""
    with tempfile.TemporaryDirectory() as folder:
        native, plain, fast = build(Path(folder))
        sizes = [file.stat().st_size / 1e6 for file in (plain, fast)]
        runners = {"native": natively(native), "plain": here(plain), "fast": here(fast)}
        if NODE:
            runners |= {"node": in_node(plain), "node fast": in_node(fast)}
        names = [line.split("\t")[0] for line in child([native])[1].stdout.splitlines()]
        times: dict[str, dict[str, list[float]]] = {name: {runner: [] for runner in runners} for name in names}
        for _ in range(ROUNDS):
            for name in names:
                found = set()
                for runner, run in runners.items():
                    taken, output = run(name)
                    times[name][runner].append(taken)
                    found.add(result(output))
                if len(found) != 1:
                    print(f"{name}: the results differ: {found}")
                    return 1
        best = compilations(("--compile", "best", "--no-optimize", plain), ("--compile", "best", plain))
        quick = compilations(("--compile", "fast", plain), ("--compile", "fast", fast))
    print(f"Medians of {ROUNDS} rounds in turns, milliseconds of processor time.")
    print(f"The module has {sizes[0]:.2f} MB, optimized {sizes[1]:.2f} MB.\n")
    print("| program | native | WebAssembly | optimized | of plain | of native | V8 | V8, optimized | of plain |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    ratios: dict[str, tuple[float, float, float]] = {}
    for name in names:
        base, before, after, *v8 = (statistics.median(taken) for taken in times[name].values())
        ratios[name] = (after / before, after / base, v8[1] / v8[0] if v8 else 1.0)
        shown = f"{v8[0]:.0f} | {v8[1]:.0f} | {v8[1] / v8[0]:.2f} ×" if v8 else "| |"
        print(f"| {name} | {base:.1f} | {before:.1f} | {after:.1f} | {after / before:.2f} × | {after / base:.1f} × | {shown} |")
    means = [mean([ratio[i] for ratio in ratios.values()]) for i in range(3)]
    print(f"| geometric mean | | | | **{means[0]:.2f} ×** | {means[1]:.1f} × | | | **{means[2]:.2f} ×** |\n")
    print("| compiled by | as it is | rewritten | |")
    print("| --- | --- | --- | --- |")
    for engine, (before, after) in [("Cranelift, with the rewriting", best), ("Winch, of a file that was rewritten", quick)]:
        print(f"| {engine} | {before:.0f} ms | {after:.0f} ms | {after / before:.2f} × |")
    others = mean([ratio[1] for name, ratio in ratios.items() if name != "sha256"])
    worst = max(ratios, key=lambda name: ratios[name][0])
    bounds = [
        ("optimized, of plain: the mean", means[0], 0.68),
        (f"optimized, of plain: the worst, {worst}", ratios[worst][0], 1.02),
        ("optimized, of native, without sha256", others, 2.0),
        ("V8, optimized, of plain: the mean", means[2], 0.42),
        ("Cranelift with the rewriting, of without", best[1] / best[0], 0.8),
        ("Winch, of a file that was rewritten, of plain", quick[1] / quick[0], 1.0),
    ]
    print("\n| bound | measured | at most | |\n| --- | --- | --- | --- |")
    for what, measured, most in bounds:
        print(f"| {what} | {measured:.2f} × | {most:.2f} × | {'holds' if measured <= most else '**does not hold**'} |")
    return 0 if all(measured <= most for _, measured, most in bounds) else MISSED


if __name__ == "__main__":
    sys.exit(main())
