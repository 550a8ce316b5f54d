"""Checks that prose has at most 100 columns: in Markdown, and in the comments of source files.

Tables, code, headings and what can't be broken, such as a link, may be longer.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from project import ROOT

WIDTH = 100

SLASHES = re.compile(r"\s*(?://(?![/!]?\s*\|)|\*\s(?!\s*\|)|/\*)")
HASHES = re.compile(r"\s*#(?!!)")
COMMENTS = dict.fromkeys(
    (".c", ".cjs", ".cpp", ".cts", ".go", ".h", ".hpp", ".java", ".kt", ".mjs", ".mts", ".rs", ".swift", ".ts"), SLASHES
)
COMMENTS |= dict.fromkeys((".py", ".pyi", ".rb", ".toml", ".yml"), HASHES)
"""What begins a line that is a comment, by the suffix of the file. Tables in comments are no prose."""

GENERATED = re.compile(
    r"bench/results\.md|cli/templates/.*|.*/testdata/.*|cli/tests/fixtures/[^/]*|examples/.*_plugin\.\w+|bindings-c/include/undergo\.h"
    r"|bindings-go/internal/.*"
)
"""Files that are made from others, and compared with what is made; and templates, whose lines are longer than what they make."""

NOT_PROSE = re.compile(r"\s*(?:\||#|<!--|\[[^\]]+\]: )")
FENCE = re.compile(r"\s*(```+|~~~+)")


def main() -> int:
    """Print the lines that are too long; 1 when there are any."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
    )
    files = [path for name in listed.stdout.decode().split("\0") if name and (ROOT / (path := Path(name))).is_file()]
    checked = [path for path in files if is_checked(path)]
    long = [f"{path}:{line}: more than {WIDTH} columns" for path in checked for line in long_lines(path)]
    print("\n".join([*long, f"{len(long)} lines of prose are too long, in {len(checked)} files"]))
    return 1 if long or not checked else 0


def is_checked(path: Path) -> bool:
    """Whether a file's prose is checked."""
    return not GENERATED.fullmatch(path.as_posix()) and (path.suffix == ".md" or path.suffix in COMMENTS)


def long_lines(path: Path) -> list[int]:
    """Give the numbers of the lines that are too long and could be broken."""
    text = (ROOT / path).read_text(encoding="utf-8")
    lines = markdown(text) if path.suffix == ".md" else comments(text, COMMENTS[path.suffix])
    return [number for number, line in lines if is_long(line)]


def is_long(line: str) -> bool:
    """Whether a line is too long, and has a blank in its right half, where it can be broken."""
    return len(line.rstrip()) > WIDTH and " " in line[WIDTH // 2 : WIDTH]


def markdown(text: str) -> Iterator[tuple[int, str]]:
    """Give the lines of prose of a document, with their numbers."""
    fence = None
    for number, line in enumerate(text.split("\n"), 1):
        match = FENCE.match(line)
        if match and fence is None:
            fence = match[1]
        elif fence is not None:
            if match and match[1].startswith(fence):
                fence = None
        elif not NOT_PROSE.match(line):
            yield number, line


def comments(text: str, begin: re.Pattern[str]) -> Iterator[tuple[int, str]]:
    """Give the lines of source code that are comments, with their numbers."""
    for number, line in enumerate(text.split("\n"), 1):
        if begin.match(line):
            yield number, line


if __name__ == "__main__":
    sys.exit(main())
