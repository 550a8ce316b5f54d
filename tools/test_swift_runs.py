"""Swift's package and examples are built and run, with the compiler that tools/swift.py finds: `make test-swift`."""

from __future__ import annotations

import doctest
import subprocess
from pathlib import Path

import go
import pytest
import swift
from project import ROOT, environment
from test_examples import build as build_plugin
from test_swift import EXAMPLES

MANIFEST = """// swift-tools-version: 5.9
import PackageDescription

let package = Package(
    name: "Examples",
    platforms: [.macOS(.v13)],
    dependencies: [.package(path: "../swift")],
    targets: [{targets}]
)
"""
TARGET = '.executableTarget(name: "{name}", dependencies: [.product(name: "Undergo", package: "swift")], path: "{name}")'

pytestmark = pytest.mark.skipif(swift.missing() is not None, reason=f"swift: {swift.missing()}")


@pytest.fixture(scope="module")
def library() -> Path:
    """Make the package, and give the folder of its library."""
    return swift.package()


@pytest.fixture(scope="module")
def programs(library: Path) -> Path:
    """Build the examples, and give the folder of their programs."""
    folder = swift.OUT / "examples"
    for example in EXAMPLES:
        for source in example.glob("*.swift"):
            swift.copy(source, folder / example.name / source.name)
    targets = ", ".join(TARGET.format(name=example.name) for example in EXAMPLES)
    (folder / "Package.swift").write_text(MANIFEST.format(targets=targets))
    return swift.build(folder, library)


def run(directory: Path, *words: str | Path) -> str:
    """Run a program that Swift has made, and give what it printed."""
    env = swift.environment(environment(go.find()))
    done = subprocess.run(swift.command(*words), cwd=directory, env=env, capture_output=True, encoding="utf-8", timeout=600)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    return done.stdout


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_example(example: Path, programs: Path) -> None:
    printed = run(example, programs / example.name, build_plugin(ROOT / "examples" / example.name))
    expected = (example / "expected.txt").read_text(encoding="utf-8")
    if not doctest.OutputChecker().check_output(expected, printed, doctest.ELLIPSIS):
        # A plain comparison shows where they differ.
        assert printed == expected
