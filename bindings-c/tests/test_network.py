"""What of the network a sandbox gives, from C and C++."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import test_cpp
from conftest import SANITIZE, SANITIZED, compile_c, guest, run

Build = Callable[..., Path]
build = test_cpp.build

SOURCE = Path(__file__).parent / "programs" / "network.c"


@pytest.fixture(scope="session")
def command() -> Path:
    return guest("command", "UNDERGO_COMMAND_WASM")


def test_c_gives_a_network(command: Path, hostile: Path, tmp_path: Path) -> None:
    made = compile_c(SOURCE, tmp_path / "network", "-pthread")
    assert run([made, command, hostile]) == "ok\n"
    made = compile_c(SOURCE, tmp_path / "sanitized", "-pthread", *SANITIZE)
    assert run([made, command, hostile], env=SANITIZED) == "ok\n"


@pytest.mark.parametrize("way", [("g++", "-std=c++17"), ("clang++", "-std=c++20")], ids=str)
def test_cpp_gives_a_network(way: tuple[str, str], build: Build, command: Path, hostile: Path) -> None:
    assert "checks" in run([build("network", *way), command, hostile])
