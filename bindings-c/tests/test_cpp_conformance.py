"""The conformance list and the misdeeds, run from C++: see conformance/README.md."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import test_conformance
import test_cpp
import test_hostile
from driver import Driver
from test_cpp import Build

build = test_cpp.build


@pytest.fixture(scope="module")
def runners(build: Build, conformance: Path) -> Iterator[Callable[[str], test_conformance.Runner]]:
    made: dict[str, test_conformance.Runner] = {}

    def of(file: str) -> test_conformance.Runner:
        if file not in made:
            made[file] = test_conformance.Runner(Driver([build("driver"), conformance]))
        return made[file]

    yield of
    assert [runner.driver.close() for runner in made.values()] == [0] * len(made)


@pytest.mark.parametrize(("file", "case"), list(test_conformance.cases()))
def test_case(file: str, case: dict[str, Any], runners: Callable[[str], test_conformance.Runner]) -> None:
    runners(file).run(case)


@pytest.fixture(scope="module")
def driver(build: Build, hostile: Path) -> Iterator[Driver]:
    made = Driver([build("driver"), hostile])
    made.start(test_hostile.MEMORY, test_hostile.ENOUGH)
    made.ask("keep")
    yield made
    assert made.close() == 0


# The same list, with the driver of this file.
test_a_misdeed_in_a_call = test_hostile.test_a_misdeed_in_a_call
test_a_misdeed_in_init = test_hostile.test_a_misdeed_in_init
