"""Compare a plugin that TinyGo has made with the same source compiled by Go's own compiler: sizes, loading, and calls.

The module is the one with which wazero compares engines. Run alone with a Python that has the package; needs Go, and gets wazero's module
from the Go proxy. Prints a table; each ratio is of two figures of this run, which alternated.
"""

from __future__ import annotations

import functools
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import undergo

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "tools"))

import go  # noqa: E402
import go_modules  # noqa: E402

FOLDER = "internal/integration_test/bench/testdata"
ROUNDS = int(os.environ.get("ROUNDS", "15"))
CALLS = {"fibonacci": 25, "string_manipulation": 1000, "reverse_array": 10_000, "random_mat_mul": 40}
"""Functions of the module, and what each is called with."""


def build(source: str, folder: Path) -> Path:
    """Compile the source by Go, which spells exports and imports otherwise."""
    for old, new in (
        (
            r"//export get_random_string\nfunc getRandomStringRaw\(.*\)",
            "//go:wasmimport env get_random_string\nfunc getRandomStringRaw(at, size unsafe.Pointer)",
        ),
        (r"getRandomStringRaw\(&bufPtr, &bufSize\)", "getRandomStringRaw(unsafe.Pointer(&bufPtr), unsafe.Pointer(&bufSize))"),
        (r"//export (\w+)", r"//go:wasmexport \1"),
    ):
        source, count = re.subn(old, new, source)
        assert count, f"the source has no {old}"
    (folder / "main.go").write_text(source)
    (folder / "go.mod").write_text("module case\n\ngo 1.24\n")
    env = os.environ | {"GOOS": "wasip1", "GOARCH": "wasm", "GOWORK": "off"}
    command: list[str | Path] = [go.find(), "build", "-buildmode=c-shared", "-ldflags=-s -w", "-o", "case.wasm", "."]
    subprocess.run(command, cwd=folder, env=env, check=True)
    return folder / "case.wasm"


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main() -> None:
    """Measure, and print the table."""
    carried = go_modules.folder(go_modules.WAZERO) / FOLDER
    with tempfile.TemporaryDirectory() as folder:
        modules = {"TinyGo": carried / "case.wasm", "Go": build((carried / "case.go").read_text(), Path(folder))}
        imports = {"env": {"get_random_string": lambda _at, _size: None}}
        plugins = {name: undergo.Plugin(path, compile="best") for name, path in modules.items()}
        guests = {name: plugin.instantiate(imports=imports) for name, plugin in plugins.items()}
        rows = {"size in bytes": {name: [float(path.stat().st_size)] for name, path in modules.items()}}
        work: dict[str, Callable[[str], object]] = {"an instance": lambda name: plugins[name].instantiate(imports=imports)}

        def call(function: str, argument: int, name: str) -> object:
            return guests[name].exports[function](argument)

        for function, argument in CALLS.items():
            work[f"{function}({argument})"] = functools.partial(call, function, argument)
        for label, what in work.items():
            times: dict[str, list[float]] = {name: [] for name in modules}
            for _ in range(ROUNDS):
                for name, found in times.items():
                    found.append(timed(functools.partial(what, name)) * 1e6)
            rows[f"{label} in µs"] = times
        # What both keep when nothing more is asked of them.
        rows["memory in bytes"] = {name: [float(guest.memory.size)] for name, guest in guests.items()}
    print("| | TinyGo | Go | Go / TinyGo |\n| --- | ---: | ---: | ---: |")
    for label, values in rows.items():
        tiny, standard = (statistics.median(values[name]) for name in ("TinyGo", "Go"))
        print(f"| {label} | {tiny:,.0f} | {standard:,.0f} | {standard / tiny:.2g} × |")


if __name__ == "__main__":
    main()
