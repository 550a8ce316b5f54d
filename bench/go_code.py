"""Measure Go's compiled code: fourteen programs, native, as WebAssembly, and the same after `undergo optimize`.

Run by `make bench`. The three take turns. Prints a table of medians.
"""

from __future__ import annotations

import math
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import undergo

SOURCE = Path(__file__).parent / "programs"
ROUNDS = int(os.environ.get("ROUNDS", "5"))


def build(folder: Path) -> tuple[Path, Path, Path]:
    """Build the programs three times; give the native one, the module, and the optimized module."""
    native, plain, fast = folder / "native", folder / "plain.wasm", folder / "fast.wasm"
    go = [os.environ.get("UNDERGO_GO", "go"), "build", "-o"]
    subprocess.run([*go, native, "."], cwd=SOURCE, check=True)
    subprocess.run([*go, plain, "."], cwd=SOURCE, check=True, env={**os.environ, "GOOS": "wasip1", "GOARCH": "wasm"})
    subprocess.run([os.environ.get("UNDERGO", "undergo"), "optimize", plain, "-o", fast], check=True, stdout=sys.stderr)
    return native, plain, fast


def lines(text: str) -> dict[str, tuple[float, str]]:
    """Read what the programs print: milliseconds and the result, by the name."""
    found = {}
    for line in text.splitlines():
        name, taken, result = line.split("\t", 2)
        found[name] = (int(taken) / 1000, result)
    return found


def main() -> int:
    """Measure, and print."""
    with tempfile.TemporaryDirectory() as folder:
        native, plain, fast = build(Path(folder))
        sizes = [file.stat().st_size / 1e6 for file in (plain, fast)]
        plugins = [undergo.Plugin(file, compile="best", cache=False, optimize=False) for file in (plain, fast)]
        names = list(lines(subprocess.run([native], check=True, capture_output=True, text=True).stdout))
        times: dict[str, list[list[float]]] = {name: [[], [], []] for name in names}
        for _ in range(ROUNDS):
            for name in names:
                output = [subprocess.run([native, name], check=True, capture_output=True, text=True).stdout]
                output += [plugin.run(args=[name]).stdout.decode() for plugin in plugins]
                found = [lines(text)[name] for text in output]
                if len({result for _, result in found}) != 1:
                    print(f"{name}: the results differ: {found}")
                    return 1
                for taken, (milliseconds, _) in zip(times[name], found, strict=True):
                    taken.append(milliseconds)
    print(f"Medians of {ROUNDS} rounds in turns, milliseconds. The module has {sizes[0]:.2f} MB, optimized {sizes[1]:.2f} MB.\n")
    print("| program | native | WebAssembly | optimized | optimized against plain | against native |")
    print("| --- | --- | --- | --- | --- | --- |")
    ratios: list[tuple[float, float]] = []
    for name in names:
        base, before, after = (statistics.median(taken) for taken in times[name])
        ratios.append((after / before, after / base))
        print(f"| {name} | {base:.1f} | {before:.1f} | {after:.1f} | {after / before:.2f} × | {after / base:.1f} × |")
    means = [math.exp(statistics.fmean(math.log(ratio[i]) for ratio in ratios)) for i in (0, 1)]
    print(f"| geometric mean | | | | **{means[0]:.2f} ×** | {means[1]:.1f} × |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
