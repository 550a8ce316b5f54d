"""The conformance list, run from C: see conformance/README.md."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import QUICK, ROOT, VALGRIND, need
from driver import Driver, Failed, check, words

CAPABILITIES = {"dynamic", "strict-records", "nanoseconds"}
FILES = sorted((ROOT / "conformance" / "cases").glob("*.json"))


def lacks(case: dict[str, Any]) -> set[str]:
    """Give what a case needs and C has not: its strings are UTF-8, its integers have 64 bits."""
    needs: set[str] = set(case.get("needs", [])).union(*(step.get("needs", []) for step in case.get("steps", [])))
    large = {int(digits) for digits in re.findall(r'"\$int": "(-?\d+)"', json.dumps(case))}
    return (needs - CAPABILITIES) | {"integers of more than 64 bits" for one in large if not -(1 << 63) <= one < 1 << 64}


def cases() -> Iterator[Any]:
    """Give each case with its file: the cases of a file share an instance, so they run in order."""
    for path in FILES:
        for case in json.loads(path.read_text(encoding="utf-8"))["cases"]:
            missing = lacks(case)
            marks = [pytest.mark.skip(reason=f"C lacks {', '.join(sorted(missing))}")] if missing else []
            yield pytest.param(path.stem, case, id=f"{path.stem}: {case['name']}", marks=marks)


class Runner:
    """Holds the instance that the cases of a file share."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        self.begun = self.special = False

    def run(self, case: dict[str, Any]) -> None:
        """Run a case."""
        steps = case.get("steps", [case])
        own = {key: case[key] for key in ("limits", "env") if key in case}
        if "steps" in case and "args" in case:
            own["args"] = case["args"]
        if not self.begun or case.get("fresh") or own or self.special or not self.driver.alive():
            limits = own.get("limits", {})
            memory, timeout = limits.get("memory_mib", 0) << 20, limits.get("timeout_ms", 0) * 1_000_000
            self.driver.start(memory, timeout, own.get("args"), own.get("env"))
            self.begun = True
        self.special = bool(own)
        for step in steps:
            self.step(step)

    def step(self, step: dict[str, Any]) -> None:
        """Call an export, and compare."""
        expected = step.get("error")
        given = step.get("args", [])
        types = self.driver.parameters(step["call"])
        args = [words(one, wanted) for one, wanted in itertools.zip_longest(given, types[: len(given)], fillvalue="")]
        if expected is None:
            check(self.driver.call(step["call"], args), step.get("result"))
        else:
            with pytest.raises(Failed) as caught:
                self.driver.call(step["call"], args)
            error = caught.value
            assert error.kind == expected["kind"], error
            assert expected.get("path", "") in f"{error.path} {error.message}"
            assert expected.get("contains", "") in error.message
            if "chain" in expected:
                assert [(text, name) for text, name, _ in error.chain] == [(one["text"], one.get("name", "")) for one in expected["chain"]]
                for (*_, fields), one in zip(error.chain, expected["chain"], strict=True):
                    check(fields, one.get("fields"))
        if "alive" in step:
            assert self.driver.alive() is step["alive"]


@pytest.fixture(scope="module")
def runners(build: Callable[..., Path], conformance: Path) -> Iterator[Callable[[str], Runner]]:
    made: dict[str, Runner] = {}

    def of(file: str) -> Runner:
        if file not in made:
            made[file] = Runner(Driver([build("driver"), conformance]))
        return made[file]

    yield of
    assert [runner.driver.close() for runner in made.values()] == [0] * len(made)


@pytest.mark.parametrize(("file", "case"), list(cases()))
def test_case(file: str, case: dict[str, Any], runners: Callable[[str], Runner]) -> None:
    runners(file).run(case)


def test_each_export_has_a_case(runners: Callable[[str], Runner]) -> None:
    called = {step["call"] for param in cases() for step in param.values[1].get("steps", [param.values[1]])}
    exports = set(runners("exports").driver.ask("exports"))
    assert len(exports) > 50
    assert exports <= called


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_list_leaves_no_trace_in_memory(path: Path, build: Callable[..., Path], conformance: Path) -> None:
    need("valgrind")
    driver = Driver([*VALGRIND, build("driver"), conformance], QUICK)
    runner = Runner(driver)
    for case in json.loads(path.read_text(encoding="utf-8"))["cases"]:
        # What takes its time, or much memory, takes too much of it here.
        if not lacks(case) and "limits" not in case and "$repeat" not in json.dumps(case):
            runner.run(case)
    assert driver.close() == 0
