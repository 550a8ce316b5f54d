"""Node."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import native
from host import Command, Host
from project import BUILD, PROFILE, ROOT, Stamp, cargo_library, library, run, say, sources

OLDEST = 20
SOURCE = ROOT / "bindings-node"
FOLDER = BUILD / "node"
PACKAGE = FOLDER / "node_modules" / "undergo"

REGISTER = "import { register } from 'node:module'\nregister('./resolve.mjs', import.meta.url)\n"
RESOLVE = """\
// A program of this checkout finds the package as if it were installed beside it.
export const resolve = (name, context, next) => next(name, name === 'undergo' ? { ...context, parentURL: import.meta.url } : context)
"""


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
        """Put the package into build/node, with the library in it."""
        say("building the Node package")
        built = cargo_library("undergo-node") / library("undergo_node")
        files = package_files()
        stamp = Stamp("node", [built, *files.values()], PROFILE)
        if stamp.fresh() and PACKAGE.is_dir():
            return
        stamp.clear()
        shutil.rmtree(PACKAGE, ignore_errors=True)
        for name, file in files.items():
            (PACKAGE / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, PACKAGE / name)
        (PACKAGE / "native").mkdir()
        native.install(built, PACKAGE / "native" / f"undergo.{platform()}.node")
        (FOLDER / "register.mjs").write_text(REGISTER)
        (FOLDER / "resolve.mjs").write_text(RESOLVE)
        stamp.set()

    def command(self, program: Path, folder: Path) -> Command:
        """Run the program as it is."""
        return ["node", "--import", (FOLDER / "register.mjs").as_uri(), program]

    def package(self, into: Path) -> list[Path]:
        """Give the tarball for npm."""
        run(["npm", "pack", "--silent", "--pack-destination", into], cwd=PACKAGE)
        return list(into.glob("undergo-*.tgz"))

    def installed(self, packages: list[Path], program: Path, folder: Path) -> Command:
        """Install the tarball as npm does, without a registry."""
        (folder / "package.json").write_text(json.dumps({"name": "elsewhere", "private": True}))
        run(["npm", "install", "--silent", "--offline", "--no-audit", "--no-fund", *packages], cwd=folder)
        return ["node", shutil.copy2(program, folder)]


def package_files() -> dict[str, Path]:
    """Give the files of the package, but for the library, by their places in it."""
    files = {str(file.relative_to(SOURCE)): file for file in sources("bindings-node/lib")}
    for name in ("README.md", "index.d.mts", "index.d.ts", "package.json"):
        files[name] = SOURCE / name
    files["LICENSE"] = ROOT / "LICENSE"
    return files


def platform() -> str:
    """Say which platform it is, as Node's process.platform and process.arch do."""
    question = ["node", "--print", "`${process.platform}-${process.arch}`"]
    return subprocess.run(question, capture_output=True, text=True, check=True).stdout.strip()
