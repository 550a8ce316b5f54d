"""Swift's sources, and what `undergo bindgen` writes, parse. `make test-swift` compiles and runs them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import tree_sitter
import tree_sitter_swift
from programs import run
from project import CLI, CONFORMANCE, ROOT
from test_docs import DOCUMENTS, blocks

PROJECT = ROOT / "bindings-uniffi" / "swift"
EXAMPLES = sorted(path.parent for path in (ROOT / "examples").glob("*/main.swift"))
FOLDERS = [PROJECT, ROOT / "examples", ROOT / "cli" / "tests" / "fixtures"]
SOURCES = [source for folder in FOLDERS for source in sorted(folder.rglob("*.swift"))]
PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_swift.language()))


def mistakes(node: tree_sitter.Node) -> Iterator[str]:
    """Give the places that are no Swift."""
    if node.is_error or node.is_missing:
        yield f"line {node.start_point.row + 1}: {(node.text or b'')[:60]!r}"
    for child in node.children:
        yield from mistakes(child)


def name(source: Path) -> str:
    """Name a test."""
    return f"{source.parent.name}-{source.name}"


@pytest.mark.parametrize("source", SOURCES, ids=name)
def test_a_source_parses(source: Path) -> None:
    assert list(mistakes(PARSER.parse(source.read_bytes()).root_node)) == []


def test_what_is_no_swift_is_found() -> None:
    assert list(mistakes(PARSER.parse(b"func f( { let = }").root_node)) != []


def test_the_snippets_of_the_documents_parse() -> None:
    found = [(document, block) for document in DOCUMENTS for block in blocks(document) if block.language == "swift"]
    assert len(found) > 1
    for document, block in found:
        assert list(mistakes(PARSER.parse(block.text.encode()).root_node)) == [], f"{document}, line {block.line}"


def test_the_examples_have_programs() -> None:
    assert [example.name for example in EXAMPLES] == ["greeter", "jq", "markdown"]
    assert [example.name for example in EXAMPLES if not (example / f"{example.name}_plugin.swift").is_file()] == []


def bindgen(wasm: Path, written: Path) -> str:
    """Have the command line tool write the Swift file of a plugin."""
    run([CLI, "bindgen", wasm, "--lang", "swift", "-o", written], ROOT)
    return written.read_text(encoding="utf-8")


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_what_is_written_for_an_example_parses_and_is_beside_it(example: Path, tmp_path: Path) -> None:
    wasm = tmp_path / f"{example.name}.wasm"
    run([CLI, "build", example / "plugin", "-o", wasm], ROOT)
    text = bindgen(wasm, tmp_path / "plugin.swift")
    assert list(mistakes(PARSER.parse(text.encode()).root_node)) == []
    assert text == (example / f"{example.name}_plugin.swift").read_text(encoding="utf-8"), "run make gen, and look at the change"


def test_what_is_written_for_the_conformance_guest_parses(tmp_path: Path) -> None:
    text = bindgen(CONFORMANCE, tmp_path / "conformance.swift")
    assert "public struct Guest: GuestExports {" in text
    assert list(mistakes(PARSER.parse(text.encode()).root_node)) == []
