"""Builds the conformance guest with each supported release of Go, runs the cases on it and tests of its own network, and prints a table."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cases
import go
import guest
import test
from cases import Case, Cases
from project import BUILD, CLI, PYTHON, ROOT, environment, say

PLACE = BUILD / "go-versions"
NETWORK = ROOT / "conformance" / "network"
RUNNER = ROOT / "bindings-python" / "tests" / "test_conformance.py"


def main() -> int:
    """Print a row for each release; 0 when all cases passed with all of them."""
    rows: list[tuple[str, ...]] = [("Go", "module", "passed", "failed", "skipped", "network passed", "failed")]
    bad = False
    for release in go.RELEASES:
        wasm = PLACE / f"conformance-{release}.wasm"
        found = go.install(release)
        guest.build(found, wasm)
        say(f"conformance with Go {release}")
        counts = conformance(wasm)
        connected = network(found)
        bad |= any(each.failed > 0 or each.passed == 0 for each in (counts, connected))
        numbers = (counts.passed, counts.failed, counts.skipped, connected.passed, connected.failed)
        rows.append((release, f"{wasm.stat().st_size / 1e6:.2f} MB", *map(str, numbers)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join([row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]))
    return 1 if bad else 0


def conformance(wasm: Path) -> Cases:
    """Run the cases on a module."""
    report = PLACE / f"{wasm.stem}.xml"
    report.unlink(missing_ok=True)
    env = environment() | {"UNDERGO_CONFORMANCE_WASM": str(wasm)}
    command: list[str | Path] = [PYTHON, "-m", "pytest", "-q", "--tb=line", "-p", "no:cacheprovider", f"--junitxml={report}", RUNNER]
    done = subprocess.run(command, cwd=RUNNER.parent.parent, env=env, capture_output=True, text=True)
    counts = cases.of_junit(report)
    if done.returncode:
        print(done.stdout + done.stderr)
        if not counts.failed:
            counts.fail("conformance", f"the command ended with {done.returncode}")
    return counts


def network(found: Path) -> Cases:
    """Run the tests of the standard library's network with that Go."""
    env = environment(found) | {"GOWORK": "off", "GOOS": "wasip1", "GOARCH": "wasm", "GOTOOLCHAIN": "local"}
    asked = subprocess.run([CLI, "overlay", NETWORK], env=env, capture_output=True, text=True)
    if asked.returncode:
        print(asked.stderr)
        return Cases([Case("network", "the overlay", "failed")])
    command: list[str | Path] = [found, "test", "-json", "-count=1", "-timeout=5m", "-overlay", asked.stdout.strip()]
    done = subprocess.run([*command, "-exec", f"{CLI} exec --net any", "./plain"], cwd=NETWORK, env=env, capture_output=True, text=True)
    counts = cases.of_go(done.stdout)
    if counts.failed or done.returncode:
        print(test.readable(done.stdout) + done.stderr)
    return counts


if __name__ == "__main__":
    sys.exit(main())
