"""Makes what is published, of each host that can be built here, in build/packages."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from hosts import HOSTS
from project import BUILD

PACKAGES = BUILD / "packages"


def main() -> None:
    """Make all of them, and name the files."""
    shutil.rmtree(PACKAGES, ignore_errors=True)
    PACKAGES.mkdir(parents=True)
    files: dict[Path, None] = {}
    for host in HOSTS.values():
        reason = host.missing()
        if reason:
            print(f"{host.name} is left out: {reason}", file=sys.stderr)
            continue
        files.update(dict.fromkeys(host.package(PACKAGES)))
    for file in files:
        print(f"{file.relative_to(BUILD.parent)}  {file.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
