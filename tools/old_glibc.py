"""Programs on an older glibc than this machine's, without a container: Debian's files, unpacked into a folder.

A program's interpreter is the dynamic linker of the older system, which finds that system's libraries first.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

SUITE = "bullseye"
"""Debian 11, with glibc 2.31: the oldest whose packages are in the archive."""

_SOURCES = f"""\
Types: deb
URIs: http://deb.debian.org/debian
Suites: {SUITE}
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""
_PACKAGES = ("libc6", "libgcc-s1", "libstdc++6")


def missing() -> str | None:
    """Say what prevents it on this machine."""
    for tool in ("apt-get", "dpkg-deb"):
        if not shutil.which(tool):
            return f"there is no {tool}: the older libraries are Debian's"
    return None if os.uname().machine == "x86_64" else "the older libraries are for x86_64"


def unpack(into: Path) -> Path:
    """Fetch the libraries, and give the folder that has them. The system's own packages are not touched."""
    state = into / "apt"
    for folder in ("lists/partial", "cache/archives/partial", "state", "sources", "packages"):
        (state / folder).mkdir(parents=True)
    (state / "state" / "status").touch()
    (state / "sources" / "debian.sources").write_text(_SOURCES)
    options = {
        "Dir::State": state / "state",
        "Dir::State::lists": state / "lists",
        "Dir::State::status": state / "state" / "status",
        "Dir::Cache": state / "cache",
        "Dir::Etc::sourcelist": "/dev/null",
        "Dir::Etc::sourceparts": state / "sources",
        "APT::Architecture": "amd64",
        "APT::Sandbox::User": "root",
    }
    apt = ["apt-get", "-qq", *(f"-o{name}={value}" for name, value in options.items())]
    subprocess.run([*apt, "update"], check=True)
    subprocess.run([*apt, "download", *_PACKAGES], cwd=state / "packages", check=True)
    root = into / "root"
    for package in sorted((state / "packages").glob("*.deb")):
        subprocess.run(["dpkg-deb", "--extract", package, root], check=True)
    return root


def folders(root: Path) -> str:
    """Give the folders with libraries, as the dynamic linker takes them."""
    return os.pathsep.join(str(root / part / "x86_64-linux-gnu") for part in ("lib", "usr/lib"))


def interpreter(root: Path) -> Path:
    """Give the dynamic linker, which runs a program that is its argument."""
    (found,) = (root / "lib" / "x86_64-linux-gnu").glob("ld-2.*.so")
    return found


def command(root: Path, program: Path, *more: Path) -> list[str | Path]:
    """Give the command that runs a program there, which may also need libraries of these folders."""
    return [interpreter(root), "--library-path", os.pathsep.join([folders(root), *map(str, more)]), program]
