"""Swift's package, its tests and the examples are built and run, by the compiler that tools/swift.py finds: `make test-swift`.

The tests are a program, `bindings-uniffi/swift/Tests`, which says of each what became of it.
"""

from __future__ import annotations

import doctest
import functools
import json
import re
import subprocess
from pathlib import Path

import go
import pytest
import swift
from programs import run
from project import CLI, CONFORMANCE, ROOT, environment
from test_examples import build as build_plugin
from test_swift import EXAMPLES

CASES = ROOT / "conformance" / "cases"
COMPONENTS = ROOT / "conformance" / "components"
MISDEEDS = ROOT / "conformance" / "hostile" / "misdeeds.json"
GOLDEN = sorted((ROOT / "cli" / "tests" / "fixtures").glob("*.swift"))
TESTS = swift.PROJECT / "Tests"
LONGEST = 600
"""Seconds after which a program is ended."""

MANIFEST = """// swift-tools-version: 5.9
import PackageDescription

let package = Package(
    name: "{package}",
    platforms: [.macOS(.v13)],
    dependencies: [.package(path: "../swift")],
    targets: [{targets}]
)
"""
TARGET = '.{kind}(name: "{name}", dependencies: [.product(name: "Undergo", package: "swift")], path: "{name}")'

pytestmark = pytest.mark.skipif(swift.missing() is not None, reason=f"swift: {swift.missing()}")


def conformance() -> list[tuple[str, str]]:
    """Give the cases of the list, each with the file and its number there, as the program names it."""
    found = []
    for file in sorted(CASES.glob("*.json")):
        cases = json.loads(file.read_text(encoding="utf-8"))["cases"]
        found += [(f"{file.stem} {number}", f"{file.stem}: {case['name']}") for number, case in enumerate(cases)]
    return found


def misdeeds() -> list[str]:
    """Give the tests of the hostile guest."""
    rows = json.loads(MISDEEDS.read_text(encoding="utf-8"))["cases"]
    return [f"{row['misdeed']} {row.get('n', 0)} in {where}" for row in rows for where in ("a call", "init")]


def handles() -> list[str]:
    """Give the tests of what lives longer than a call."""
    sources = [TESTS / "Sources" / "Tests" / name for name in ("Handles.swift", "Sequences.swift", "Components.swift")]
    return [name for file in sources for name in re.findall(r'^    test\("(.+?)"\)', file.read_text(encoding="utf-8"), re.MULTILINE)]


@functools.cache
def library() -> Path:
    """Make the package, and give the folder of its library."""
    return swift.package()


@functools.cache
def program() -> Path:
    """Build the program of the tests."""
    found = library()
    folder = swift.OUT / swift.PROJECT.name / TESTS.name
    bindgen(CONFORMANCE, folder / "Sources" / "Tests" / "conformance_plugin.swift")
    bindgen(COMPONENTS / "items.wasm", folder / "Sources" / "Items" / "items_plugin.swift")
    return swift.build(folder, found) / "Tests"


def bindgen(wasm: Path, target: Path) -> None:
    """Have the command line tool write the Swift file of a plugin, which stays if it is the same."""
    written = swift.OUT / target.name
    run([CLI, "bindgen", wasm, "--lang", "swift", "-o", written], ROOT)
    swift.copy(written, target)


@functools.cache
def outcomes(group: str) -> dict[str, tuple[str, str]]:
    """Run a group of tests, and give of each what became of it, and why."""
    files = {"UNDERGO_CASES": str(CASES), "UNDERGO_MISDEEDS": str(MISDEEDS), "UNDERGO_COMPONENTS": str(COMPONENTS)}
    env = swift.environment(environment(go.find())) | files
    try:
        done = subprocess.run(swift.command(program(), group), env=env, capture_output=True, timeout=LONGEST)
        printed, ended = done.stdout, f"the program ended with {done.returncode}: {done.stderr[-1000:].decode('utf-8', 'replace')}"
    except subprocess.TimeoutExpired as hung:
        printed, ended = hung.stdout or b"", f"the program was ended after {LONGEST} seconds"
    found = [json.loads(line) for line in printed.splitlines() if line.startswith(b"{") and line.endswith(b"}")]
    print(ended)
    return {test["name"]: (test["outcome"], test["text"]) for test in found}


def check(group: str, name: str) -> None:
    """Fail or skip as the program says."""
    outcome, text = outcomes(group).get(name, ("failed", "the program did not come to it"))
    if outcome == "skipped":
        pytest.skip(text)
    assert outcome == "passed", text


@pytest.mark.parametrize(("name", "shown"), conformance(), ids=lambda text: text)
@pytest.mark.parametrize("way", ["module-blocking", "module-awaited", "component-blocking", "component-awaited"])
def test_conformance(way: str, name: str, shown: str) -> None:
    check(way, name)


@pytest.mark.parametrize("name", misdeeds())
def test_misdeed(name: str) -> None:
    check("hostile", name)


@pytest.mark.parametrize("name", handles())
def test_what_lives_longer_than_a_call(name: str) -> None:
    check("handles", name)


@functools.cache
def programs() -> Path:
    """Build the examples, and give the folder of their programs."""
    found = library()
    folder = swift.OUT / "examples"
    for example in EXAMPLES:
        for source in example.glob("*.swift"):
            swift.copy(source, folder / example.name / source.name)
    manifest(folder, "executableTarget", [example.name for example in EXAMPLES])
    return swift.build(folder, found)


def manifest(folder: Path, kind: str, names: list[str]) -> None:
    """Write the manifest of a package with a folder for each target."""
    targets = ", ".join(TARGET.format(kind=kind, name=name) for name in names)
    (folder / "Package.swift").write_text(MANIFEST.format(package=folder.name, targets=targets))


def test_what_is_written_for_plugins_of_any_sort_is_compiled() -> None:
    found = library()
    folder = swift.OUT / "written"
    for golden in GOLDEN:
        swift.copy(golden, folder / golden.stem / golden.name)
    bindgen(COMPONENTS / "types.wasm", folder / "types" / "types_plugin.swift")
    manifest(folder, "target", [*(golden.stem for golden in GOLDEN), "types"])
    swift.build(folder, found)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_example(example: Path) -> None:
    words = swift.command(programs() / example.name, build_plugin(ROOT / "examples" / example.name))
    env = swift.environment(environment(go.find()))
    done = subprocess.run(words, cwd=example, env=env, capture_output=True, encoding="utf-8", timeout=LONGEST)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    expected = (example / "expected.txt").read_text(encoding="utf-8")
    if not doctest.OutputChecker().check_output(expected, done.stdout, doctest.ELLIPSIS):
        # A plain comparison shows where they differ.
        assert done.stdout == expected
