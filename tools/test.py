"""Runs all test suites, goes on after one that fails, and ends with one line: `N passed, N failed`.

test.py              all suites
test.py NAME...      some of them

Suites that take one processor run two at a time. A suite that runs no test counts as failed: tests that nobody runs are
worse than none. All tests are also in a JUnit report, test/results.xml in the folder of the build.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cases
import go
from cases import Case, Cases
from project import BUILD, PYTHON, ROOT, cargo_test, environment

REPORTS = BUILD / "test"
LONGEST = 40 * 60
"""Seconds after which a suite is ended: one that hangs must not take the others with it."""

PAIRWISE = "--numprocesses=2"
"""Two tests at once, for suites that spend their time in compilers and valgrind, each of which takes one processor."""

RUNNING: list[subprocess.Popen[bytes]] = []
"""The commands of suites that run now, each in a session of its own."""


@dataclass
class Suite:
    """A command that runs tests, and how they are found in its output."""

    command: list[str | Path]
    find: Callable[[str], Cases]
    directory: Path = ROOT
    needs_build: bool = False
    alone: bool = False
    """Whether it uses all processors by itself."""


def main(names: list[str]) -> int:
    """Run the suites; 0 when all tests passed."""
    suites = all_suites()
    unknown = [name for name in names if name not in suites]
    if unknown:
        sys.exit(f"there is no suite {', '.join(unknown)}; there are {', '.join(suites)}")
    shutil.rmtree(REPORTS, ignore_errors=True)
    REPORTS.mkdir(parents=True)
    env = environment(go.find())
    done: list[tuple[str, float, Cases]] = []
    built = True
    chosen = {name: suite for name, suite in suites.items() if name in (names or suites)}
    if any(suite.needs_build for suite in chosen.values()):
        done.append(run("build", Suite(["make", "--no-print-directory", "build", "guest"], cases.none), env))
        built = not done[0][2].failed
    if not built:
        for name in [name for name, suite in chosen.items() if suite.needs_build]:
            print(f"{name:<12} not run: the build failed", flush=True)
            done.append((name, 0, Cases([Case(name, "not run: the build failed", "failed")])))
            del chosen[name]
    with ThreadPoolExecutor(max_workers=2) as lanes:
        try:
            done += lanes.map(lambda name: run(name, chosen[name], env), [name for name, suite in chosen.items() if not suite.alone])
        except BaseException:
            lanes.shutdown(wait=False, cancel_futures=True)
            for process in RUNNING:
                os.killpg(process.pid, signal.SIGKILL)
            raise
    done += [run(name, suite, env) for name, suite in chosen.items() if suite.alone]
    cases.write_junit(REPORTS / "results.xml", done)
    total = Cases([case for _, _, found in done for case in found.all])
    (REPORTS / "summary").write_text(f"{total}\n")
    print(total, flush=True)
    return 1 if total.failed else 0


def all_suites() -> dict[str, Suite]:
    """Give the suites, the longest first of those that run beside others."""
    return {
        "node": Suite([sys.executable, ROOT / "tools" / "node_suite.py"], cases.of_tap, needs_build=True),
        "kotlin": Suite([sys.executable, ROOT / "tools" / "kotlin_suite.py"], lambda _: of_surefire("kotlin"), needs_build=True),
        "python": pytest("python", ROOT / "bindings-python", "tests"),
        "go-host": Suite([sys.executable, ROOT / "tools" / "go_host_suite.py"], cases.of_go, needs_build=True),
        "java": Suite([sys.executable, ROOT / "tools" / "java_suite.py"], lambda _: of_surefire("java"), needs_build=True),
        "ruby": Suite([sys.executable, ROOT / "tools" / "ruby_suite.py"], cases.of_minitest, needs_build=True),
        "go": Suite(["go", "test", "-count=1", "-json", "./..."], cases.of_go, ROOT / "go-guest-sdk"),
        "network": pytest("network", ROOT / "tools", "test_network.py"),
        "new": pytest("new", ROOT / "tools", "test_new.py"),
        "optimizer": pytest("optimizer", ROOT / "tools", "test_go_code.py"),
        "components": pytest("components", ROOT / "tools", "test_components.py", "test_jco.py"),
        "serve": pytest("serve", ROOT / "tools", "test_serve.py"),
        "soak": pytest("soak", ROOT / "tools", "test_soak.py"),
        "tools": pytest("tools", ROOT / "tools", "test_tools.py"),
        "swift": pytest("swift", ROOT / "tools", "test_swift.py"),
        "toolchains": pytest("toolchains", ROOT / "tools", "test_toolchains.py", "test_tinygo.py"),
        "parity": pytest("parity", ROOT / "tools", "test_parity.py"),
        "rust": Suite([*cargo_test(), "--no-fail-fast"], cases.of_libtest, needs_build=True, alone=True),
        "c": pytest("c", ROOT / "bindings-c", "tests", PAIRWISE, "--dist=loadgroup"),
        "bindgen": pytest("bindgen", ROOT / "tools", "test_bindgen_fuzz.py", alone=True),
        "examples": pytest("examples", ROOT / "tools", "test_examples.py", PAIRWISE),
        "packages": pytest("packages", ROOT / "tools", "test_packages.py", "test_go_module.py", PAIRWISE),
        "docs": pytest("docs", ROOT / "tools", "test_docs.py", PAIRWISE),
    }


def pytest(name: str, directory: Path, *arguments: str, alone: bool = False) -> Suite:
    """Make a suite of pytest, which reports to a file."""
    report = REPORTS / f"{name}.xml"
    command: list[str | Path] = [PYTHON, "-m", "pytest", "-rs", "-p", "no:cacheprovider", f"--junitxml={report}", *arguments]
    alone = alone or PAIRWISE in arguments
    return Suite(command, lambda _: cases.of_junit(report), directory, needs_build=True, alone=alone)


def run(name: str, suite: Suite, env: dict[str, str]) -> tuple[str, float, Cases]:
    """Run a suite, print its line, and its output when it failed; give its name, the seconds, and its tests."""
    start = time.monotonic()
    code, output = capture(suite, env)
    (REPORTS / f"{name}.log").write_text(output)
    found = suite.find(output)
    nothing = suite.find is not cases.none and not found.all
    if (code or nothing) and not found.failed:
        found.fail(name, "no test was run" if nothing else f"the command ended with {code}")
    seconds = time.monotonic() - start
    lines = [f"{name:<12} {'done' if suite.find is cases.none and not code else found} ({seconds:.0f} s)"]
    lines += [f"             skipped: {reason}" for reason in found.reasons]
    if found.failed:
        lines += [readable(output), *([f"{name}: no test was run"] if nothing else [])]
    # All at once, since another suite may end at the same time.
    print("\n".join(lines), flush=True)
    return name, seconds, found


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
    RUNNING.append(process)
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
    finally:
        RUNNING.remove(process)


def of_surefire(host: str) -> Cases:
    """Read the reports of Maven, one for each class."""
    return cases.of_junit(*sorted((BUILD / host / "maven" / "surefire-reports").rglob("TEST-*.xml")))


def readable(output: str) -> str:
    """Give a suite's output for people: of `go test -json` the texts alone."""
    lines = []
    for line in output.splitlines():
        if line.startswith("{"):
            event = cases.go_event(line)
            lines.append(event.get("Output", "").rstrip("\n") if event.get("Action") in ("output", "build-output") else None)
        else:
            lines.append(line)
    return "\n".join(line for line in lines if line is not None)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
