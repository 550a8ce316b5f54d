"""The packages for npm: `undergo`, and one for each platform, which has its native library.

npm installs the one that fits among the optional dependencies of `undergo`: by system, processor and C library.
"""

from __future__ import annotations

import json
import platform
import shutil
import sys
from pathlib import Path
from typing import Any

import native
import sbom
from project import ROOT, run, sources

SOURCE = ROOT / "bindings-node"
SCOPE = "@undergo/"
CRATE = "undergo-node"

_REGISTER = "import { register } from 'node:module'\nregister('./resolve.mjs', import.meta.url)\n"
_RESOLVE = """\
// A program of this checkout finds the package as if it were installed beside it.
export const resolve = (name, context, next) => next(name, name === 'undergo' ? { ...context, parentURL: import.meta.url } : context)
"""


def here() -> str:
    """Name this machine's platform, as its package is named: linux-x64-gnu."""
    machine = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64"}.get(platform.machine().lower(), platform.machine().lower())
    if sys.platform == "linux":
        return f"linux-{machine}-{'gnu' if platform.libc_ver()[0] == 'glibc' else 'musl'}"
    return f"{sys.platform}-{machine}"


def platforms() -> list[str]:
    """Name those that have a package."""
    return [name.removeprefix(SCOPE) for name in _description()["optionalDependencies"]]


def main_package(folder: Path) -> None:
    """Put the package for all platforms into a folder."""
    files = {str(file.relative_to(SOURCE)): file for file in sources("bindings-node/lib")}
    for name in ("README.md", "index.d.mts", "index.d.ts", "package.json"):
        files[name] = SOURCE / name
    files["LICENSE"] = ROOT / "LICENSE"
    for name, file in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, folder / name)


def platform_package(name: str, library: Path, folder: Path, target: str | None = None) -> None:
    """Put the package of a platform into a folder.

    Args:
        name: of the platform.
        library: what Cargo has made.
        folder: which is made anew.
        target: as Rust names the platform, if it is not this machine's.

    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    native.install(library, folder / "undergo.node", foreign=target is not None)
    shutil.copy2(sbom.of(CRATE, target), folder / "sbom.cdx.json")
    shutil.copy2(ROOT / "LICENSE", folder)
    readme = f"# {SCOPE}{name}\n\nThe native library of the package [undergo](https://www.npmjs.com/package/undergo), which installs it.\n"
    (folder / "README.md").write_text(readme)
    system, machine, *libc = name.split("-")
    whole = _description()
    description: dict[str, Any] = {"name": f"{SCOPE}{name}", "description": f"The native library of the package undergo, for {name}"}
    description |= {key: whole[key] for key in ("version", "license", "repository", "engines")}
    description |= {"main": "undergo.node", "os": [system], "cpu": [machine]}
    if libc:
        description["libc"] = ["glibc" if libc == ["gnu"] else "musl"]
    (folder / "package.json").write_text(json.dumps(description, indent=2) + "\n")


def importable(folder: Path) -> None:
    """Have `node --import FOLDER/register.mjs` find the packages in the folder's node_modules, wherever a program is."""
    (folder / "register.mjs").write_text(_REGISTER)
    (folder / "resolve.mjs").write_text(_RESOLVE)


def pack(folder: Path, into: Path) -> Path:
    """Give the tarball of a package."""
    run(["npm", "pack", "--silent", "--pack-destination", into.resolve()], cwd=folder)
    description = json.loads((folder / "package.json").read_text(encoding="utf-8"))
    return into / f"{description['name'].removeprefix('@').replace('/', '-')}-{description['version']}.tgz"


def _description() -> dict[str, Any]:
    told: dict[str, Any] = json.loads((SOURCE / "package.json").read_text(encoding="utf-8"))
    return told
