"""The native libraries of the packages: stripped, and for publication linked so that they load on older systems."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

import environment
from project import BUILD, LINKER, PROFILE, ROOT, say

FLOOR = "2.28"
"""The glibc that is needed: RHEL 8, Debian 10, Ubuntu 20.04 and Amazon Linux 2023 have it, or a later one."""

_TOOLS = BUILD / "tools" / "zig"
_COMPILER = """\
#!/bin/sh
# Zig takes a list of exports as a file, where rustc hands it to the linker.
for word; do
  shift
  case $word in -Wl,*.def) word=${{word#-Wl,}} ;; esac
  set -- "$@" "$word"
done
CARGO_ZIGBUILD_PYTHON_PATH='{python}'
export CARGO_ZIGBUILD_PYTHON_PATH
exec '{zigbuild}' zig cc -- -target {target} "$@"
"""
_TOOL = """\
#!/bin/sh
exec '{python}' -m ziglang {target} "$@"
"""


def install(built: Path, to: Path, *, names: bool = False, foreign: bool = False) -> None:
    """Copy a shared library to where a package has it, without what only debuggers need.

    Args:
        built: what Cargo has made.
        to: the file in the package.
        names: whether it keeps the names of its own functions, by which valgrind and profilers tell them.
        foreign: whether it is for another platform than this machine's. The compiler has stripped it then.

    """
    shutil.copy2(built, to)
    # Without the tool it is larger, and as good.
    if not foreign and PROFILE != "dev" and shutil.which("strip"):
        all_but_exports = "-x" if sys.platform == "darwin" else "--strip-unneeded"
        subprocess.run(["strip", "-S" if names else all_but_exports, to], check=True)
    if LINKER:
        _check(to)


def linker() -> Path | None:
    """Give a linker for FLOOR, with what it needs installed. None where there is nothing older to link for.

    Zig has the symbols of each version of glibc. What was compiled already stays as it is: only which versions of
    functions the library asks for is decided when it is linked.
    """
    if sys.platform != "linux" or platform.libc_ver()[0] != "glibc":
        return None
    return compiler(f"{platform.machine()}-linux-gnu.{FLOOR}")


def compiler(target: str) -> Path:
    """Give a C compiler and linker for a target, as zig names it, with what it needs installed."""
    return _script(f"cc-{target}", _COMPILER, target)


def tool(name: str) -> Path:
    """Give a tool of zig's, by its name there: `ar` for objects of any target, or `cc`."""
    return _script(f"zig-{name}", _TOOL, name)


def importer() -> Path:
    """Give a `dlltool`, which makes libraries by which programs for Windows are linked with others, by the name that rustc calls."""
    return _script("x86_64-w64-mingw32-dlltool", _TOOL, "dlltool")


def _script(name: str, text: str, target: str) -> Path:
    """Write a script around zig, which is installed unless it is there."""
    environment.ensure(ROOT / "tools" / "zig" / "requirements.txt", _TOOLS)
    python = environment.python_of(_TOOLS)
    script = _TOOLS / name
    script.write_text(text.format(python=python, zigbuild=python.with_name("cargo-zigbuild"), target=target))
    script.chmod(0o755)
    return script


def is_static(program: Path) -> bool:
    """Whether a program needs no loader: it has its libc within."""
    return "INTERP" not in _readelf("--program-headers", program)


def needed_glibc(library: Path) -> tuple[int, ...]:
    """Give the latest version of glibc whose symbols a library asks for."""
    told = _readelf("--version-info", library)
    return max((tuple(map(int, version.split("."))) for version in re.findall(r"\bGLIBC_([0-9.]+)", told)), default=(0,))


def _readelf(what: str, file: Path) -> str:
    return subprocess.run(["readelf", "--wide", what, file], capture_output=True, text=True, check=True).stdout


def _check(library: Path) -> None:
    """End the program if a library that was linked for FLOOR asks for more."""
    found = needed_glibc(library)
    if found > tuple(map(int, FLOOR.split("."))):
        sys.exit(f"{library} needs glibc {'.'.join(map(str, found))}, and should load with {FLOOR}")
    say(f"{library.name}: glibc {'.'.join(map(str, found))}")
