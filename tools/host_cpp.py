"""C++."""

from __future__ import annotations

import os
import re
import shutil
import tarfile
from pathlib import Path

import c_library
from host import Command, Host
from project import CLI, run


class Cpp(Host):
    """Programs are compiled with build/c, whose header for C++ is undergo.hpp."""

    name = "cpp"
    program = "main.cpp"

    def missing(self) -> str | None:
        """Look for a compiler."""
        return None if compiler() else "there is no C++ compiler: apt install g++, or set CXX"

    def build(self) -> None:
        """Build the C library, at build/c."""
        c_library.build()

    def command(self, program: Path, folder: Path) -> Command:
        """Compile the program. A header of a plugin that it includes, and that isn't there, is generated from the plugin beside it."""
        for name in re.findall(r'^#include "(\w+)\.hpp"', program.read_text(encoding="utf-8"), re.MULTILINE):
            wasm = program.parent / f"{name.replace('_', '-')}.wasm"
            if not (program.parent / f"{name}.hpp").exists() and wasm.exists():
                run([CLI, "bindgen", wasm, "--lang", "cpp", "-o", folder / f"{name}.hpp"])
        return self.compile(program, folder, c_library.LIBRARY)

    def compile(self, program: Path, folder: Path, library: Path) -> Command:
        """Compile a program against a library in a folder with include and lib, and link it so that it finds that."""
        output = folder / program.stem
        flags = ["-std=c++17", "-Wall", "-Wextra", "-Werror", "-pedantic", "-pthread", f"-I{folder}", f"-I{library / 'include'}"]
        run([str(compiler()), *flags, program, f"-L{library / 'lib'}", "-lundergo", f"-Wl,-rpath,{library / 'lib'}", "-o", output])
        return [output]

    def package(self, into: Path) -> list[Path]:
        """Pack the library: C's archive has the headers of both."""
        return [c_library.archive(into)]

    def installed(self, packages: list[Path], program: Path, folder: Path) -> Command:
        """Unpack the library, and compile the program with it alone."""
        (package,) = packages
        with tarfile.open(package) as packed:
            packed.extractall(folder)
        for header in program.parent.glob("*_plugin.hpp"):
            shutil.copy2(header, folder)
        return self.compile(Path(shutil.copy2(program, folder)), folder, folder / package.name.removesuffix(".tar.gz"))


def compiler() -> str | None:
    """Find the C++ compiler."""
    return shutil.which(os.environ.get("CXX") or "c++")
