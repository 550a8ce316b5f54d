"""The typed modules of `undergo bindgen`: type checkers accept them, and they run."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest
import undergo
from conftest import ROOT, Host, conformance_path
from test_error_fields import build as build_errors
from test_variants import build as build_variants

CLI = os.environ.get("UNDERGO", str(ROOT / "build" / "bin" / "undergo"))


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("typed") / "conformance.py"
    subprocess.run([CLI, "bindgen", str(conformance_path()), "--lang", "python", "-o", str(path)], check=True)
    return path


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Callable[[bytes], Path]:
    """Write the module of a plugin."""

    def write(plugin: bytes) -> Path:
        folder = tmp_path_factory.mktemp("written")
        (folder / "made.wasm").write_bytes(plugin)
        subprocess.run([CLI, "bindgen", "made.wasm", "--lang", "python", "-o", "made.py"], cwd=folder, check=True)
        return folder / "made.py"

    return write


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


def test_a_variant_is_a_union(written: Callable[[bytes], Path]) -> None:
    path = written(build_variants())
    user = path.with_name("user.py")
    user.write_text(
        """
from typing_extensions import assert_never

import made

def told(shape: made.Shape) -> str:
    match shape:
        case made.Circle(radius=radius):
            return f"circle of {radius + 1}"
        case made.Label(text):
            return "label " + text
        case made.ShapeColor(value=color):
            return color.value
        case made.Empty():
            return "nothing"
        case _:
            assert_never(shape)

def short(shape: made.Shape) -> str:
    match shape:
        case made.Circle():
            return "circle"
        case made.Label(value=text) if isinstance(shape, made.Shape):
            reveal_type(text)
            return text
    assert_never(shape)

def use(guest: made.T, word: made.Word) -> None:
    reveal_type(guest.echo(made.Label("x")))
    guest.echo(word)
    guest.echo(made.Label(5))
"""
    )
    said = mypy(user, path)
    assert 'Revealed type is "str"' in said
    assert 'Argument 1 to "assert_never" has incompatible type' in said
    assert "user.py:18" not in said
    assert 'Argument 1 to "Label" has incompatible type "int"; expected "str"' in said
    assert 'Argument 1 to "echo" of "TExports" has incompatible type' in said
    assert "Found 3 errors" in said
    typed = load(path)
    guest = typed.T(undergo.Plugin(path.with_name("made.wasm"), types=typed.TYPES).instantiate())
    for value in (typed.Circle(radius=1.5), typed.Label("x"), typed.Empty(), typed.ShapeColor(typed.Color.RED)):
        assert guest.echo(value) == value
        assert type(guest.echo(value)) is type(value)
        assert isinstance(value, typed.Shape)
    words = (typed.Label("x"), typed.None_(), typed.Class(3), typed.Empty(), typed.Tag())
    assert [guest.words(word) for word in words] == [0, 1, 2, 3, 4]


def test_errors_are_exceptions_with_typed_fields(written: Callable[[bytes], Path]) -> None:
    path = written(build_errors())
    user = path.with_name("user.py")
    user.write_text(
        """
import made
import undergo

class Host:
    def lookup(self, key: str, /) -> str:
        raise made.NotFound("in words", key=key, code=404)

    def tell(self, key: str, /) -> str:
        raise made.NotFound(key=key, code="404")

def use(guest: made.T) -> None:
    made.T.load("x.wasm", imports={"host": Host()})
    try:
        guest.find("x")
    except made.NotFound as error:
        reveal_type(error.code)
        reveal_type(error.path_)
        reveal_type(error.path)
        match error:
            case made.NotFound(key, code):
                reveal_type(code)
    except undergo.GuestError as error:
        reveal_type(error.message)
    reveal_type(guest.give())
    made.NotFound("x")
"""
    )
    said = mypy(user, path)
    assert said.count('Revealed type is "int"') == 2
    assert 'Revealed type is "str | None"' in said or "Union[builtins.str, None]" in said
    assert said.count('Revealed type is "str"') == 2
    assert 'Revealed type is "made.NotFound"' in said
    assert 'Argument "code" to "NotFound" has incompatible type "str"; expected "int"' in said
    assert 'Missing named argument "key" for "NotFound"' in said
    assert "Found 3 errors" in said
    typed = load(path)

    class Host:
        def lookup(self, key: str) -> str:
            raise ValueError("outer") from typed.NotFound("in words", key=key, code=404)

        tell = str

    guest = typed.T.load(path.with_name("made.wasm"), imports={"host": Host()})
    with pytest.raises(undergo.GuestError, match="outer") as caught:
        guest.find("x")
    found = caught.value.__cause__
    assert found == typed.NotFound(key="x", code=404)
    assert (type(found), str(found), repr(found)) == (
        *(typed.NotFound, "in words"),
        "NotFound('in words', key='x', code=404, path_=None)",
    )
    again = pickle.loads(pickle.dumps(found))
    assert (again, str(again)) == (found, "in words")
    with pytest.raises(typed.NotFound, match="not found: x"):
        guest.instance.fail(1)


def test_the_stub_says_what_there_is() -> None:
    allowed = ROOT / "bindings-python" / "tests" / "stubtest.allow"
    command = [sys.executable, "-m", "mypy.stubtest", "undergo", "--allowlist", str(allowed)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
