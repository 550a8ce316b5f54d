"""Swift's compiler: the machine's own, or Debian's, which runs within a root of Debian's files."""

from __future__ import annotations

import filecmp
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import debian
import uniffi
from project import BUILD, ROOT, TARGET

PROJECT = ROOT / "bindings-uniffi" / "swift"
OUT = BUILD / "swift"

SUITE = "trixie"
"""Debian 13, the first with Swift: 6.0.3, which needs a later glibc than many systems have."""

_PACKAGES = ("base-files", "dash", "swiftlang", "libc6-dev", "libstdc++-14-dev")
_BIN = "/usr/libexec/swift/bin"
_ENTER = """\
root=$1 && shift
while [ "$1" != -- ]; do mkdir -p "$root$1" && mount --rbind "$1" "$root$1" && shift || exit; done && shift
exec chroot "$root" /bin/sh -c 'cd "$0" && exec "$@"' "$PWD" "$@"
"""
"""Enters a root, with folders of this system where they are here, and runs a command there."""


def missing() -> str | None:
    """Say why there is no Swift on this machine, and none can be had."""
    if shutil.which("swift"):
        return None
    if reason := debian.missing():
        return f"there is no swift on PATH, and {reason}"
    if not shutil.which("unshare") or subprocess.run([*_unshare(), "true"], capture_output=True).returncode:
        return "there is no swift on PATH, and the system gives no namespace in which Debian's could run"
    return None


def command(*words: str | Path) -> list[str | Path]:
    """Give the command that runs one of Swift's programs, or one that Swift has made."""
    if shutil.which("swift"):
        return list(words)
    root = debian.unpack(f"swift-{SUITE}", [SUITE], _PACKAGES, with_needed=True)
    # The outer ones first, where one is within another.
    folders = sorted({Path("/dev"), Path("/proc"), ROOT, BUILD, TARGET, Path(tempfile.gettempdir()).resolve()})
    return [*_unshare(), "sh", "-c", _ENTER, "sh", root, *folders, "--", *words]


def _unshare() -> list[str | Path]:
    """Give the command that runs another one where what it mounts is seen by nobody else."""
    return ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]


def environment(env: dict[str, str]) -> dict[str, str]:
    """Give the environment for these commands: what Swift's package manager keeps is in the folder of the build."""
    home = OUT / "home"
    home.mkdir(parents=True, exist_ok=True)
    return env | {"HOME": str(home), "PATH": os.pathsep.join([env.get("PATH", ""), _BIN])}


def package() -> Path:
    """Make the package with the half that UniFFI writes, and give the folder of its library."""
    generated = OUT / "generated"
    library = uniffi.generate("swift", generated)
    folder = OUT / PROJECT.name
    _mirror(PROJECT, folder, keep={".build", "Package.resolved", "UndergoCore", "UndergoCoreFFI", "Items", "conformance_plugin.swift"})
    for place, made in {
        "UndergoCore/UndergoCore.swift": "UndergoCore.swift",
        "UndergoCoreFFI/UndergoCoreFFI.h": "UndergoCoreFFI.h",
        "UndergoCoreFFI/module.modulemap": "UndergoCoreFFI.modulemap",
    }.items():
        copy(generated / made, folder / "Sources" / place)
    return library.parent


def copy(source: Path, target: Path) -> None:
    """Copy a file that has changed: Swift compiles anew what is younger."""
    if target.is_file() and filecmp.cmp(source, target, shallow=False):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _mirror(source: Path, target: Path, keep: set[str]) -> None:
    """Make a folder like another one, but for the names that it keeps."""
    target.mkdir(parents=True, exist_ok=True)
    for gone in {path.name for path in target.iterdir()} - {path.name for path in source.iterdir()} - keep:
        path = target / gone
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    for path in source.iterdir():
        if path.name in keep:
            continue
        if path.is_dir():
            _mirror(path, target / path.name, keep)
        else:
            copy(path, target / path.name)


def build(folder: Path, library: Path) -> Path:
    """Build a package that uses this one, and give the folder with its programs."""
    link = ["-Xlinker", f"-L{library}", "-Xlinker", "-rpath", "-Xlinker", str(library)]
    words = command("swift", "build", "--package-path", folder, *link)
    done = subprocess.run(words, env=environment(dict(os.environ)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8")
    assert done.returncode == 0, done.stdout
    assert "warning:" not in done.stdout, done.stdout
    return folder / ".build" / "debug"
