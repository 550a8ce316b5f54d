"""Builds the command line tool, at build/bin/undergo."""

from __future__ import annotations

import filecmp
import shutil
from pathlib import Path

import archives
import c_library
import native
import sbom
from project import BUILD, CLI, LINKER, ROOT, cargo, cargo_library

CRATE = "undergo-cli"


def build() -> None:
    """Build it.

    What is there stays as it is when it is the same, with its time: others are made from it.
    """
    built = cargo(CRATE) / CLI.name
    if CLI.is_file() and filecmp.cmp(built, CLI, shallow=False):
        return
    CLI.parent.mkdir(parents=True, exist_ok=True)
    # A running program can't be written to, but it can be replaced.
    CLI.unlink(missing_ok=True)
    shutil.copy2(built, CLI)


def package(into: Path) -> Path:
    """Give the archive for machines like this one."""
    made = cargo_library(CRATE, "--bin=undergo") if LINKER else cargo(CRATE)
    return archive(into, made / CLI.name)


def archive(into: Path, program: Path, *, label: str | None = None, target: str | None = None) -> Path:
    """Pack the program, stripped, with the licence.

    Args:
        into: the folder of the archive.
        program: as Cargo has made it.
        label: of the platform, in the archive's name, if it is not this machine's.
        target: as Rust names that.

    """
    name = f"undergo-{c_library.version()}-{label or c_library.here()}"
    stripped = BUILD / "stripped" / name / program.name
    stripped.parent.mkdir(parents=True, exist_ok=True)
    native.install(program, stripped, foreign=target is not None)
    parts = {program.name: stripped, "LICENSE": ROOT / "LICENSE", c_library.BILL: sbom.of(CRATE, target)}
    return archives.tar(into / f"{name}.tar.gz", name, parts)


if __name__ == "__main__":
    build()
