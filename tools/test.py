"""Runs all test suites, goes on after one that fails, and ends with one line: `N passed, N failed`.

test.py              all suites
test.py NAME...      some of them

A suite that runs no test counts as failed: tests that nobody runs are worse than none.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import go
from project import BUILD, PYTHON, ROOT, cargo_test, environment

REPORTS = BUILD / "test"
LONGEST = 40 * 60
"""Seconds after which a suite is ended: one that hangs must not take the others with it."""

PAIRWISE = ["--numprocesses=2"]
"""Two tests at once, for suites that spend their time in compilers and valgrind, each of which takes one processor."""


@dataclass
class Counts:
    """What a suite's output says of its tests."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    reasons: list[str] = field(default_factory=list)

    def __iadd__(self, other: Counts) -> Counts:
        """Add those of another suite."""
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        return self

    def __str__(self) -> str:
        """Say them as the last line of a run does."""
        return f"{self.passed} passed, {self.failed} failed" + (f", {self.skipped} skipped" if self.skipped else "")


@dataclass
class Suite:
    """A command that runs tests, and how its output is counted."""

    command: list[str | Path]
    count: Callable[[str], Counts]
    directory: Path = ROOT
    needs_build: bool = False


def main(names: list[str]) -> int:
    """Run the suites; 0 when all tests passed."""
    suites = all_suites()
    unknown = [name for name in names if name not in suites]
    if unknown:
        sys.exit(f"there is no suite {', '.join(unknown)}; there are {', '.join(suites)}")
    shutil.rmtree(REPORTS, ignore_errors=True)
    REPORTS.mkdir(parents=True)
    env = environment(go.find())
    total = Counts()
    built = True
    chosen = {name: suite for name, suite in suites.items() if name in (names or suites)}
    if any(suite.needs_build for suite in chosen.values()):
        built = run("build", Suite(["make", "--no-print-directory", "build", "guest"], count_nothing), env, total)
    for name, suite in chosen.items():
        if suite.needs_build and not built:
            print(f"{name:<12} not run: the build failed", flush=True)
            total.failed += 1
        else:
            run(name, suite, env, total)
    (REPORTS / "summary").write_text(f"{total}\n")
    print(total, flush=True)
    return 1 if total.failed else 0


def all_suites() -> dict[str, Suite]:
    """Give the suites, the quickest to tell something first."""
    return {
        "rust": Suite([*cargo_test(), "--no-fail-fast"], count_libtest, needs_build=True),
        "go": Suite(["go", "test", "-count=1", "-json", "./..."], count_go, ROOT / "go-guest-sdk"),
        "python": pytest("python", ROOT / "bindings-python", "tests"),
        "c": pytest("c", ROOT / "bindings-c", "tests", *PAIRWISE, "--dist=loadfile"),
        "go-host": Suite([sys.executable, ROOT / "tools" / "go_host_suite.py"], count_go, needs_build=True),
        "node": Suite([sys.executable, ROOT / "tools" / "node_suite.py"], count_tap, needs_build=True),
        "kotlin": Suite([sys.executable, ROOT / "tools" / "kotlin_suite.py"], lambda _: count_surefire(), needs_build=True),
        "ruby": Suite([sys.executable, ROOT / "tools" / "ruby_suite.py"], count_minitest, needs_build=True),
        "swift": pytest("swift", ROOT / "tools", "test_swift.py"),
        "bindgen": pytest("bindgen", ROOT / "tools", "test_bindgen_fuzz.py"),
        "optimizer": pytest("optimizer", ROOT / "tools", "test_go_code.py"),
        "soak": pytest("soak", ROOT / "tools", "test_soak.py"),
        "tools": pytest("tools", ROOT / "tools", "test_tools.py"),
        "parity": pytest("parity", ROOT / "tools", "test_parity.py"),
        "examples": pytest("examples", ROOT / "tools", "test_examples.py", *PAIRWISE),
        "new": pytest("new", ROOT / "tools", "test_new.py"),
        "network": pytest("network", ROOT / "tools", "test_network.py"),
        "toolchains": pytest("toolchains", ROOT / "tools", "test_toolchains.py"),
        "packages": pytest("packages", ROOT / "tools", "test_packages.py", *PAIRWISE),
        "docs": pytest("docs", ROOT / "tools", "test_docs.py", *PAIRWISE),
    }


def pytest(name: str, directory: Path, *arguments: str) -> Suite:
    """Make a suite of pytest, which reports to a file."""
    report = REPORTS / f"{name}.xml"
    command: list[str | Path] = [PYTHON, "-m", "pytest", "-rs", "-p", "no:cacheprovider", f"--junitxml={report}", *arguments]
    return Suite(command, lambda _: count_junit(report), directory, needs_build=True)


def run(name: str, suite: Suite, env: dict[str, str], total: Counts) -> bool:
    """Run a suite, print its line, and its output when it failed. Whether it passed."""
    print(f"{name:<12} ", end="", flush=True)
    start = time.monotonic()
    code, output = capture(suite, env)
    (REPORTS / f"{name}.log").write_text(output)
    counts = suite.count(output)
    nothing = suite.count is not count_nothing and counts.passed + counts.failed == 0
    if (code or nothing) and not counts.failed:
        counts.failed = 1
    print(f"{'done' if suite.count is count_nothing and not code else counts} ({time.monotonic() - start:.0f} s)", flush=True)
    for reason in sorted(set(counts.reasons)):
        print(f"             skipped: {reason}", flush=True)
    if counts.failed:
        print(readable(output), flush=True)
        if nothing:
            print(f"{name}: no test was run", flush=True)
    total += counts
    return not counts.failed


