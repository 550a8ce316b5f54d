"""Swift's sources parse. Where there is a Swift compiler, the package is built as its README says."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import tree_sitter
import tree_sitter_swift
import uniffi
from project import BUILD, ROOT

PROJECT = ROOT / "bindings-uniffi" / "swift"
SOURCES = [*sorted(PROJECT.rglob("*.swift")), *sorted((ROOT / "examples").rglob("*.swift"))]
PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_swift.language()))


def mistakes(node: tree_sitter.Node) -> Iterator[str]:
    """Give the places that are no Swift."""
    if node.is_error or node.is_missing:
        yield f"line {node.start_point.row + 1}: {(node.text or b'')[:60]!r}"
    for child in node.children:
        yield from mistakes(child)


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_a_source_parses(source: Path) -> None:
    assert list(mistakes(PARSER.parse(source.read_bytes()).root_node)) == []


def test_what_is_no_swift_is_found() -> None:
    assert list(mistakes(PARSER.parse(b"func f( { let = }").root_node)) != []


def test_the_package_builds(tmp_path: Path) -> None:
    if not shutil.which("swift"):
        pytest.skip("swift: there is no swiftc on this machine")
    library = uniffi.generate("swift", BUILD / "uniffi" / "swift")
    package = Path(shutil.copytree(PROJECT, tmp_path / "swift"))
    core, header = package / "Sources" / "UndergoCore", package / "Sources" / "UndergoCoreFFI"
    core.mkdir()
    header.mkdir()
    generated = BUILD / "uniffi" / "swift"
    shutil.copy2(generated / "UndergoCore.swift", core)
    shutil.copy2(generated / "UndergoCoreFFI.h", header)
    shutil.copy2(generated / "UndergoCoreFFI.modulemap", header / "module.modulemap")
    subprocess.run(["swift", "build", "-Xlinker", f"-L{library.parent}"], cwd=package, check=True)
