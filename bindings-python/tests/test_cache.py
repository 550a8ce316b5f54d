"""Compilers, the cache of compiled code, compiled plugins, and the limits that depend on the engine."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import undergo
from conftest import conformance_path


def kept(folder: Path) -> int:
    return len(list(folder.glob("*.code")))


def test_tiers_and_the_cache(start: Callable[..., Any], tmp_path: Path) -> None:
    folder = tmp_path / "code"
    plugin = undergo.Plugin(conformance_path(), cache=folder)
    assert plugin.tier in ("fast", "best")
    plugin.wait_compiled()
    assert plugin.tier == "best"
    assert kept(folder) == 2
    assert undergo.Plugin(conformance_path(), compile="fast", cache=str(folder)).tier == "fast"
    assert undergo.Plugin(conformance_path(), compile="best", cache=folder).tier == "best"
    assert kept(folder) == 2


def test_wrong_options_are_told() -> None:
    with pytest.raises(ValueError, match="'tiered', 'fast' or 'best'"):
        undergo.Plugin(conformance_path(), compile="quick")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="cache must be a path"):
        undergo.Plugin(conformance_path(), cache=3)  # type: ignore[arg-type]


def test_a_cache_that_cannot_be_warns(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.warns(RuntimeWarning, match="not cached"):
        undergo.Plugin(conformance_path(), compile="fast", cache=tmp_path / "file")


def in_process(code: str, **variables: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", code, conformance_path()], env={**os.environ, **variables}, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr


def test_the_environment_names_the_folder_and_its_size(tmp_path: Path) -> None:
    code = "import sys, undergo; undergo.Plugin(sys.argv[1], compile='fast')"
    in_process(code, UNDERGO_CACHE_DIR=str(tmp_path))
    assert kept(tmp_path / "code") == 1
    in_process(code, UNDERGO_CACHE_DIR=str(tmp_path / "small"), UNDERGO_CACHE_SIZE="64KiB")
    assert kept(tmp_path / "small" / "code") == 0
    home = tmp_path / "home"
    home.mkdir()
    in_process(code, UNDERGO_CACHE_DIR="", HOME=str(home), XDG_CACHE_HOME=str(home / "cache"))
    assert list(home.iterdir()) == []


def test_background_work_does_not_hold_the_exit() -> None:
    in_process("import sys, undergo; undergo.Plugin(sys.argv[1], cache=False)")


def test_a_compiled_plugin(tmp_path: Path) -> None:
    path = tmp_path / "plugin.undergo"
    path.write_bytes(b"no such thing")
    with pytest.raises(ValueError, match="trusted=True"):
        undergo.Plugin.load_compiled(path, trusted=False)
    with pytest.raises(undergo.InvalidPluginError, match="undergo compile"):
        undergo.Plugin.load_compiled(path, trusted=True)


def test_fuel(start: Callable[..., Any]) -> None:
    guest = start(limits=undergo.Limits(fuel=200_000_000))
    assert guest.recurse(1000) == 1000
    assert 0 < guest.usage.fuel < 200_000_000
    with pytest.raises(undergo.OutOfFuelError, match="200000000"):
        guest.spin()
    assert not guest.alive
    for wrong in (0, -1, True, 1.5, "much"):
        with pytest.raises(ValueError, match=r"Limits\.fuel"):
            undergo.Limits(fuel=wrong)  # type: ignore[arg-type]


def test_stack(start: Callable[..., Any]) -> None:
    assert start().recurse(100_000) == 100_000
    with pytest.raises(undergo.TrapError, match="limit of the stack can be raised"):
        start().recurse(1_000_000)
    assert start(limits=undergo.Limits(stack="64MiB")).recurse(1_000_000) == 1_000_000
    for wrong in (0, 65_535, "1GiB"):
        with pytest.raises(ValueError, match=r"Limits\.stack.*64 KiB.*512 MiB"):
            undergo.Limits(stack=wrong)
