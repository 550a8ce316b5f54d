"""Programs on another glibc than this machine's, without a container: Debian's files, unpacked into a folder.

A program's interpreter is the dynamic linker of the other system, which finds that system's libraries first.
"""

from __future__ import annotations

import os
from pathlib import Path

import debian

SUITE = "bullseye"
"""Debian 11, with glibc 2.31: the oldest whose packages are in the archive."""

_PACKAGES = ("libc6", "libgcc-s1", "libstdc++6")


def unpack() -> Path:
    """Give the folder that has the older libraries."""
    return debian.unpack(f"glibc-{SUITE}", [SUITE], _PACKAGES)


def folders(root: Path) -> str:
    """Give the folders with libraries, as the dynamic linker takes them."""
    return os.pathsep.join(str(root / part / "x86_64-linux-gnu") for part in ("lib", "usr/lib"))


def interpreter(root: Path) -> Path:
    """Give the dynamic linker, which runs a program that is its argument."""
    found = [file for part in ("lib", "usr/lib") for file in (root / part / "x86_64-linux-gnu").glob("ld-*.so*")]
    return next(file for file in found if file.is_file())


def command(root: Path, program: Path, *more: Path) -> list[str | Path]:
    """Give the command that runs a program there, which may also need libraries of these folders."""
    return [interpreter(root), "--library-path", os.pathsep.join([folders(root), *map(str, more)]), program]
