"""Makes what is published, of each host that can be built here, in build/packages.

On Linux its libraries are linked for an older glibc than this machine's, in a build folder of their own.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import archives
import native
from hosts import HOSTS
from project import BUILD, LINKER, environment, run, say

import cli


def main(into: Path) -> None:
    """Make all of them, and name the files."""
    linker = None if LINKER else native.linker()
    if linker:
        variables = {"UNDERGO_LINKER": str(linker), "UNDERGO_BUILD": str(BUILD / "portable")}
        run([sys.executable, __file__, into], env=environment() | variables)
        return
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir(parents=True)
    files: dict[Path, None] = {cli.package(into): None}
    for host in HOSTS.values():
        reason = host.missing()
        if reason:
            say(f"{host.name} is left out: {reason}")
            continue
        host.build()
        files.update(dict.fromkeys(host.package(into)))
    files[archives.sums(into, files)] = None
    for file in files:
        print(f"{file.relative_to(into.parent)}  {file.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main(Path(*sys.argv[1:2]) if sys.argv[1:] else BUILD / "packages")
