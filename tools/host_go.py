"""Go, as the language of a host."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import c_library
import go
from host import Command, Host
from project import ROOT, environment, library

PROJECT = ROOT / "bindings-go"
MODULE = "github.com/undergo-dev/undergo/bindings-go"


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
        self._go(module, "mod", "edit", f"-require={MODULE}@v{c_library.version()}", f"-replace={MODULE}={PROJECT}")
        return self._compile(module, c_library.LIBRARY / "lib" / library("undergo"))

    def package(self, into: Path) -> list[Path]:
        """Pack the module, as a module proxy has it, and the library."""
        version = f"v{c_library.version()}"
        proxy = into / "go-proxy" / MODULE / "@v"
        proxy.mkdir(parents=True)
        (proxy / "list").write_text(f"{version}\n")
        (proxy / f"{version}.info").write_text(f'{{"Version": "{version}"}}\n')
        shutil.copy2(PROJECT / "go.mod", proxy / f"{version}.mod")
        with zipfile.ZipFile(proxy / f"{version}.zip", "w", zipfile.ZIP_DEFLATED) as packed:
            packed.write(ROOT / "LICENSE", f"{MODULE}@{version}/LICENSE")
            for file in sorted(PROJECT.rglob("*")):
                if file.is_file() and not file.name.endswith("_test.go"):
                    packed.write(file, f"{MODULE}@{version}/{file.relative_to(PROJECT).as_posix()}")
        return [c_library.archive(into), *sorted(proxy.iterdir())]

    def installed(self, packages: list[Path], program: Path, folder: Path) -> Command:
        """Unpack the library, and compile the program with the module from a proxy of its own."""
        archive, *files = packages
        with tarfile.open(archive) as packed:
            packed.extractall(folder)
        module = self._copy(program, folder)
        self._go(module, "mod", "edit", f"-require={MODULE}@v{c_library.version()}")
        proxy = next(parent for parent in files[0].parents if parent.name == "go-proxy")
        unpacked = folder / archive.name.removesuffix(".tar.gz") / "lib" / library("undergo")
        return self._compile(
            module, unpacked, GOPROXY=f"{proxy.as_uri()},https://proxy.golang.org", GONOSUMDB=MODULE, GOMODCACHE=str(folder / "modules")
        )

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

    def _compile(self, module: Path, shared: Path, **variables: str) -> Command:
        """Compile a module without cgo; the command names the library."""
        self._go(module, "mod", "tidy", **variables)
        self._go(module, "build", "-modcacherw", "-o", "program", ".", **variables)
        return ["env", f"UNDERGO_LIBRARY={shared}", module / "program"]

    def _go(self, module: Path, *arguments: str, **variables: str) -> None:
        """Run the go command."""
        env = environment(go.find()) | {"CGO_ENABLED": "0", "GOFLAGS": "-mod=mod -modcacherw"} | variables
        done = subprocess.run([go.find(), *arguments], cwd=module, env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
