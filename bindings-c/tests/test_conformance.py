"""The conformance list, run from C: see conformance/README.md."""

from __future__ import annotations

import contextlib
import itertools
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import QUICK, ROOT, VALGRIND, need
from driver import Driver, Failed, Handle, check, hexed, value, words

CAPABILITIES = {"dynamic", "strict-records", "nanoseconds", "handles", "passing-on"}
MODULE, COMPONENT = {"module"}, {"component"}
"""What the guest has beside what C has, as it is loaded."""
FILES = sorted((ROOT / "conformance" / "cases").glob("*.json"))


def lacks(case: dict[str, Any], guest: set[str]) -> set[str]:
    """Give what a case needs and C or the guest has not: C's strings are UTF-8, its integers have 64 bits."""
    needs: set[str] = set(case.get("needs", [])).union(*(step.get("needs", []) for step in case.get("steps", [])))
    large = {int(digits) for digits in re.findall(r'"\$int": "(-?\d+)"', json.dumps(case))}
    return (needs - CAPABILITIES - guest) | {"integers of more than 64 bits" for one in large if not -(1 << 63) <= one < 1 << 64}


def cases(guest: set[str] = MODULE) -> Iterator[Any]:
    """Give each case with its file: the cases of a file share an instance, so they run in order."""
    for path in FILES:
        file = json.loads(path.read_text(encoding="utf-8"))
        for case in file["cases"]:
            case["needs"] = [*file.get("needs", []), *case.get("needs", [])]
            missing = lacks(case, guest)
            reason = f"C, or the guest as it is loaded, lacks {', '.join(sorted(missing))}"
            marks = [pytest.mark.skip(reason=reason)] if missing else []
            yield pytest.param(path.stem, case, id=f"{path.stem}: {case['name']}", marks=marks)


END = object()
"""What the next item is when there is none."""


def with_pairs(value: Any) -> Any:
    """Give arguments for a component, whose maps are lists of pairs."""
    if isinstance(value, dict):
        return with_pairs(value["$map"]) if "$map" in value else {key: with_pairs(inner) for key, inner in value.items()}
    return [with_pairs(inner) for inner in value] if isinstance(value, list) else value


class Runner:
    """Holds the instance that the cases of a file share."""

    def __init__(self, driver: Driver, *, is_component: bool = False) -> None:
        self.driver = driver
        self.is_component = is_component
        self.begun = self.special = False
        self.options: dict[str, Any] = {}
        self.has_other = False
        # What the case has kept, by name; and all of it, each with the instance that it belongs to.
        self.names: dict[str, Handle] = {}
        self.kept: list[tuple[Handle, int]] = []
        self.selected = 0

    def run(self, case: dict[str, Any]) -> None:
        """Run a case."""
        steps = case.get("steps", [case])
        own = {key: case[key] for key in ("limits", "env") if key in case}
        if "steps" in case and "args" in case:
            own["args"] = case["args"]
        if not self.begun or case.get("fresh") or own or self.special or not self.driver.alive():
            limits = own.get("limits", {})
            memory, timeout = limits.get("memory_mib", 0) << 20, limits.get("timeout_ms", 0) * 1_000_000
            self.options = {"args": own.get("args"), "env": own.get("env"), "handles": limits.get("handles", 0)}
            self.options |= {"memory": memory, "timeout": timeout}
            self.driver.start(**self.options)
            self.begun = True
        self.special = bool(own)
        self.has_other = False
        for step in steps:
            self.step(step)
        for handle, instance in self.kept:
            self.select(instance)
            with contextlib.suppress(Failed):
                self.driver.ask("close", handle)
            self.driver.ask("free", handle)
        self.select(0)
        self.kept.clear()
        self.names.clear()

    def select(self, instance: int) -> None:
        """Have the driver use this instance."""
        if instance != self.selected:
            self.driver.ask("select", instance)
            self.selected = instance

    def step(self, step: dict[str, Any]) -> None:
        """Do it in its instance, and compare."""
        if "in" in step:
            self.select(1)
            if not self.has_other:
                self.driver.start(**self.options)
                self.has_other = True
        try:
            self.compare(step)
        finally:
            self.select(0)

    def take(self, key: str, handle: Handle, inner: Any) -> None:
        """Keep a handle, or take all that it gives."""
        self.kept.append((handle, self.selected))
        if key == "$keep":
            self.names[inner] = handle
        elif key == "$reader":
            check(self.driver.value("read", handle, 1 << 24), inner)
        else:
            found = []
            while (answer := self.driver.ask("next", handle)) != ["end"]:
                found.append(value(iter(answer[1:])))
            check(found, inner, self.take)

    def named(self, given: Any) -> Any:
        """Give arguments with the numbers of the handles that are meant."""
        if isinstance(given, list):
            return [self.named(one) for one in given]
        if isinstance(given, dict):
            if "$handle" in given:
                return {"$handle": self.names[given["$handle"]]}
            return {key: self.named(inner) for key, inner in given.items()}
        return given

    def does(self, step: dict[str, Any]) -> Any:
        """Do what a step says; give its result."""
        if "close" in step:
            return self.driver.value("close", self.names[step["close"]])
        if "next" in step:
            answer = self.driver.ask("next", self.names[step["next"]])
            return END if answer == ["end"] else value(iter(answer[1:]))
        if "read" in step:
            return self.driver.value("read", self.names[step["read"]], step["most"])
        if "write" in step:
            return self.driver.value("write", self.names[step["write"]], *words(step["data"]))
        if "written" in step:
            return self.driver.value("written", hexed(step["written"]))
        if "reset" in step:
            return self.driver.value("reset")
        given = self.named(step.get("args", []))
        if self.is_component:
            given = with_pairs(given)
        if "new" in step or "on" in step:
            of = ["construct"] if "new" in step else ["method", self.names[step["on"]]]
            args = [words(one) for one in given]
            return self.driver.value(*of, hexed(step.get("new") or step["call"]), 0, len(args), *(word for arg in args for word in arg))
        types = self.driver.parameters(step["call"])
        args = [words(one, wanted) for one, wanted in itertools.zip_longest(given, types[: len(given)], fillvalue="")]
        return self.driver.call(step["call"], args)

    def compare(self, step: dict[str, Any]) -> None:
        """Do what a step says, and compare."""
        expected = step.get("error")
        if expected is None:
            found = self.does(step)
            if "end" in step:
                assert found is END
            elif "result" in step:
                check(found, step["result"], self.take)
        else:
            with pytest.raises(Failed) as caught:
                self.does(step)
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


