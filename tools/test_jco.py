"""A plugin of Go as a component in JavaScript: jco makes a module of it, which Node runs with a host function.

CALLS=… presses harder on Go's collector.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from project import BUILD, ROOT, Stamp
from test_components import CALLS, build

PROGRAMS = ROOT / "tools" / "jco"
PLACE = BUILD / "jco"

TESTS = [
    "values cross",
    "a map is a list of pairs",
    "imports are called",
    "WASI is there",
    "arguments survive the collector",
    "a mebibyte as a list",
    "an array of another length ends the instance",
]
"""Those of probe.mjs."""


@pytest.fixture(scope="module")
def jco() -> Path:
    """Install jco's transpiler from npm, unless it is there; give its folder."""
    for tool in ("node", "npm"):
        if not shutil.which(tool):
            pytest.skip(f"there is no {tool}")
    package = PROGRAMS / "package.json"
    stamp = Stamp("jco", [package])
    PLACE.mkdir(parents=True, exist_ok=True)
    for program in sorted(PROGRAMS.iterdir()):
        shutil.copy2(program, PLACE)
    if not stamp.fresh() or not (PLACE / "node_modules").is_dir():
        command = ["npm", "install", "--silent", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock"]
        if subprocess.run(command, cwd=PLACE).returncode:
            pytest.skip("npm has not installed jco")
        stamp.set()
    return PLACE


@pytest.fixture(scope="module")
def printed(jco: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Run the probe; its lines, and what it failed with."""
    component = build(tmp_path_factory.mktemp("jco") / "component.wasm")
    shutil.rmtree(jco / "component", ignore_errors=True)
    subprocess.run(["node", "transpile.mjs", component, "component"], cwd=jco, check=True)
    env = dict(os.environ, COLOR="blue")
    done = subprocess.run(["node", "probe.mjs", str(CALLS)], cwd=jco, env=env, capture_output=True, text=True)
    return [*done.stdout.splitlines(), done.stderr]


@pytest.mark.parametrize("test", TESTS)
def test_in_node(test: str, printed: list[str]) -> None:
    assert test in printed[:-1], printed[-1]


def test_a_panic_is_told(printed: list[str]) -> None:
    assert printed[:-1] == TESTS
    assert "panic: undergo: v: [3]float64 needs 3 elements, got 1" in printed[-1]
