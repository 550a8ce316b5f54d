"""What the tests share: compilers and how they are called, and the guests."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = Path(__file__).resolve().parent / "programs"
BUILD = Path(os.environ.get("UNDERGO_BUILD") or ROOT / "build")
LIBRARY = BUILD / "c"
CLI = Path(os.environ.get("UNDERGO") or BUILD / "bin" / "undergo")
STRICT = ["-Wall", "-Wextra", "-Werror", "-std=c11", "-pedantic", "-g"]


def guest(name: str, variable: str) -> Path:
    """Give a guest of the tests; `make guest` builds it."""
    path = Path(os.environ.get(variable) or BUILD / f"{name}.wasm")
    assert path.exists(), f"{path} is not there: 'make guest' builds it, or set {variable}"
    return path


def need(*tools: str) -> None:
    """Skip the test where a tool is missing."""
    for tool in tools:
        if shutil.which(tool) is None:
            pytest.skip(f"there is no {tool}: apt install {tool}")


def compile_c(source: Path, output: Path, *flags: str | Path, compiler: str = "cc") -> Path:
    """Compile a program of C against the library that was built."""
    need(compiler)
    assert (LIBRARY / "lib").is_dir(), f"{LIBRARY} is not there: 'make c' builds it"
    command = [compiler, *STRICT, *map(str, flags), f"-I{LIBRARY / 'include'}", str(source), f"-L{LIBRARY / 'lib'}", "-lundergo"]
    done = subprocess.run([*command, f"-Wl,-rpath,{LIBRARY / 'lib'}", "-o", str(output)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return output


def run(command: list[str | Path], **options: object) -> str:
    """Run a program, which must succeed, and give what it printed."""
    done = subprocess.run([*map(str, command)], capture_output=True, encoding="utf-8", timeout=600, **options)  # type: ignore[call-overload]
    assert done.returncode == 0, f"exit code {done.returncode}\n{done.stdout}{done.stderr}"
    return str(done.stdout)


VALGRIND = [
    *("valgrind", "-q", "--error-exitcode=9", f"--suppressions={PROGRAMS.parent / 'valgrind.supp'}"),
    *("--leak-check=full", "--show-leak-kinds=definite", "--errors-for-leak-kinds=definite"),
]
"""What is lost at the end counts.

What the library keeps for the process (its threads, its engine) is still reachable, or possibly so.
"""

QUICK = {**os.environ, "UNDERGO_TEST_FAST": "1"}
"""For what runs under valgrind: there the better compiler would take minutes."""


SANITIZE = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"]
"""How a program is compiled for the sanitizers."""

SANITIZED = {**os.environ, "ASAN_OPTIONS": "handle_segv=0:handle_sigill=0:handle_sigfpe=0:handle_sigbus=0:detect_leaks=1"}
"""In which environment it runs: faults of guest code are Wasmtime's to handle, and its signal handler comes first."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have one process of `--dist=loadgroup` run the tests that share a program, so that it is compiled once."""
    for item in items:
        given = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
        program = given.get("program") or given.get("name") or given.get("way", [""])[0]
        item.add_marker(pytest.mark.xdist_group(f"{item.path.stem} {program}"))


@pytest.fixture(scope="session")
def conformance() -> Path:
    return guest("conformance", "UNDERGO_CONFORMANCE_WASM")


@pytest.fixture(scope="session")
def conformance_component() -> Path:
    return guest("conformance-component", "UNDERGO_CONFORMANCE_COMPONENT_WASM")


@pytest.fixture(scope="session")
def services() -> Path:
    return guest("services", "UNDERGO_SERVICES_WASM")


@pytest.fixture(scope="session")
def items() -> Path:
    return ROOT / "conformance" / "components" / "items.wasm"


@pytest.fixture(scope="session")
def hostile() -> Path:
    return guest("hostile", "UNDERGO_HOSTILE_WASM")


@pytest.fixture(scope="session")
def headers(conformance: Path, items: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Generate the headers of the conformance guest, and of a component, in a folder."""
    folder = tmp_path_factory.mktemp("headers")
    run([CLI, "bindgen", conformance, "--lang", "c", "-o", folder / "guest.h"])
    run([CLI, "bindgen", items, "--lang", "c", "-o", folder / "items.h"])
    return folder


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory, headers: Path) -> Callable[..., Path]:
    """Compile a program of the folder `programs`, once for each way."""
    made: dict[tuple[str, ...], Path] = {}

    def compile_once(name: str, *flags: str, compiler: str = "cc") -> Path:
        key = (name, compiler, *flags)
        if key not in made:
            output = tmp_path_factory.mktemp("programs") / name
            made[key] = compile_c(PROGRAMS / f"{name}.c", output, f"-I{headers}", *flags, compiler=compiler)
        return made[key]

    return compile_once
