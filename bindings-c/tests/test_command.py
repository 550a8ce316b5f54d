"""Commands, from C and C++: the list of conformance/command, and what else there is to say of a run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import test_cpp
from conftest import QUICK, ROOT, SANITIZE, SANITIZED, VALGRIND, compile_c, guest, need, run

RUNS = json.loads((ROOT / "conformance" / "command" / "runs.json").read_text(encoding="utf-8"))["runs"]

Build = Callable[..., Path]
build = test_cpp.build


@pytest.fixture(scope="session")
def command() -> Path:
    return guest("command", "UNDERGO_COMMAND_WASM")


@pytest.fixture(scope="session")
def programs(build: Build, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Compile the program of a language, once."""
    made: dict[str, Path] = {}

    def of(language: str) -> Path:
        if language not in made:
            source = Path(__file__).parent / "programs" / "command.c"
            folder = tmp_path_factory.mktemp("c")
            made[language] = build("command") if language == "cpp" else compile_c(source, folder / "command", "-pthread")
        return made[language]

    return of


@pytest.mark.parametrize("language", ["c", "cpp"])
@pytest.mark.parametrize("row", RUNS, ids=lambda row: row["name"])
def test_a_run(row: dict[str, Any], language: str, programs: Callable[[str], Path], command: Path) -> None:
    env = [f"{name}={value}" for name, value in row.get("env", {}).items()]
    printed = run([programs(language), command, *env, "--", row.get("stdin", ""), *row.get("args", [])])
    first, _, rest = printed.partition("\n")
    code, truncated, stdout_length, stderr_length = map(int, first.split())
    assert (code, bool(truncated)) == (row.get("code", 0), row.get("truncated", False))
    content = rest.encode()
    assert len(content) == stdout_length + stderr_length
    stdout, stderr = content[:stdout_length].decode(), content[stdout_length:].decode()
    if "length" in row:
        assert stdout_length == row["length"]
    else:
        assert stdout == row.get("stdout", "")
    assert row["stderr"] in stderr if "stderr" in row else stderr == ""


def test_what_else_there_is(programs: Callable[[str], Path], command: Path, conformance: Path) -> None:
    assert run([programs("c"), command, conformance]) == "ok\n"
    assert "checks" in run([programs("cpp"), command, conformance])


def test_the_sanitizers_find_nothing(build: Build, command: Path, conformance: Path, tmp_path: Path) -> None:
    source = Path(__file__).parent / "programs" / "command.c"
    made = compile_c(source, tmp_path / "command", "-pthread", *SANITIZE)
    assert run([made, command, conformance], env=SANITIZED) == "ok\n"
    made = build("command", "g++", "-std=c++17", *SANITIZE)
    assert "checks" in run([made, command, conformance])


def test_valgrind_finds_nothing(programs: Callable[[str], Path], command: Path) -> None:
    need("valgrind")
    # Compiled code is in the cache after this: even the quick compiler takes its time under
    # valgrind.
    given = [programs("c"), command, "--", "input", "show"]
    assert run(given, env=QUICK) == run([*VALGRIND, *given], env=QUICK)
