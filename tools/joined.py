"""Joins the packages that several machines have made into what is published: one of each name.

joined.py INTO FOLDER...    FOLDER has what `make packages`, or tools/cross.py, has made on one of them

What is for one platform is taken as it is. A jar has the files of all of them. The modules of Go become an archive.
"""

from __future__ import annotations

import shutil
import sys
import zipfile
from pathlib import Path

import archives
import host_go


def main(into: Path, folders: list[Path]) -> None:
    """Join them, and name the files."""
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir(parents=True)
    same: dict[Path, list[Path]] = {}
    for folder in folders:
        for file in sorted(folder.rglob("*")):
            if file.is_file() and file.name != "SHA256SUMS":
                same.setdefault(file.relative_to(folder), []).append(file)
    for name, files in sorted(same.items()):
        (into / name).parent.mkdir(parents=True, exist_ok=True)
        join(into / name, files)
    proxy = into / host_go.PROXY
    if proxy.is_dir():
        archives.tar(into / f"undergo-{proxy.name}.tar.gz", proxy.name, {part.name: part for part in sorted(proxy.iterdir())})
        shutil.rmtree(proxy)
    written = list(into.iterdir())
    for file in [*sorted(written), archives.sums(into, written)]:
        print(file.relative_to(into))


def join(to: Path, files: list[Path]) -> None:
    """Make one file of those that have its name."""
    if len({file.read_bytes() for file in files}) == 1:
        shutil.copyfile(files[0], to)
    elif to.suffix == ".jar":
        archives.zipped(to, contents(files))
    else:
        sys.exit(f"these have one name, and are not the same: {', '.join(map(str, files))}")


def contents(jars: list[Path]) -> dict[str, bytes]:
    """Give the files of all the jars, in which those of one name are the same."""
    found: dict[str, bytes] = {}
    for jar in jars:
        with zipfile.ZipFile(jar) as packed:
            for name in packed.namelist():
                content = packed.read(name)
                if found.setdefault(name, content) != content:
                    sys.exit(f"{name} is not the same in {', '.join(map(str, jars))}")
    return found


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), [Path(folder) for folder in sys.argv[2:]])
