"""The C library: headers, shared and static library, and the files by which pkg-config and CMake find them.

c_library.py                    build it, at build/c
c_library.py install FOLDER     copy what was built to a prefix, as /usr/local
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import archives
import native
import sbom
from project import BUILD, PROFILE, ROOT, Stamp, cargo_library, library, say, sources

LIBRARY = BUILD / "c"
BILL = "sbom.cdx.json"
"""The file that says what the library is made of, where it is packed."""
CRATE = ROOT / "bindings-c"
_PARTS = ("src", "include", "install", "Cargo.toml", "build.rs")
MADE_FROM = ("core", "Cargo.toml", "Cargo.lock", *(f"bindings-c/{part}" for part in _PARTS))
NEEDED = ("gcc_s", "util", "rt", "pthread", "m", "dl") if sys.platform == "linux" else ("m",)
"""What a program needs besides that is linked with the static library."""


def version() -> str:
    """Give the version of the project."""
    found = re.search(r'^version = "(.+)"$', (ROOT / "Cargo.toml").read_text(encoding="utf-8"), re.MULTILINE)
    assert found
    return found[1]


def soname(number: str) -> str:
    """Give the name of the shared library for a version, or for a series of them."""
    plain = Path(library("undergo"))
    return f"{plain.stem}.{number}{plain.suffix}" if sys.platform == "darwin" else f"{plain.name}.{number}"


def build() -> None:
    """Build the library, unless it was made from what is there now."""
    stamp = Stamp("c-library", [*sources(*MADE_FROM), Path(__file__)], PROFILE)
    if stamp.fresh() and LIBRARY.is_dir():
        return
    stamp.clear()
    say("building the C library")
    assemble(cargo_library("undergo-c"), LIBRARY)
    stamp.set()


def assemble(made: Path, folder: Path, *, foreign: bool = False) -> None:
    """Put the library into a folder, as a prefix has it, from where Cargo has made it.

    Args:
        made: where Cargo has made it.
        folder: which is made anew.
        foreign: whether it is for another Linux than this machine's.

    """
    shutil.rmtree(folder, ignore_errors=True)
    lib = folder / "lib"
    shutil.copytree(CRATE / "include", folder / "include")
    lib.mkdir()
    full = version()
    series = full.rpartition(".")[0]
    shutil.copy2(made / "libundergo_c.a", lib / "libundergo.a")
    native.install(made / library("undergo_c"), lib / soname(full), names=True, foreign=foreign)
    (lib / soname(series)).symlink_to(soname(full))
    (lib / library("undergo")).symlink_to(soname(series))
    # Without the tool it is larger, and as good.
    if not foreign and PROFILE != "dev" and shutil.which("strip"):
        subprocess.run(["strip", "-S", lib / "libundergo.a"], check=True)
    major, minor, _ = full.split(".")
    words = {
        "VERSION": full,
        "MAJOR": major,
        "MINOR": minor,
        "SHARED": soname(full),
        "SONAME": soname(series),
        "PRIVATE": " ".join(f"-l{name}" for name in NEEDED),
        "LIBRARIES": ";".join(name for name in NEEDED if name != "pthread"),
    }
    cmake = "cmake/undergo"
    for name, place in (("undergo.pc", "pkgconfig"), ("undergo-config.cmake", cmake), ("undergo-config-version.cmake", cmake)):
        text = (CRATE / "install" / f"{name}.in").read_text(encoding="utf-8")
        (lib / place).mkdir(parents=True, exist_ok=True)
        (lib / place / name).write_text(re.sub(r"@([A-Z]+)@", lambda match: words[match[1]], text), encoding="utf-8")


def install(prefix: Path) -> None:
    """Copy what was built to a prefix, beside what is there."""
    for directory, _, files in os.walk(LIBRARY):
        into = prefix / Path(directory).relative_to(LIBRARY)
        into.mkdir(parents=True, exist_ok=True)
        for name in files:
            file = into / name
            file.unlink(missing_ok=True)
            shutil.copy2(Path(directory, name), file, follow_symlinks=False)


def archive(into: Path, folder: Path = LIBRARY, *, label: str | None = None, target: str | None = None) -> Path:
    """Pack the library, with the licence.

    What lies there already is left: C and C++ share it.

    Args:
        into: the folder of the archive.
        folder: with the library.
        label: of the platform, in the archive's name, if it is not this machine's.
        target: as Rust names that.

    """
    name = f"undergo-c-{version()}-{label or here()}"
    file = into / f"{name}.tar.gz"
    if file.exists():
        return file
    parts = {part.name: part for part in sorted(folder.iterdir())}
    return archives.tar(file, name, parts | {"LICENSE": ROOT / "LICENSE", BILL: sbom.of("undergo-c", target)})


def here() -> str:
    """Name this machine's platform, as archives do."""
    return f"{os.uname().machine}-{sys.platform}"


if __name__ == "__main__":
    build()
    if sys.argv[1:2] == ["install"] and len(sys.argv) == 3:
        install(Path(sys.argv[2]))
    elif len(sys.argv) > 1:
        sys.exit(__doc__)