@contextlib.contextmanager
def running(program: Path, guest: Path, *, is_component: bool) -> Iterator[Callable[[str], Runner]]:
    """Give the runner of each file, whose driver leaves no trace."""
    made: dict[str, Runner] = {}

    def of(file: str) -> Runner:
        if file not in made:
            made[file] = Runner(Driver([program, guest]), is_component=is_component)
        return made[file]

    yield of
    assert [runner.driver.close() for runner in made.values()] == [0] * len(made)


@pytest.fixture(scope="module")
def runners(build: Callable[..., Path], conformance: Path) -> Iterator[Callable[[str], Runner]]:
    with running(build("driver"), conformance, is_component=False) as of:
        yield of


@pytest.fixture(scope="module")
def component_runners(build: Callable[..., Path], conformance_component: Path) -> Iterator[Callable[[str], Runner]]:
    with running(build("driver"), conformance_component, is_component=True) as of:
        yield of


@pytest.mark.parametrize(("file", "case"), list(cases()))
def test_case(file: str, case: dict[str, Any], runners: Callable[[str], Runner]) -> None:
    runners(file).run(case)


@pytest.mark.parametrize(("file", "case"), list(cases(COMPONENT)))
def test_case_of_the_component(file: str, case: dict[str, Any], component_runners: Callable[[str], Runner]) -> None:
    component_runners(file).run(case)


def test_each_export_has_a_case(runners: Callable[[str], Runner]) -> None:
    steps = [step for param in cases() for step in param.values[1].get("steps", [param.values[1]])]
    called = {step["call"] for step in steps if "call" in step and "on" not in step}
    exports = set(runners("exports").driver.ask("exports"))
    assert len(exports) > 50
    assert exports <= called


def test_the_list_leaves_no_trace_in_memory(build: Callable[..., Path], conformance: Path) -> None:
    """In one process: under valgrind the library takes seconds to start."""
    need("valgrind")
    driver = Driver([*VALGRIND, build("driver"), conformance], QUICK)
    for path in FILES:
        runner = Runner(driver)
        for case in json.loads(path.read_text(encoding="utf-8"))["cases"]:
            # What takes its time, or much memory, takes too much of it here.
            if not lacks(case, MODULE) and "limits" not in case and "$repeat" not in json.dumps(case):
                runner.run(case)
    assert driver.close() == 0
