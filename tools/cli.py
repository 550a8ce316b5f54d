"""Builds the command line tool, at build/bin/undergo."""

from __future__ import annotations

import filecmp
import shutil

from project import CLI, cargo


def build() -> None:
    """Build it.

    What is there stays as it is when it is the same, with its time: others are made from it.
    """
    built = cargo("undergo-cli") / CLI.name
    if CLI.is_file() and filecmp.cmp(built, CLI, shallow=False):
        return
    CLI.parent.mkdir(parents=True, exist_ok=True)
    # A running program can't be written to, but it can be replaced.
    CLI.unlink(missing_ok=True)
    shutil.copy2(built, CLI)


if __name__ == "__main__":
    build()
