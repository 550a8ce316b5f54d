"""Go programs at random do the same natively, as WebAssembly, and with their code rewritten, in both compilers.

SEED=… tries others, and PROGRAMS=… more of them.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import go
import made_programs
import pytest
import undergo
from project import CLI

SEED = int(os.environ.get("SEED") or 20261129)
PROGRAMS = int(os.environ.get("PROGRAMS") or 1)
FUNCTIONS = 60


def differences(name: str, wanted: list[str], found: list[str]) -> list[str]:
    """Give the first lines that are others than those of the native program."""
    pairs = [(i, a, b) for i, (a, b) in enumerate(zip(wanted, found, strict=False)) if a != b]
    if len(wanted) != len(found):
        pairs.append((min(len(wanted), len(found)), f"{len(wanted)} lines", f"{len(found)} lines"))
    return [f"{name}, line {i}: {b!r}, natively {a!r}" for i, a, b in pairs[:3]]


@pytest.mark.parametrize("seed", range(SEED, SEED + PROGRAMS))
def test_a_program_does_the_same(seed: int, tmp_path: Path) -> None:
    (tmp_path / "go.mod").write_text("module made\n\ngo 1.24\n")
    (tmp_path / "main.go").write_text(made_programs.program(seed, FUNCTIONS))
    build: list[str | Path] = [go.find(), "build", "-o"]
    environment = {**os.environ, "GOFLAGS": "", "GOPROXY": "off"}
    subprocess.run([*build, tmp_path / "native", "."], cwd=tmp_path, check=True, env=environment)
    plain, fast = tmp_path / "plain.wasm", tmp_path / "fast.wasm"
    subprocess.run([*build, plain, "."], cwd=tmp_path, check=True, env={**environment, "GOOS": "wasip1", "GOARCH": "wasm"})
    told = subprocess.run([CLI, "optimize", "--verbose", plain, "-o", fast], check=True, capture_output=True, text=True).stdout
    # What is left as it was are functions of another type than Go's own, and the first one.
    assert "loops" not in told, told
    native = subprocess.run([tmp_path / "native"], capture_output=True, text=True, check=True).stdout.splitlines()
    assert sum("panic:" in line for line in native) > FUNCTIONS
    wrong = []
    for name, file, compile, optimize in [
        ("plain", plain, "best", False),
        ("optimized", plain, "best", True),
        ("optimized, compiled quickly", plain, "fast", True),
        ("optimized before", fast, "best", True),
    ]:
        plugin = undergo.Plugin(file, compile=compile, cache=False, optimize=optimize)  # type: ignore[arg-type]
        done = plugin.run(sandbox=undergo.Sandbox(capture_limit=64 << 20))
        wrong += differences(name, native, done.stdout.decode().splitlines())
    assert not wrong, "\n".join([f"SEED={seed}", *wrong])
