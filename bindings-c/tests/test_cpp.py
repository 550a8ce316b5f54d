"""undergo.hpp and generated headers of C++, with each compiler, by each standard, under the sanitizers and valgrind."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import CLI, LIBRARY, QUICK, SANITIZE, VALGRIND, need, run
from test_install import pkg_config, prefix  # noqa: F401

SOURCES = Path(__file__).resolve().parent / "cpp"
STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-Wshadow", "-Wconversion", "-g", "-pthread"]
PROGRAMS = ["values", "typed", "errors", "lifecycle", "handles", "without_exceptions"]
SANITIZED_WAYS = [*((name, "clang++", "-std=c++20") for name in PROGRAMS), ("errors", "g++", "-std=c++17")]
"""With Clang, which compiles for the sanitizers in half of the time that GCC takes; the runtime of GCC sees one program too."""

Build = Callable[..., Path]


def need_compiler(compiler: str, flags: tuple[str, ...] = ()) -> None:
    """Skip the test without a compiler, or without what it takes for the sanitizers."""
    if shutil.which(compiler) is None:
        pytest.skip(f"there is no {compiler}: apt install {compiler.replace('clang++', 'clang')}")
    if flags:
        linked = subprocess.run(
            [compiler, *flags, "-x", "c++", "-", "-o", os.devnull], input="int main() {}", capture_output=True, text=True
        )
        if linked.returncode != 0:
            pytest.skip(f"{compiler} has no runtime for sanitizers: apt install libclang-rt-14-dev")


@pytest.fixture(scope="session")
def build(conformance: Path, items: Path, tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Compile a program of the folder cpp, once for each way."""
    headers = tmp_path_factory.mktemp("headers")
    run([CLI, "bindgen", conformance, "--lang", "cpp", "-o", headers / "guest.hpp"])
    run([CLI, "bindgen", items, "--lang", "cpp", "-o", headers / "items.hpp"])
    made: dict[tuple[str, ...], Path] = {}

    def compile_once(name: str, compiler: str = "g++", standard: str = "-std=c++17", *flags: str) -> Path:
        need_compiler(compiler, flags)
        key = (name, compiler, standard, *flags)
        if key not in made:
            output = tmp_path_factory.mktemp("programs") / name
            own = ["-fno-exceptions"] if name == "without_exceptions" else []
            found = [f"-I{LIBRARY / 'include'}", f"-I{headers}", f"-L{LIBRARY / 'lib'}", f"-Wl,-rpath,{LIBRARY / 'lib'}"]
            command = [compiler, standard, *STRICT, *own, *flags, *found, str(SOURCES / f"{name}.cpp"), "-lundergo", "-o", str(output)]
            done = subprocess.run(command, capture_output=True, encoding="utf-8")
            assert done.returncode == 0, done.stderr
            made[key] = output
        return made[key]

    return compile_once


def arguments(name: str, conformance: Path, hostile: Path, folder: Path) -> list[str | Path]:
    """Give what a program wants."""
    return [] if name == "values" else [conformance, hostile, *([folder] if name == "lifecycle" else [])]


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_runs(name: str, build: Build, conformance: Path, hostile: Path, tmp_path: Path) -> None:
    assert int(run([build(name), *arguments(name, conformance, hostile, tmp_path)]).split()[0]) > 10


@pytest.mark.parametrize("way", SANITIZED_WAYS, ids=" ".join)
def test_the_sanitizers_find_nothing(way: tuple[str, str, str], build: Build, conformance: Path, hostile: Path, tmp_path: Path) -> None:
    program = build(*way, *SANITIZE)
    assert "checks" in run([program, *arguments(way[0], conformance, hostile, tmp_path)])


@pytest.mark.parametrize("compiler", ["g++", "clang++"])
def test_components(compiler: str, build: Build, items: Path) -> None:
    assert "checks" in run([build("components", compiler, "-std=c++17", *SANITIZE), items])


def test_the_sanitizers_would_find_it(build: Build, tmp_path: Path) -> None:
    """Guards the test above: a leak, or a use of what is freed, fails the program."""
    need_compiler("g++")
    for code in ("new int(7);", "int *p = new int(7); delete p; return *p;"):
        source = tmp_path / "wrong.cpp"
        source.write_text(f"#include <undergo.hpp>\nint main() {{ {code} }}\n", encoding="utf-8")
        program = tmp_path / "wrong"
        found = [f"-I{LIBRARY / 'include'}", f"-L{LIBRARY / 'lib'}", f"-Wl,-rpath,{LIBRARY / 'lib'}", "-lundergo"]
        run(["g++", "-std=c++17", "-w", *SANITIZE, source, *found, "-o", program])
        assert subprocess.run([program], capture_output=True).returncode != 0


@pytest.mark.parametrize("name", ["values", "typed"])
def test_valgrind_finds_nothing(name: str, build: Build, conformance: Path, hostile: Path, tmp_path: Path) -> None:
    need("valgrind")
    given = [*arguments(name, conformance, hostile, tmp_path), *(["short"] if name == "typed" else [])]
    # Compiled code is in the cache after this: even the quick compiler takes its time under
    # valgrind.
    run([build(name), *given], env=QUICK)
    assert "checks" in run([*VALGRIND, build(name), *given], env=QUICK)


def test_pkg_config(prefix: Path, tmp_path: Path) -> None:  # noqa: F811
    need("pkg-config", "g++")
    program = tmp_path / "program"
    flags = pkg_config(prefix, "--cflags", "--libs")
    run(["g++", "-std=c++17", SOURCES / "values.cpp", "-o", program, *flags, f"-Wl,-rpath,{prefix / 'lib'}"])
    assert "checks" in run([program])


CMAKE = """\
cmake_minimum_required(VERSION 3.16)
project(consumer CXX)
set(CMAKE_CXX_STANDARD 17)
find_package(undergo 0.1 REQUIRED CONFIG)
foreach(kind undergo undergo-static)
  add_executable(program-${kind} values.cpp)
  target_link_libraries(program-${kind} PRIVATE undergo::${kind})
endforeach()
"""


def test_cmake(prefix: Path, tmp_path: Path) -> None:  # noqa: F811
    need("cmake", "make", "g++")
    for file in ("values.cpp", "check.hpp"):
        (tmp_path / file).write_text((SOURCES / file).read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "CMakeLists.txt").write_text(CMAKE)
    run(["cmake", "-S", tmp_path, "-B", tmp_path / "build", f"-DCMAKE_PREFIX_PATH={prefix}"])
    run(["cmake", "--build", tmp_path / "build"])
    for kind in ("undergo", "undergo-static"):
        assert "checks" in run([tmp_path / "build" / f"program-{kind}"])
