"""The programs of the folder `programs`: with two compilers, under valgrind, and with AddressSanitizer."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import QUICK, SANITIZE, SANITIZED, VALGRIND, need, run

PROGRAMS = ["typed", "lifecycle", "values", "handles"]


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program(program: str, compiler: str, build: Callable[..., Path], conformance: Path) -> None:
    assert run([build(program, compiler=compiler), conformance]) == "ok\n"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="there is no ucontext")
def test_coroutines_are_kept_apart(build: Callable[..., Path], conformance: Path) -> None:
    assert run([build("coroutines"), conformance]) == "ok\n"


def test_services(build: Callable[..., Path], services: Path) -> None:
    assert run([build("services"), services]) == "ok\n"


def test_components(build: Callable[..., Path], items: Path) -> None:
    assert run([build("components", *SANITIZE), items], env=SANITIZED) == "ok\n"


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_is_clean_under_valgrind(program: str, build: Callable[..., Path], conformance: Path) -> None:
    need("valgrind")
    assert run([*VALGRIND, build(program), conformance], env=QUICK) == "ok\n"


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_is_clean_with_address_sanitizer(program: str, compiler: str, build: Callable[..., Path], conformance: Path) -> None:
    assert run([build(program, *SANITIZE, compiler=compiler), conformance], env=SANITIZED) == "ok\n"
