"""What `make install` leaves is all that a program needs: by pkg-config, and by CMake."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import LIBRARY, PROGRAMS, ROOT, need, run

PROGRAM = "values"


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install, as `make install PREFIX=...` does once the library is built."""
    assert LIBRARY.is_dir(), f"{LIBRARY} is not there: 'make c' builds it"
    sys.path.insert(0, str(ROOT / "tools"))
    import c_library

    folder = tmp_path_factory.mktemp("prefix")
    c_library.install(folder)
    return folder


def pkg_config(prefix: Path, *flags: str) -> list[str]:
    """Ask what a program is compiled with."""
    env = {**os.environ, "PKG_CONFIG_PATH": str(prefix / "lib" / "pkgconfig")}
    return run(["pkg-config", *flags, "undergo"], env=env).split()


@pytest.mark.parametrize("kind", ["shared", "static"])
def test_pkg_config(kind: str, prefix: Path, conformance: Path, tmp_path: Path) -> None:
    need("pkg-config", "cc")
    assert pkg_config(prefix, "--modversion") == ["0.1.0"]
    flags = pkg_config(prefix, "--cflags", "--libs", *(["--static"] if kind == "static" else []))
    if kind == "static":
        flags = [str(prefix / "lib" / "libundergo.a") if flag == "-lundergo" else flag for flag in flags]
    program = tmp_path / "program"
    run(["cc", "-std=c11", PROGRAMS / f"{PROGRAM}.c", "-o", program, *flags, f"-Wl,-rpath,{prefix / 'lib'}"])
    assert ("libundergo" in run(["ldd", program])) == (kind == "shared")
    assert run([program, conformance]) == "ok\n"


CMAKE = """\
cmake_minimum_required(VERSION 3.16)
project(consumer C)
set(CMAKE_C_STANDARD 11)
find_package(undergo {version} REQUIRED CONFIG)
foreach(kind undergo undergo-static)
  add_executable(program-${{kind}} program.c)
  target_link_libraries(program-${{kind}} PRIVATE undergo::${{kind}})
endforeach()
"""


def test_cmake(prefix: Path, conformance: Path, tmp_path: Path) -> None:
    need("cmake", "make", "cc")
    shutil.copy2(PROGRAMS / f"{PROGRAM}.c", tmp_path / "program.c")
    shutil.copy2(PROGRAMS / "check.h", tmp_path)
    (tmp_path / "CMakeLists.txt").write_text(CMAKE.format(version="0.1"))
    run(["cmake", "-S", tmp_path, "-B", tmp_path / "build", f"-DCMAKE_PREFIX_PATH={prefix}"])
    run(["cmake", "--build", tmp_path / "build"])
    for kind in ("undergo", "undergo-static"):
        assert run([tmp_path / "build" / f"program-{kind}", conformance]) == "ok\n"


def test_cmake_refuses_another_version(prefix: Path, tmp_path: Path) -> None:
    need("cmake", "make", "cc")
    (tmp_path / "program.c").write_text("int main(void) { return 0; }\n")
    (tmp_path / "CMakeLists.txt").write_text(CMAKE.format(version="0.2"))
    command = ["cmake", "-S", tmp_path, "-B", tmp_path / "build", f"-DCMAKE_PREFIX_PATH={prefix}"]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True)
    assert done.returncode != 0
    assert "0.1.0" in done.stderr
