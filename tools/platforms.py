"""Builds for platforms that are not this machine's, runs what runs here, checks the rest, and prints a table.

platforms.py [TARGET...]    those of cross.py; all, by default
"""

from __future__ import annotations

import re
import subprocess
import sys

import cases
import cross
import environment
import rust
from project import BUILD, PYTHON, ROOT, say
from project import environment as project_environment

MADE = ("checked", "built")
RUN = ("packages", "tool", "limits", "files", "c", "node", "bun", "python", "conformance", "hostile", "command")
"""What is run: the first words of the tests' names in test_cross.py, or what is in brackets there."""

Row = dict[str, str]


def main(names: list[str]) -> int:
    """Print a row for each platform; 0 when all that was tried is as it should be."""
    if unknown := [name for name in names if name not in cross.PLATFORMS]:
        sys.exit(f"there is no platform {', '.join(unknown)}; there are {', '.join(cross.PLATFORMS)}")
    rows: dict[str, Row] = {}
    notes: list[str] = []
    for platform in (cross.PLATFORMS[name] for name in names or cross.PLATFORMS):
        rows[platform.target] = {}
        if reason := rust.missing(platform.target):
            notes.append(f"{platform.target} was not tried: {reason}")
            continue
        is_built = platform in cross.BUILT
        command = [sys.executable, cross.__file__, *([] if is_built else ["check"]), platform.target]
        worked = subprocess.run(command, env=project_environment()).returncode == 0
        rows[platform.target]["built" if is_built else "checked"] = "ok" if worked else "FAILED"
        if is_built and worked:
            row, more = tried(platform)
            rows[platform.target] |= row
            notes += more
    table = [("platform", *MADE, *RUN), *((target, *(row.get(column, "-") for column in MADE + RUN)) for target, row in rows.items())]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for cells in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip())
    print("\n".join(notes))
    return int(any("FAILED" in row.values() for row in rows.values()) or not any(rows.values()))


def tried(platform: cross.Platform) -> tuple[Row, list[str]]:
    """Run what was built, and give its row, with what was found."""
    say(f"trying what was built for {platform.target}")
    environment.ensure()
    report = BUILD / "test" / f"{platform.target}.xml"
    report.unlink(missing_ok=True)
    tests = ROOT / "tools" / "test_cross.py"
    subprocess.run([PYTHON, "-m", "pytest", "-q", f"--junit-xml={report}", tests, "-k", platform.target], env=project_environment())
    row: Row = {}
    notes: list[str] = []
    for case in cases.of_junit(report).all:
        name = column(case.name)
        notes += [f"{platform.target}: {case.name} failed"] if case.outcome == "failed" else []
        said = {"passed": "ok", "failed": "FAILED", "skipped": "-"}[case.outcome]
        # What failed tells more than what passed, and that more than what was skipped.
        row[name] = max(row.get(name, "-"), said, key=("-", "ok", "FAILED").index)
    return row or {"tool": "FAILED"}, notes


def column(test: str) -> str:
    """Name the column of a test: `node` of `test_javascript[PLATFORM-node]`, `tool` of `test_tool_calls[PLATFORM]`."""
    if (inner := re.search(r"-(\w+)\]$", test)) and inner[1] in RUN:
        return inner[1]
    return test.removeprefix("test_").partition("[")[0].partition("_")[0]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
