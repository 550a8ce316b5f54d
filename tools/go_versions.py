"""Builds the conformance guest with each supported release of Go, runs the cases on it, and prints a table."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import go
import guest
import test
from project import BUILD, PYTHON, ROOT, environment, say

PLACE = BUILD / "go-versions"
RUNNER = ROOT / "bindings-python" / "tests" / "test_conformance.py"


def main() -> int:
    """Print a row for each release; 0 when all cases passed with all of them."""
    rows = [("Go", "module", "passed", "failed", "skipped")]
    bad = False
    for release in go.RELEASES:
        wasm = PLACE / f"conformance-{release}.wasm"
        guest.build(go.install(release), wasm)
        say(f"conformance with Go {release}")
        counts = conformance(wasm)
        bad |= counts.failed > 0 or counts.passed == 0
        rows.append((release, f"{wasm.stat().st_size / 1e6:.2f} MB", str(counts.passed), str(counts.failed), str(counts.skipped)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join([row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]))
    return 1 if bad else 0


def conformance(wasm: Path) -> test.Counts:
    """Run the cases on a module."""
    report = PLACE / f"{wasm.stem}.xml"
    report.unlink(missing_ok=True)
    env = environment() | {"UNDERGO_CONFORMANCE_WASM": str(wasm)}
    command: list[str | Path] = [PYTHON, "-m", "pytest", "-q", "--tb=line", "-p", "no:cacheprovider", f"--junitxml={report}", RUNNER]
    done = subprocess.run(command, cwd=RUNNER.parent.parent, env=env, capture_output=True, text=True)
    counts = test.count_junit(report)
    if done.returncode:
        print(done.stdout + done.stderr)
        counts.failed = max(counts.failed, 1)
    return counts


if __name__ == "__main__":
    sys.exit(main())