def capture(suite: Suite, env: dict[str, str]) -> tuple[int, str]:
    """Run a suite's command, and give its exit code and all that it wrote."""
    try:
        # A session of its own, so that what the command has started can be ended with it.
        process = subprocess.Popen(
            suite.command,
            cwd=suite.directory,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        return 1, str(error)
    try:
        output, _ = process.communicate(timeout=LONGEST)
        return process.returncode, output.decode("utf-8", "replace")
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        return 1, f"{output.decode('utf-8', 'replace')}\nended after {LONGEST // 60} minutes"
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        raise


def count_nothing(_: str) -> Counts:
    """Count no tests: the command has none, and its exit code says all."""
    return Counts()


def count_libtest(output: str) -> Counts:
    """Add up the result lines of Rust's test programs, and of those that speak like them."""
    counts = Counts()
    programs = re.findall(r"^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored;", output, re.MULTILINE)
    for passed, failed, ignored in programs:
        counts += Counts(int(passed), int(failed), int(ignored))
    for name, reason in re.findall(r"^test (.+?) \.\.\. ignored(?:, (.+))?$", output, re.MULTILINE):
        counts.reasons.append(": ".join(filter(None, [name.strip(), reason.strip()])))
    # A test program that ends by a signal has no result line.
    started = len(re.findall(r"^     Running .*\(.+\)$|^   Doc-tests ", output, re.MULTILINE))
    if started > len(programs):
        counts.failed += started - len(programs)
    return counts


def count_go(output: str) -> Counts:
    """Count the tests in the events of `go test -json`: those without tests inside them."""
    ended: dict[tuple[str, str], str] = {}
    broken = set()
    for event in map(event_of, output.splitlines()):
        action, package, test = event.get("Action", ""), event.get("Package", ""), event.get("Test", "")
        if action not in ("pass", "fail", "skip"):
            continue
        if test:
            ended[package, test] = action
        elif action == "fail":
            broken.add(package)
    outer = {(package, test.rpartition("/")[0]) for package, test in ended}
    # A test that failed although all inside it passed counts, too.
    leaves = {key: action for key, action in ended.items() if key not in outer}
    failed = {key for key, action in leaves.items() if action == "fail"}
    for package in broken - {package for package, _ in failed}:
        failed.add((package, ""))
    actions = list(leaves.values())
    skipped = [f"{package}.{test}" for (package, test), action in leaves.items() if action == "skip"]
    return Counts(actions.count("pass"), len(failed), len(skipped), skipped)


def event_of(line: str) -> dict[str, str]:
    """Read an event of `go test -json`; what is not one, such as a compiler's message, is an empty one."""
    try:
        event = json.loads(line)
    except ValueError:
        return {}
    return event if isinstance(event, dict) else {}


def count_tap(output: str) -> Counts:
    """Count the tests in what `node --test` prints as TAP, which has its own sums at the end."""
    sums = {word: int(count) for word, count in re.findall(r"^# (pass|fail|cancelled|skipped) (\d+)$", output, re.MULTILINE)}
    reasons = [reason.strip() for reason in re.findall(r" # SKIP (.+)$", output, re.MULTILINE)]
    return Counts(sums.get("pass", 0), sums.get("fail", 0) + sums.get("cancelled", 0), sums.get("skipped", 0), reasons)


def count_junit(report: Path) -> Counts:
    """Count the tests in a report of pytest."""
    counts = Counts()
    if not report.is_file():
        return counts
    for case in ET.parse(report).iter("testcase"):
        skipped = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            counts.failed += 1
        elif skipped is not None:
            counts.skipped += 1
            counts.reasons.append(skipped.get("message", ""))
        else:
            counts.passed += 1
    return counts


def count_surefire() -> Counts:
    """Count the tests in the reports of Maven, one for each class."""
    counts = Counts()
    for report in sorted((BUILD / "kotlin" / "maven" / "surefire-reports").glob("TEST-*.xml")):
        counts += count_junit(report)
    return counts


def count_minitest(output: str) -> Counts:
    """Read the last line of Ruby's minitest, and why tests were skipped."""
    counts = Counts()
    found = re.search(r"^(\d+) runs, \d+ assertions, (\d+) failures, (\d+) errors, (\d+) skips$", output, re.MULTILINE)
    if found:
        runs, failures, errors, skips = map(int, found.groups())
        counts = Counts(runs - failures - errors - skips, failures + errors, skips)
    counts.reasons += re.findall(r"^ +\d+\) Skipped:\n.+\n(.+)$", output, re.MULTILINE)
    return counts


def readable(output: str) -> str:
    """Give a suite's output for people: of `go test -json` the texts alone."""
    lines = []
    for line in output.splitlines():
        if line.startswith("{"):
            event = event_of(line)
            lines.append(event.get("Output", "").rstrip("\n") if event.get("Action") in ("output", "build-output") else None)
        else:
            lines.append(line)
    return "\n".join(line for line in lines if line is not None)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
