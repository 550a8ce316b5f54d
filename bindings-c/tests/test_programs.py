"""The programs of the folder `programs`: with two compilers, under valgrind, and with AddressSanitizer."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import QUICK, VALGRIND, need, run

PROGRAMS = ["typed", "lifecycle", "values"]
SANITIZE = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"]


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program(program: str, compiler: str, build: Callable[..., Path], conformance: Path) -> None:
    assert run([build(program, compiler=compiler), conformance]) == "ok\n"


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_is_clean_under_valgrind(program: str, build: Callable[..., Path], conformance: Path) -> None:
    need("valgrind")
    assert run([*VALGRIND, build(program), conformance], env=QUICK) == "ok\n"


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_is_clean_with_address_sanitizer(program: str, compiler: str, build: Callable[..., Path], conformance: Path) -> None:
    # Faults of guest code are Wasmtime's to handle, and its signal handler comes first.
    options = {"ASAN_OPTIONS": "handle_segv=0:handle_sigill=0:handle_sigfpe=0:handle_sigbus=0:detect_leaks=1"}
    assert run([build(program, *SANITIZE, compiler=compiler), conformance], env={**os.environ, **options}) == "ok\n"
