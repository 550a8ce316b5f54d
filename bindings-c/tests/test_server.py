"""Servers of HTTP, from C and C++."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import test_cpp
from conftest import ROOT, SANITIZE, SANITIZED, compile_c, run

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the programs' sockets are POSIX's")

Build = Callable[..., Path]
build = test_cpp.build

SOURCE = Path(__file__).parent / "programs" / "server.c"
SERVERS = [ROOT / "conformance" / "http" / f"{name}.wasm" for name in ("server", "asking")]


def test_c_serves(conformance: Path, tmp_path: Path) -> None:
    made = compile_c(SOURCE, tmp_path / "server", "-pthread")
    assert run([made, *SERVERS, conformance, "open"]) == "ok\n"
    # What a server has that is open at the end is lost for the sanitizer.
    made = compile_c(SOURCE, tmp_path / "sanitized", "-pthread", *SANITIZE)
    assert run([made, *SERVERS, conformance], env=SANITIZED) == "ok\n"


@pytest.mark.parametrize("way", [("g++", "-std=c++17"), ("clang++", "-std=c++20"), ("g++", "-std=c++17", *SANITIZE)], ids=" ".join)
def test_cpp_serves(way: tuple[str, ...], build: Build) -> None:
    assert "checks" in run([build("server", *way), *SERVERS], env=SANITIZED)
