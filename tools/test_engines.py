"""Engines that run a plugin's functions in processes of theirs: nothing is lost or doubled, also where one is killed.

`make test-engines` runs it: the engines are large, and are in an environment of their own.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import go
import pytest
from engines import ENGINES
from programs import run
from project import CLI, ROOT, environment
from test_docs import blocks

PROGRAMS = ROOT / "tools" / "engines"
EXAMPLE = ROOT / "examples" / "phonenumbers"
LINES = int(os.environ.get("LINES") or 20_000)
MANNERS = {
    "one": ["on_one.py"],
    "pool": ["on_pool.py"],
    "spawn": ["on_processes.py", "spawn"],
    "forkserver": ["on_processes.py", "forkserver"],
    "joblib": ["on_joblib.py"],
    "dask": ["on_dask.py"],
    "ray": ["on_ray.py"],
    "spark": ["on_spark.py"],
}
"""How the lines are normalised: the program and its last argument."""

SNIPPETS = {block.argument: block.text for block in blocks("docs/scale.md") if block.verb == "file" and block.language == "python"}


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder with the plugin, the lines, and what becomes of them."""
    sys.path.append(str(EXAMPLE))
    import sample  # type: ignore[import-not-found, unused-ignore]

    made = tmp_path_factory.mktemp("engines")
    run([CLI, "build", EXAMPLE / "plugin", "-o", made / "phonenumbers.wasm"], EXAMPLE)
    given, expected = sample.lines(LINES)
    (made / "lines.txt").write_text("\n".join(given) + "\n", encoding="utf-8")
    (made / "expected.json").write_text(json.dumps(expected), encoding="utf-8")
    return made


@pytest.fixture
def short() -> Iterator[Path]:
    """Make a folder whose path is short enough for the names of sockets."""
    made = Path(tempfile.mkdtemp(prefix="ug"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


def call(command: Sequence[str | Path], folder: Path, short: Path) -> str:
    """Run a program with the engines, on this machine alone, and give what it printed."""
    env = environment(go.find()) | {
        "PYSPARK_PYTHON": str(ENGINES),
        "PYSPARK_DRIVER_PYTHON": str(ENGINES),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "RAY_USAGE_STATS_ENABLED": "0",
        "TMPDIR": str(short),
        # Workers import the programs' module.
        "PYTHONPATH": str(PROGRAMS),
    }
    done = subprocess.run([ENGINES, *command], cwd=folder, env=env, capture_output=True, encoding="utf-8", timeout=1800)
    assert done.returncode == 0, f"{done.stdout[-2000:]}{done.stderr[-6000:]}"
    return done.stdout


def missing(name: str) -> str | None:
    """Say what an engine lacks here."""
    return "no Java was found, which Spark needs" if "spark" in name and not shutil.which("java") else None


@pytest.mark.parametrize("name", MANNERS)
def test_nothing_is_lost_or_doubled(name: str, folder: Path, short: Path) -> None:
    if reason := missing(name):
        pytest.skip(reason)
    program, *last = MANNERS[name]
    files: list[str | Path] = [folder / "phonenumbers.wasm", folder / "lines.txt", folder / "expected.json"]
    arguments = [*files, short / "killed", *(last or [str(short)])]
    began = time.monotonic()
    told = call([PROGRAMS / program, *arguments], folder, short)
    seconds = json.loads(told.splitlines()[-1])["seconds"]
    print(f"\n{name}: {LINES} lines in {seconds} s; {time.monotonic() - began:.0f} s in all")


@pytest.mark.parametrize("name", SNIPPETS)
def test_the_documents_programs_run(name: str, folder: Path, short: Path) -> None:
    if reason := missing(name):
        pytest.skip(reason)
    program = short / name
    program.write_text(SNIPPETS[name], encoding="utf-8")
    expected = len(json.loads((folder / "expected.json").read_text(encoding="utf-8")))
    assert call([program], folder, short).splitlines()[-1] == f"{expected} lines"
