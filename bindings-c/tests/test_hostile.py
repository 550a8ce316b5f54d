"""The hostile guest of conformance/hostile; conformance/README.md says how the list is run."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, SANITIZE, SANITIZED
from driver import Driver, Failed, words

FOLDER = ROOT / "conformance" / "hostile"
CASES: list[dict[str, Any]] = json.loads((FOLDER / "misdeeds.json").read_text(encoding="utf-8"))["cases"]
MARK = re.compile(r" // at: (\S+)(?: in (\S+))?$")
MEMORY = 64 << 20
ENOUGH = 60 * 1_000_000_000
SOON = 300_000_000


def marks() -> dict[str, tuple[str, str, int]]:
    """Give function, file and line that the trace of a misdeed must name first."""
    found = {}
    for file in sorted(FOLDER.glob("*.go")):
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            if match := MARK.search(line):
                first, *rest = match[1].split("-")
                function = match[2] or "main." + first + "".join(word.title() for word in rest)
                found[match[1]] = (function, file.name, number)
    return found


MARKS = marks()


@pytest.fixture(scope="module")
def driver(build: Callable[..., Path], hostile: Path) -> Iterator[Driver]:
    # Under AddressSanitizer; that of C++ runs the list without it.
    made = Driver([build("driver", *SANITIZE), hostile], SANITIZED)
    made.start(MEMORY, ENOUGH)
    made.ask("keep")
    yield made
    assert made.close() == 0


def check(case: dict[str, Any], error: Failed) -> None:
    assert error.kind == case["kind"], error
    assert error.exit_code == case.get("exit_code")
    for part in case.get("contains", ()):
        assert part in error.message
    if case["misdeed"] in MARKS and error.kind in ("panic", "out-of-memory"):
        assert error.origin is not None
        function, file, line = error.origin
        assert (function, Path(file).name, line) == MARKS[case["misdeed"]]


def name_of(case: dict[str, Any]) -> str:
    return f"{case['misdeed']}({case.get('n', 0)})"


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_a_misdeed_in_a_call(driver: Driver, case: dict[str, Any]) -> None:
    driver.start(MEMORY, SOON if case["kind"] == "timeout" else ENOUGH)
    given = [words(case["misdeed"]), words(case.get("n", 0))]
    if case["kind"] == "done":
        assert driver.call("do", given) == "done"
        assert driver.call("work", [words(100)]) == 338350
    else:
        with pytest.raises(Failed) as caught:
            driver.call("do", given)
        check(case, caught.value)
        assert not driver.alive()
        with pytest.raises(Failed, match="its end was " + case["kind"]) as dead:
            driver.call("ready", [])
        assert dead.value.kind == "dead-instance"
    assert driver.other("work", 100) == 338350
    driver.start(MEMORY, ENOUGH)
    assert driver.call("work", [words(100)]) == 338350


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_a_misdeed_in_init(driver: Driver, case: dict[str, Any]) -> None:
    env = {"MISDEED": case["misdeed"], "MISDEED_N": str(case.get("n", 0))}
    timeout = SOON if case["kind"] == "timeout" else ENOUGH
    if case["kind"] == "done":
        driver.start(MEMORY, timeout, env=env)
        assert driver.call("work", [words(100)]) == 338350
    else:
        with pytest.raises(Failed) as caught:
            driver.start(MEMORY, timeout, env=env)
        check(case, caught.value)
    assert driver.other("work", 100) == 338350
