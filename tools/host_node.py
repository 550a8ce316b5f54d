"""Node."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import npm
from host import Command, Host
from npm import SOURCE
from project import BUILD, PROFILE, Stamp, cargo_library, library, run, say, sources

OLDEST = 20
FOLDER = BUILD / "node"
MODULES = FOLDER / "node_modules"
PACKAGE = MODULES / "undergo"
NATIVE = MODULES / npm.SCOPE / npm.here()
"""The package of this platform."""


class Node(Host):
    """Programs run with the package in build/node, from which `import 'undergo'` works."""

    name = "node"
    program = "main.mjs"

    def missing(self) -> str | None:
        """Say what is needed of Node."""
        if not shutil.which("node") or not shutil.which("npm"):
            return f"there is no node with npm on PATH: Node {OLDEST} or newer is needed, from nodejs.org or your system's packages"
        version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
        if int(version.removeprefix("v").partition(".")[0]) < OLDEST:
            return f"Node {OLDEST} or newer is needed, this is {version}"
        return None

    def build(self) -> None:
        """Put the package into build/node, and the one of this platform with the library."""
        say("building the Node package")
        built = cargo_library(npm.CRATE) / library("undergo_node")
        stamp = Stamp(
            "node", [built, Path(npm.__file__), *sources("bindings-node/lib"), *sorted(SOURCE.glob("*.*")), *sources("Cargo.lock")], PROFILE
        )
        if stamp.fresh() and NATIVE.is_dir():
            return
        stamp.clear()
        shutil.rmtree(MODULES, ignore_errors=True)
        npm.main_package(PACKAGE)
        npm.platform_package(npm.here(), built, NATIVE)
        npm.importable(FOLDER)
        stamp.set()

    def command(self, program: Path, folder: Path) -> Command:
        """Run the program as it is."""
        return ["node", "--import", (FOLDER / "register.mjs").as_uri(), program]

    def package(self, into: Path) -> list[Path]:
        """Give the tarballs for npm."""
        return [npm.pack(PACKAGE, into), npm.pack(NATIVE, into)]

    def installed(self, packages: list[Path], program: Path, folder: Path) -> Command:
        """Install the tarballs as npm does, without a registry."""
        (folder / "package.json").write_text(json.dumps({"name": "elsewhere", "private": True}))
        run(["npm", "install", "--silent", "--offline", "--no-audit", "--no-fund", *packages], cwd=folder)
        return ["node", shutil.copy2(program, folder)]
