"""Test cases, as the programs that run tests report them, and as a JUnit report."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Case:
    """A test that has ended: `passed`, `failed` or `skipped`, the last with a reason."""

    group: str
    """The program, package or class that it belongs to."""
    name: str
    outcome: str
    reason: str = ""


@dataclass
class Cases:
    """The tests of a suite, or of several."""

    all: list[Case] = field(default_factory=list)

    def __iadd__(self, other: Cases) -> Cases:
        """Add those of another suite."""
        self.all += other.all
        return self

    def __str__(self) -> str:
        """Say them as the last line of a run does."""
        return f"{self.passed} passed, {self.failed} failed" + (f", {self.skipped} skipped" if self.skipped else "")

    def count(self, outcome: str) -> int:
        """Count those that ended so."""
        return sum(case.outcome == outcome for case in self.all)

    @property
    def passed(self) -> int:
        """How many passed."""
        return self.count("passed")

    @property
    def failed(self) -> int:
        """How many failed."""
        return self.count("failed")

    @property
    def skipped(self) -> int:
        """How many were skipped."""
        return self.count("skipped")

    @property
    def reasons(self) -> list[str]:
        """Why tests were skipped, each reason once."""
        return sorted({case.reason for case in self.all if case.outcome == "skipped"})

    def fail(self, group: str, name: str) -> None:
        """Add a test that failed without a report of its own."""
        self.all.append(Case(group, name, "failed"))


def none(_: str) -> Cases:
    """Find no tests: the command has none, and its exit code says all."""
    return Cases()


def of_libtest(output: str) -> Cases:
    """Read the lines of Rust's test programs, and of those that report as they do."""
    cases = Cases()
    outcomes = {"ok": "passed", "FAILED": "failed", "ignored": "skipped"}
    program = ""
    running = False
    for line in output.splitlines():
        if started := re.match(r"     Running (.+) \(.+\)$|   Doc-tests (.+)$", line):
            # A program that ends by a signal has no result line.
            if running:
                cases.fail(program, "the program ended without a result")
            program, running = started[1] or f"Doc-tests {started[2]}", True
        elif ended := re.match(r"test (.+?)(?: - should panic)? \.\.\. (ok|FAILED|ignored)(?:, (.+))?$", line):
            name = ended[1].strip()
            reason = ": ".join(filter(None, [name, ended[3]])) if ended[2] == "ignored" else ""
            cases.all.append(Case(program, name, outcomes[ended[2]], reason))
        elif line.startswith("test result: "):
            running = False
    if running:
        cases.fail(program, "the program ended without a result")
    return cases


GO_SAYS = re.compile(r"\s+\w+_test\.go:\d+: (?P<text>.+)")
"""What a test of Go logs, or is skipped for."""


def of_go(output: str) -> Cases:
    """Read the events of `go test -json`: the tests without tests inside them."""
    ended: dict[tuple[str, str], str] = {}
    reasons: dict[tuple[str, str], str] = {}
    broken = []
    for event in map(go_event, output.splitlines()):
        action, package, test = event.get("Action", ""), event.get("Package", ""), event.get("Test", "")
        # What a test says last before it ends: `file_test.go:12: why`, if it is skipped.
        if action == "output" and (said := GO_SAYS.match(event.get("Output", ""))):
            reasons[package, test] = said["text"]
        if action not in ("pass", "fail", "skip"):
            continue
        if test:
            ended[package, test] = action
        elif action == "fail":
            broken.append(package)
    outer = {(package, test.rpartition("/")[0]) for package, test in ended}
    outcomes = {"pass": "passed", "fail": "failed", "skip": "skipped"}
    cases = Cases()
    for (package, test), action in ended.items():
        if (package, test) not in outer:
            reason = reasons.get((package, test), f"{package}.{test}") if action == "skip" else ""
            cases.all.append(Case(package, test, outcomes[action], reason))
    # A package may fail without a test that did: it does not build, or a test ended the process.
    for package in broken:
        if not any(case.outcome == "failed" and case.group == package for case in cases.all):
            cases.fail(package, "the package")
    return cases


def go_event(line: str) -> dict[str, str]:
    """Read an event of `go test -json`; what is not one, such as a compiler's message, is an empty one."""
    try:
        event = json.loads(line)
    except ValueError:
        return {}
    return event if isinstance(event, dict) else {}


def of_tap(output: str) -> Cases:
    """Read what `node --test` prints as TAP: each test, those around others too, but not its suites."""
    cases = Cases()
    for line in output.splitlines():
        if ended := re.match(r" *(ok|not ok) \d+ - (.*?)(?: # SKIP(.*))?$", line):
            said, name, reason = ended.groups()
            outcome = "failed" if said == "not ok" else "passed" if reason is None else "skipped"
            cases.all.append(Case("node", name, outcome, (reason or "").strip()))
        elif line.strip() == "type: 'suite'" and cases.all:
            # Of what the line before is about.
            cases.all.pop()
    return cases


def of_minitest(output: str) -> Cases:
    """Read the lines of Ruby's minitest, which is told to be verbose, and why tests were skipped."""
    reasons = dict(re.findall(r"^ +\d+\) Skipped:\n(.+) \[.+\]:\n(.+)$", output, re.MULTILINE))
    outcomes = {".": "passed", "F": "failed", "E": "failed", "S": "skipped"}
    cases = Cases()
    for group, name, sign in re.findall(r"^(\S+?)#(.+) = \d+\.\d+ s = ([.FES])$", output, re.MULTILINE):
        cases.all.append(Case(group, name, outcomes[sign], reasons.get(f"{group}#{name}", "") if sign == "S" else ""))
    return cases


def of_junit(*reports: Path) -> Cases:
    """Read reports of pytest, or of Maven."""
    cases = Cases()
    for report in reports:
        if not report.is_file():
            continue
        for element in ET.parse(report).iter("testcase"):
            skipped = element.find("skipped")
            failed = element.find("failure") is not None or element.find("error") is not None
            outcome = "failed" if failed else "passed" if skipped is None else "skipped"
            reason = "" if skipped is None else skipped.get("message") or assumed(skipped.text or "")
            cases.all.append(Case(element.get("classname", ""), element.get("name", ""), outcome, reason))
    return cases


def assumed(trace: str) -> str:
    """Give what a test of JUnit has assumed, which Maven reports as an exception alone."""
    return trace.partition("\n")[0].partition("Assumption failed: ")[2]


def write_junit(report: Path, suites: Iterable[tuple[str, float, Cases]]) -> None:
    """Write a JUnit report: of each suite the name, the seconds it took, and its tests."""
    root = ET.Element("testsuites")
    for name, seconds, cases in suites:
        counts = {"tests": len(cases.all), "failures": cases.failed, "errors": 0, "skipped": cases.skipped}
        attributes = {"name": name, "time": f"{seconds:.1f}"} | {key: str(count) for key, count in counts.items()}
        suite = ET.SubElement(root, "testsuite", attributes)
        suite.extend(elements(cases))
    ET.ElementTree(root).write(report, encoding="utf-8", xml_declaration=True)


def elements(cases: Cases) -> Iterator[ET.Element]:
    """Write tests as elements of such a report."""
    for case in cases.all:
        element = ET.Element("testcase", classname=printable(case.group), name=printable(case.name))
        if case.outcome == "failed":
            ET.SubElement(element, "failure")
        elif case.outcome == "skipped":
            ET.SubElement(element, "skipped", message=printable(case.reason))
        yield element


def printable(text: str) -> str:
    """Escape what XML can't contain: names of tests may have any character."""
    return re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", lambda found: f"\\u{ord(found[0]):04x}", text)
