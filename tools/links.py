"""Checks that no link within the project's Markdown files leads to nowhere: files, and headings in them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from project import ROOT

LINK = re.compile(r"\[[^\]]*\]\(<?([^)>\s]+)>?(?:\s+\"[^\"]*\")?\)")
CODE = re.compile(r"^(```|~~~).*?^\1\s*$|`[^`\n]*`", re.MULTILINE | re.DOTALL)


def main() -> int:
    """Print the dead links; 1 when there are any."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.md"], cwd=ROOT, capture_output=True, check=True
    )
    files = [path for name in listed.stdout.decode().split("\0") if name and (path := ROOT / name).is_file()]
    dead = [f"{file.relative_to(ROOT)}:{line}: {link}" for file in files for line, link in dead_links(file)]
    print("\n".join([*dead, f"{len(dead)} dead links in {len(files)} documents"]))
    return 1 if dead or not files else 0


def dead_links(file: Path) -> list[tuple[int, str]]:
    """Give the lines and targets of the links that lead nowhere."""
    text = blank_code(file.read_text(encoding="utf-8"))
    dead = []
    for match in LINK.finditer(text):
        link = match[1]
        if re.match(r"[a-z]+:", link):
            continue
        path, _, fragment = link.partition("#")
        target = file.parent / path if path else file
        if not target.exists() or (fragment and target.suffix == ".md" and fragment not in anchors(target)):
            dead.append((text.count("\n", 0, match.start()) + 1, link))
    return dead


def anchors(file: Path) -> set[str]:
    """Give the names of a document's headings, as they are made on GitHub."""
    text = re.sub(r"^(```|~~~).*?^\1\s*$", "", file.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+?)\s*$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def blank_code(text: str) -> str:
    """Replace code by nothing, line for line: what looks like a link in it is none."""
    return CODE.sub(lambda match: "\n" * match[0].count("\n"), text)


if __name__ == "__main__":
    sys.exit(main())
