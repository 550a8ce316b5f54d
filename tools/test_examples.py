"""The examples: each plugin is built, its program is run, and what it prints is compared with expected.txt.

A `...` in expected.txt stands for any text, as it does in doctests.
"""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest
from host import Host
from hosts import HOSTS
from programs import run
from project import BUILD, CLI, PYTHON, ROOT

EXAMPLES = sorted(path.parent for path in (ROOT / "examples").glob("*/main.py"))
COMPONENTS = {"http"}
"""Those whose plugins are components."""
PARTS = ["README.md", "expected.txt", "plugin/go.mod", "plugin/main.go"]
PROGRAMS = [(host, example / host.program) for example in EXAMPLES for host in HOSTS.values() if (example / host.program).is_file()]


def build(example: Path) -> Path:
    """Build an example's plugin."""
    wasm = BUILD / "examples" / f"{example.name}.wasm"
    wasm.parent.mkdir(parents=True, exist_ok=True)
    flags = ["--component"] if example.name in COMPONENTS else []
    run([CLI, "build", example / "plugin", "-o", wasm, *flags], example)
    return wasm


def name(given: Host | Path) -> str:
    """Name a test."""
    return "-".join(given.relative_to(ROOT / "examples").parts) if isinstance(given, Path) else given.name


@pytest.mark.parametrize(("host", "program"), PROGRAMS, ids=name)
def test_example(host: Host, program: Path, tmp_path: Path) -> None:
    example = next(parent for parent in program.parents if parent in EXAMPLES)
    reason = host.missing()
    if reason:
        pytest.skip(f"{host.name}: {reason}")
    missing = [part for part in PARTS if not (example / part).is_file()]
    assert not missing
    printed = run([*host.command(program, tmp_path), build(example)], example)
    expected = (example / "expected.txt").read_text(encoding="utf-8")
    if not doctest.OutputChecker().check_output(expected, printed, doctest.ELLIPSIS):
        # A plain comparison shows where they differ.
        assert printed == expected


def test_all_examples_are_listed() -> None:
    readme = (ROOT / "examples" / "README.md").read_text(encoding="utf-8")
    assert [name for name in (path.name for path in EXAMPLES) if f"]({name}/" not in readme] == []


def test_markdown_finds_all_headings_of_the_readme() -> None:
    example = ROOT / "examples" / "markdown"
    printed = run([PYTHON, example / "main.py", build(example)], example)
    prose = re.sub(r"^```.*?^```$", "", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", prose, re.MULTILINE)
    assert len(headings) > 3
    assert f"\n{len(headings)} headings:\n" in printed
    for heading in headings:
        assert f"  {heading.replace('`', '')}\n" in printed
