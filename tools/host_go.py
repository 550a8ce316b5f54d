"""Go, as the language of a host."""

from __future__ import annotations

import gzip
import platform
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import archives
import c_library
import go
import sbom
from host import Command, Host
from project import PROFILE, ROOT, environment, library

PROJECT = ROOT / "bindings-go"
MODULE = "github.com/undergo-dev/undergo/bindings-go"
PLATFORMS = ("darwin_amd64", "darwin_arm64", "linux_amd64", "linux_arm64")
"""Those that have a module with the library, as Go names them."""
PARTS = 8
"""Into how many a library is packed, so that several processors unpack it."""
PROXY = "go-proxy"
"""The folder with the modules among the packages."""


class Go(Host):
    """Programs are modules, compiled without cgo, that load the library of build/c."""

    name = "go"
    program = "host/main.go"

    def missing(self) -> str | None:
        """Look at the machine; Go itself is installed where it is missing."""
        fits = sys.platform in ("linux", "darwin") and platform.machine().lower() in ("x86_64", "amd64", "aarch64", "arm64")
        return None if fits else f"{sys.platform} on {platform.machine()} is no platform of the Go host"

    def build(self) -> None:
        """Build the library, at build/c. The module itself is compiled with each program."""
        c_library.build()

    def command(self, program: Path, folder: Path) -> Command:
        """Compile the program's folder, as a module with the one of this checkout."""
        module = self._copy(program, folder)
        self._go(module, "mod", "edit", f"-require={MODULE}@v{c_library.version()}", *replacements())
        self._go(module, "mod", "tidy")
        self._go(module, "build", "-o", "program", ".")
        return ["env", f"UNDERGO_LIBRARY={c_library.LIBRARY / 'lib' / library('undergo')}", module / "program"]

    def package(self, into: Path) -> list[Path]:
        """Pack the modules as a module proxy has them: the package, and the library of this machine's platform.

        Of other platforms there is no library here: they have no archive.
        """
        proxy = into / PROXY
        pack(proxy, MODULE, {file.relative_to(PROJECT).as_posix(): file.read_bytes() for file in _published()})
        for name in PLATFORMS:
            folder = PROJECT / "lib" / name
            files = {file.name: file.read_bytes() for file in sorted(folder.iterdir())}
            if name == here():
                content = (c_library.LIBRARY / "lib" / library("undergo")).read_bytes()
                files["libundergo.packed"] = packed(content)
                files[c_library.BILL] = sbom.of("undergo-c").read_bytes()
            pack(proxy, f"{MODULE}/lib/{name}", files, whole=name == here())
        return sorted(file for file in proxy.rglob("*") if file.is_file())

    def installed(self, packages: list[Path], program: Path, folder: Path) -> Command:
        """Get the module from a proxy of its own, and compile the program with it."""
        module = self._copy(program, folder)
        return [got(module, packages, folder)]

    def _copy(self, program: Path, folder: Path) -> Path:
        """Copy the program, with what else is in a folder of its own, as a module."""
        module = folder / "go-module"
        if program.parent == folder:
            module.mkdir(exist_ok=True)
            shutil.copy2(program, module / "main.go")
        else:
            shutil.copytree(program.parent, module, dirs_exist_ok=True)
        if not (module / "go.mod").exists():
            self._go(module, "mod", "init", "example.com/app")
        return module

    def _go(self, module: Path, *arguments: str) -> None:
        """Run the go command."""
        command(module, *arguments, CGO_ENABLED="0", GOFLAGS="-mod=mod")


def here() -> str:
    """Name this machine's platform as Go does."""
    arch = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine().lower(), platform.machine().lower())
    return f"{sys.platform}_{arch}"


def replacements() -> list[str]:
    """Give the arguments of `go mod edit` that have a program use the modules of this checkout."""
    modules = {MODULE: PROJECT} | {f"{MODULE}/lib/{name}": PROJECT / "lib" / name for name in PLATFORMS}
    return [f"-replace={module}={folder}" for module, folder in modules.items()]


def packed(content: bytes) -> bytes:
    """Pack a library as the package unpacks it: in parts, each with its length before it."""
    size = -(-len(content) // PARTS)
    parts = [gzip.compress(content[at : at + size], 9 if PROFILE != "dev" else 1, mtime=0) for at in range(0, len(content), size)]
    return b"".join(struct.pack("<I", len(part)) + part for part in parts)


def _published() -> Iterator[Path]:
    """Give the files of the module itself."""
    for file in sorted(PROJECT.rglob("*")):
        if file.is_file() and not file.name.endswith("_test.go") and "lib" not in file.relative_to(PROJECT).parts:
            yield file


def pack(proxy: Path, module: str, files: dict[str, bytes], *, whole: bool = True) -> None:
    """Write a module as a proxy has it, with its archive if it is whole."""
    version = f"v{c_library.version()}"
    folder = proxy / module / "@v"
    folder.mkdir(parents=True)
    (folder / "list").write_text(f"{version}\n")
    (folder / f"{version}.info").write_text(f'{{"Version": "{version}"}}\n')
    (folder / f"{version}.mod").write_bytes(files["go.mod"])
    if whole:
        whole_files = files | {"LICENSE": (ROOT / "LICENSE").read_bytes()}
        archives.zipped(folder / f"{version}.zip", {f"{module}@{version}/{name}": content for name, content in whole_files.items()})


def got(module: Path, packages: list[Path], folder: Path, *flags: str, **variables: str) -> Path:
    """Get the published module for a program, and compile that: as any user does, and with a cache of modules of its own."""
    proxy = next(parent for parent in packages[0].parents if parent.name == PROXY)
    env = {
        "CGO_ENABLED": "0",
        "GOPROXY": f"{proxy.as_uri()},https://proxy.golang.org",
        "GONOSUMDB": "github.com/undergo-dev",
        "GOMODCACHE": str(folder / "modules"),
        "GOFLAGS": "-modcacherw",
    } | variables
    command(module, "get", f"{MODULE}@v{c_library.version()}", **env)
    command(module, "build", "-o", "program", *flags, ".", **env)
    return module / "program"


def command(module: Path, *arguments: str, **variables: str) -> str:
    """Run the go command in a module, and give what it printed."""
    done = subprocess.run([go.find(), *arguments], cwd=module, env=environment(go.find()) | variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout
