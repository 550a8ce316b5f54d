"""The snippets of the documents: they are written to files, run, and what they print is compared.

A comment above a block says what is done with it. All blocks of a document share a folder, and go in order.

<!-- test: file greeter/main.go -->    write it to that file
<!-- test: run -->                     run it with the shell; it must succeed
<!-- test: run, fails -->              the same, but it must fail
<!-- test: prints -->                  the block before must have printed this; `...` stands for any text
<!-- test: skip, REASON -->            do nothing, for that reason

A block of Go, Python or shell without such a comment is a mistake.
"""

from __future__ import annotations

import doctest
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import go
import pytest
from project import ROOT, environment

DOCUMENTS = ["README.md", "CONTRIBUTING.md", "bindings-python/README.md", *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md")))]
DOCUMENTS += [str(path.relative_to(ROOT)) for path in sorted((ROOT / "examples").rglob("README.md"))]
PROGRAMS = {"go", "python", "py", "sh", "bash", "console", "shell"}
BLOCK = re.compile(r"(?:^<!-- test: (?P<test>.+?) -->\n+)?^```(?P<language>\w*)[^\n]*\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass
class Block:
    """A fenced block, and what is to be done with it."""

    verb: str
    argument: str
    language: str
    text: str
    line: int


def blocks(document: str) -> list[Block]:
    """Give the blocks of a document."""
    source = (ROOT / document).read_text(encoding="utf-8")
    found = []
    for match in BLOCK.finditer(source):
        verb, _, argument = (match["test"] or "").replace(",", " ", 1).partition(" ")
        line = source.count("\n", 0, match.start("language")) + 1
        found.append(Block(verb, argument.strip(), match["language"], match["text"], line))
    return found


@pytest.mark.parametrize("document", [document for document in DOCUMENTS if any(block.verb not in ("", "skip") for block in blocks(document))])
def test_snippets_do_what_they_say(document: str, tmp_path: Path) -> None:
    env = environment(go.find())
    printed = ""
    for block in blocks(document):
        place = f"{document}:{block.line}"
        if block.verb == "file":
            file = tmp_path / block.argument
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.text, encoding="utf-8")
        elif block.verb == "run":
            command = ["bash", "-euo", "pipefail", "-c", block.text]
            done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, encoding="utf-8", timeout=600, stdin=subprocess.DEVNULL)
            printed = done.stdout + done.stderr if block.argument == "fails" else done.stdout
            assert (done.returncode != 0) == (block.argument == "fails"), f"{place}\n{done.stdout}{done.stderr}"
        elif block.verb == "prints":
            if not doctest.OutputChecker().check_output(block.text, printed, doctest.ELLIPSIS):
                assert printed == block.text, place


@pytest.mark.parametrize("document", DOCUMENTS)
def test_each_program_is_tested(document: str) -> None:
    verbs = {"file", "run", "prints", "skip"}
    unknown = [f"{document}:{block.line}: {block.verb}" for block in blocks(document) if block.verb and block.verb not in verbs]
    silent = [f"{document}:{block.line}" for block in blocks(document) if not block.verb and block.language in PROGRAMS]
    unreasoned = [f"{document}:{block.line}" for block in blocks(document) if block.verb == "skip" and not block.argument]
    assert not unknown + silent + unreasoned
