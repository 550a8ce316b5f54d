"""The typed modules of `undergo bindgen`: type checkers accept them, and they run."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest
from conftest import ROOT, Host, conformance_path

CLI = os.environ.get("UNDERGO", str(ROOT / "build" / "bin" / "undergo"))


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("typed") / "conformance.py"
    subprocess.run([CLI, "bindgen", str(conformance_path()), "--lang", "python", "-o", str(path)], check=True)
    return path


def load(path: Path) -> ModuleType:
    spec = spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def mypy(path: Path, *sources: Path) -> str:
    command = [sys.executable, "-m", "mypy", "--strict", "--python-version", "3.10", *map(str, (path, *sources))]
    return subprocess.run(command, capture_output=True, text=True, cwd=path.parent, check=False).stdout


def test_mypy_accepts_the_module(generated: Path) -> None:
    assert "Success: no issues found" in mypy(generated)


def test_mypy_knows_its_functions(generated: Path) -> None:
    user = generated.parent / "user.py"
    user.write_text(
        """
import conformance
import undergo

def use(guest: conformance.Guest, point: conformance.Point) -> None:
    reveal_type(guest.echo_point(point))
    reveal_type(guest.divmod(1, b=2))
    guest.echo_int8("x")
    guest.nothing()
    guest.nope()

def use_pool(pool: conformance.GuestPool, point: conformance.Point) -> None:
    with pool as same:
        reveal_type(same.using(timeout=1.0, cancel=undergo.CancelToken()).echo_point(point).x)
    reveal_type(pool.pool.stats.busy)
    pool.instance
"""
    )
    said = mypy(user)
    assert 'Revealed type is "conformance.Point"' in said
    assert 'Revealed type is "tuple[int, int]"' in said
    assert 'Argument 1 to "echo_int8" of "GuestExports" has incompatible type "str"; expected "int"' in said
    assert '"Guest" has no attribute "nope"' in said
    assert 'Revealed type is "float"' in said
    assert 'Revealed type is "int"' in said
    assert '"GuestPool" has no attribute "instance"' in said
    assert "Found 3 errors" in said


def test_the_module_runs(generated: Path) -> None:
    typed = load(generated)
    host = Host()
    guest = typed.Guest.load(conformance_path(), imports={"host": host})
    host.instance = guest.instance
    point = typed.Point(x=1.0, y=2.0, tag=3)
    assert guest.echo_point(point) == point
    assert type(guest.echo_point(point)) is typed.Point
    assert guest.echo_color(typed.Color.GREEN) is typed.Color.GREEN
    assert guest.using(timeout=5).divmod(7, 2) == (3, 1)
    assert guest.reenter(3) == 3


def test_a_pool_is_typed_too(generated: Path) -> None:
    typed = load(generated)
    with typed.GuestPool.load(conformance_path(), 2, imports={"host": Host()}, warm=1) as pool:
        point = typed.Point(x=1.0, y=2.0, tag=3)
        assert type(pool.using(timeout=5).echo_point(point)) is typed.Point
        assert pool.divmod(7, 2) == (3, 1)
        assert pool.pool.stats.calls == 2
    assert pool.pool.closed


def test_the_stub_says_what_there_is() -> None:
    allowed = ROOT / "bindings-python" / "tests" / "stubtest.allow"
    command = [sys.executable, "-m", "mypy.stubtest", "undergo", "--allowlist", str(allowed)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
