"""C; host_cpp.py is the same for C++."""

from __future__ import annotations

import os
import re
import shutil
import tarfile
from pathlib import Path
from typing import ClassVar

import c_library
from host import Command, Host
from project import CLI, run


class C(Host):
    """Programs are compiled with build/c."""

    name = "c"
    program = "main.c"
    header: ClassVar[str] = ".h"
    """How the name of a plugin's header ends."""
    compiler: ClassVar[tuple[str, str, str]] = ("CC", "cc", "there is no C compiler: apt install gcc, or set CC")
    """The variable that names the compiler, the one without it, and what to say when there is none."""
    flags: ClassVar[tuple[str, ...]] = ("-std=c11",)

    def missing(self) -> str | None:
        """Look for a compiler."""
        return None if self._compiler() else self.compiler[2]

    def build(self) -> None:
        """Build the library, at build/c."""
        c_library.build()

    def command(self, program: Path, folder: Path) -> Command:
        """Compile the program.

        A header of a plugin that it includes, and that isn't there, is generated from the plugin
        beside it.
        """
        included = rf'^#include "(\w+){re.escape(self.header)}"'
        for name in re.findall(included, program.read_text(encoding="utf-8"), re.MULTILINE):
            wasm = program.parent / f"{name.replace('_', '-')}.wasm"
            if not (program.parent / f"{name}{self.header}").exists() and wasm.exists():
                run([CLI, "bindgen", wasm, "--lang", self.name, "-o", folder / f"{name}{self.header}"])
        return self.compile(program, folder, c_library.LIBRARY)

    def compile(self, program: Path, folder: Path, library: Path) -> Command:
        """Compile a program against a library in a folder with include and lib, and link it so that it finds that."""
        output = folder / program.stem
        flags = [*self.flags, "-Wall", "-Wextra", "-Werror", "-pedantic", f"-I{folder}", f"-I{library / 'include'}"]
        run([str(self._compiler()), *flags, program, f"-L{library / 'lib'}", "-lundergo", f"-Wl,-rpath,{library / 'lib'}", "-o", output])
        return [output]

    def package(self, into: Path) -> list[Path]:
        """Pack the library, with the headers of both languages."""
        return [c_library.archive(into)]

    def installed(self, packages: list[Path], program: Path, folder: Path) -> Command:
        """Unpack the library, and compile the program with it alone."""
        (package,) = packages
        with tarfile.open(package) as packed:
            packed.extractall(folder)
        for header in program.parent.glob(f"*_plugin{self.header}"):
            shutil.copy2(header, folder)
        return self.compile(Path(shutil.copy2(program, folder)), folder, folder / package.name.removesuffix(".tar.gz"))

    def _compiler(self) -> str | None:
        variable, usual, _ = self.compiler
        return shutil.which(os.environ.get(variable) or usual)
