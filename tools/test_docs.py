"""The snippets of the documents: they are written to files, run, and what they print is compared.

A comment above a block says what is done with it. All blocks of a document share a folder, and go
in order.

<!-- test: file greeter/main.go -->    write it to that file <!-- test: run -->
run it with the shell; it must succeed <!-- test: run, fails -->              the same, but it must
fail <!-- test: prints -->                  the block before must have printed this <!-- test:
console -->                 run what stands behind each `$ `, and compare with what stands below it
<!-- test: python -->                  run it as a program of that host language (the names of
hosts.py); it must succeed <!-- test: python, file NAME -->       write it to that file, and run it
so <!-- test: skip, REASON -->            do nothing, for that reason

Where output is compared, `...` stands for any text, and any size in MB for any other. A block of
Go, Python or shell without such a comment is a mistake.
"""

from __future__ import annotations

import doctest
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import go
import pytest
from hosts import HOSTS
from project import ROOT, environment

DOCUMENTS = [
    "README.md",
    "CONTRIBUTING.md",
    *(str(path.relative_to(ROOT)) for path in sorted([*ROOT.glob("bindings-*/README.md"), *ROOT.glob("bindings-*/*/README.md")])),
    *(str(path.relative_to(ROOT)) for path in sorted((ROOT / "docs").rglob("*.md"))),
]
DOCUMENTS += [str(path.relative_to(ROOT)) for path in sorted((ROOT / "examples").rglob("README.md"))]
PROGRAMS = {"go", "python", "py", "sh", "bash", "console", "shell", "js", "ts", "c", "cpp", "kotlin", "java", "ruby", "swift"}
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


class Folder:
    """Where the blocks of a document are run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.env = environment(go.find())
        self.printed = ""
        self.missing: str | None = None
        self.skipped: list[str] = []

    def do(self, block: Block) -> None:
        """Do with a block what its comment says."""
        if block.verb == "file":
            file = self.path / block.argument
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.text, encoding="utf-8")
        elif block.verb == "run":
            self.missing = None
            self.run(["bash", "-euo", "pipefail", "-c", block.text], fails=block.argument == "fails")
        elif block.verb in HOSTS:
            host = HOSTS[block.verb]
            self.missing = host.missing()
            if self.missing:
                self.skipped.append(f"{host.name}: {self.missing}")
                return
            program = self.path / (block.argument.removeprefix("file ") or f"snippet{Path(host.program).suffix}")
            program.write_text(block.text, encoding="utf-8")
            self.run(host.command(program, self.path))
        elif block.verb == "prints" and not self.missing:
            self.compare(block.text)
        elif block.verb == "console":
            for session in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
                command, _, expected = session.partition("\n")
                self.run(["bash", "-c", f"{command} 2>&1"], fails=None)
                self.compare(expected)

    def run(self, command: list[str | Path], *, fails: bool | None = False) -> None:
        """Run a command, which must fail or must not, and keep what it printed."""
        done = subprocess.run(
            command, cwd=self.path, env=self.env, capture_output=True, encoding="utf-8", timeout=600, stdin=subprocess.DEVNULL
        )
        self.printed = done.stdout + done.stderr if fails else done.stdout
        assert fails is None or (done.returncode != 0) == fails, f"exit code {done.returncode}\n{done.stdout}{done.stderr}"

    def compare(self, expected: str) -> None:
        """Compare with what was printed last."""
        wanted, got = (re.sub(r"\d+\.\d+ MB", "N MB", text) for text in (expected, self.printed))
        if not doctest.OutputChecker().check_output(wanted, got, doctest.ELLIPSIS):
            # A plain comparison shows where they differ.
            assert got == wanted


@pytest.mark.parametrize("document", [name for name in DOCUMENTS if any(block.verb not in ("", "skip") for block in blocks(name))])
def test_snippets_do_what_they_say(document: str, tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    for block in blocks(document):
        try:
            folder.do(block)
        except AssertionError as error:
            pytest.fail(f"{document}:{block.line}\n{error}", pytrace=False)
    if folder.skipped:
        pytest.skip("; ".join(folder.skipped))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_each_program_is_tested(document: str) -> None:
    verbs = {"file", "run", "console", "prints", "skip", *HOSTS}
    unknown = [f"{document}:{block.line}: {block.verb}" for block in blocks(document) if block.verb and block.verb not in verbs]
    silent = [f"{document}:{block.line}" for block in blocks(document) if not block.verb and block.language in PROGRAMS]
    unreasoned = [f"{document}:{block.line}" for block in blocks(document) if block.verb == "skip" and not block.argument]
    assert not unknown + silent + unreasoned


NAMED = re.compile(r"`([\w./-]+\.(?:rs|py|json)): ([^`]+)`")
"""A test as documents name it: the file from the root, and the test's name."""


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_tests_that_a_document_names_are_there(document: str) -> None:
    for file, name in NAMED.findall((ROOT / document).read_text(encoding="utf-8")):
        text = (ROOT / file).read_text(encoding="utf-8")
        as_json = rf'"(?:name|misdeed)": "{re.escape(name)}"'
        wanted = {".rs": rf"\bfn {name}\b", ".py": rf"\bdef {name}\b", ".json": as_json}[Path(file).suffix]
        assert re.search(wanted, text), f"{file} has no {name}"


RECORDS = sorted((ROOT / "docs/decisions").glob("[0-9]*.md"))
RECORD = re.compile(
    r"# (?P<number>\d{4})\. .+\n\n"
    r"- Status: (?:Accepted(?:\. (?:Supersedes|Amends) (?s:.+?))?|(?:Superseded|Amended) (?:for .+ )?by \[(?s:.+?))\n"
    r"- Date: \d{4}-\d\d-\d\d\n\n## Context\n\n(?s:.+?)\n## Decision\n\n(?s:.+?)\n## Consequences\n\n(?s:.+)"
)


@pytest.mark.parametrize("record", RECORDS, ids=lambda path: path.stem)
def test_a_decision_has_its_sections_and_fits_on_a_page(record: Path) -> None:
    text = record.read_text(encoding="utf-8")
    match = RECORD.fullmatch(text)
    assert match, "a record is a title with its number, a status, a date, and the sections Context, Decision and Consequences"
    assert record.name.startswith(f"{match['number']}-")
    assert text.count("\n") <= 60


def test_decisions_are_numbered_and_listed() -> None:
    numbers = [path.name[:4] for path in RECORDS]
    assert numbers == [f"{number:04}" for number in range(1, len(RECORDS) + 1)]
    index = (ROOT / "docs/decisions/README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^- \[(.+?)\]\((.+?)\)", re.sub(r"\n  ", " ", index), re.MULTILINE)
    titles = [(path.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# "), path.name) for path in RECORDS]
    assert sorted(listed) == titles
