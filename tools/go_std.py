"""Runs the tests of Go's standard library under `undergo exec`, and prints a table.

go_std.py                the packages that a program is most likely to use
go_std.py PACKAGE...     those
go_std.py all            every package that has tests for wasip1

A test that fails must be in conformance/go-std.json, with the reason; one that is there must fail.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import go
from project import CLI, ROOT, environment, say

KNOWN = ROOT / "conformance" / "go-std.json"
PACKAGES = [
    *("strings", "bytes", "strconv", "sort", "encoding/json", "encoding/binary", "math/big", "regexp", "compress/gzip", "crypto/sha256"),
    *("text/template", "time", "os", "io/fs", "path/filepath", "bufio", "hash/crc32", "container/heap", "unicode/utf8"),
    *("sync", "runtime", "reflect"),
]
# What they test is not there: other processes, plugins of the native kind, and the go command
# itself.
WITHOUT = ("cmd/", "vendor/", "runtime/cgo", "runtime/race", "runtime/msan", "runtime/asan")


@dataclass
class Package:
    """What became of a package's tests."""

    name: str
    outcomes: dict[str, str] = field(default_factory=dict)
    output: list[str] = field(default_factory=list)
    seconds: float = 0
    broken: bool = False

    def count(self, *, inner: bool) -> Counter[str]:
        """Count the tests, or the tests within tests, by what became of them."""
        return Counter(outcome for test, outcome in self.outcomes.items() if ("/" in test) is inner)

    def failed(self) -> set[str]:
        """Name what failed, from the package on; the package itself where no test of it did."""
        tests = {f"{self.name}.{test}" for test, outcome in self.outcomes.items() if outcome == "fail"}
        return tests or ({self.name} if self.broken else set())


def main(wanted: list[str]) -> int:
    """Run the packages one after the other, and give 0 when nothing failed that should not."""
    command = go.find()
    env = environment(command) | {"GOOS": "wasip1", "GOARCH": "wasm", "GOFLAGS": "-count=1"}
    known: dict[str, str] = json.loads(KNOWN.read_text(encoding="utf-8"))
    names = all_packages(command, env) if wanted == ["all"] else wanted or PACKAGES
    say(f"{len(names)} packages of {'.'.join(map(str, go.version(command)))} under undergo exec")
    print(f"{'package':<34} {'tests':>22} {'tests within tests':>22} {'seconds':>8}")
    bad = []
    total: Counter[str] = Counter()
    for name in names:
        package = run(command, env, name)
        outer, inner = package.count(inner=False), package.count(inner=True)
        total += outer + inner
        print(f"{name:<34} {shown(outer):>22} {shown(inner):>22} {package.seconds:>8.1f}", flush=True)
        strange = package.failed() - set(known)
        healed = {test for test in known if test.rpartition(".")[0] == name and package.outcomes.get(test.rpartition(".")[2]) == "pass"}
        bad += [f"{test} failed" for test in sorted(strange)] + [f"{test} is listed as failing, and passed" for test in sorted(healed)]
        if strange:
            print("".join(package.output[-60:]), flush=True)
    for line in bad:
        print(line)
    print(f"{total['pass']} passed, {len(bad)} failed, {total['skip']} skipped")
    return 1 if bad or not total["pass"] else 0


def all_packages(command: Path, env: dict[str, str]) -> list[str]:
    """Name the packages that have tests for this system."""
    form = "{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}{{end}}"
    listed = subprocess.run([command, "list", "-f", form, "std"], env=env, capture_output=True, text=True, check=True).stdout.split()
    return [name for name in listed if not name.startswith(WITHOUT)]


def run(command: Path, env: dict[str, str], name: str, runner: str = f"{CLI} exec", *, flags: Sequence[str] = ()) -> Package:
    """Run the tests of a package, by that command."""
    package = Package(name)
    began = time.monotonic()
    arguments: list[str | Path] = [command, "test", "-json", "-short", "-timeout=10m", *flags, "-exec", runner, name]
    done = subprocess.run(arguments, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    package.seconds = time.monotonic() - began
    for line in done.stdout.splitlines():
        event = json.loads(line) if line.startswith("{") else {"Output": line + "\n"}
        package.output.append(event.get("Output", ""))
        if event.get("Action") in ("pass", "fail", "skip") and event.get("Test"):
            package.outcomes[event["Test"]] = event["Action"]
    package.broken = done.returncode != 0
    return package


def shown(counts: Counter[str]) -> str:
    """Write passed/failed/skipped."""
    return f"{counts['pass']}/{counts['fail']}/{counts['skip']}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
