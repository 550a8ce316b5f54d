"""Archives whose bytes follow from their contents: the same files give the same archive, whenever and wherever it is made."""

from __future__ import annotations

import gzip
import hashlib
import os
import subprocess
import tarfile
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from project import PROFILE, ROOT

LEVEL = 6 if PROFILE != "dev" else 1


def epoch() -> int:
    """Give the time that packages say they are of: SOURCE_DATE_EPOCH, or else that of the last commit."""
    if given := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(given)
    told = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True)
    # A copy without its history.
    return int(told.stdout) if told.stdout.strip() else 315532800


def tar(file: Path, folder: str, parts: Mapping[str, Path]) -> Path:
    """Pack files and directories by their names in a folder, in a tar.gz."""
    with (
        file.open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=LEVEL, mtime=epoch()) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as archive,
    ):
        for name, part in parts.items():
            # Directories are read in the order of their names.
            archive.add(part, f"{folder}/{name}", filter=_plain)
    return file


def _plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """Forget who made a file, and when."""
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mtime = epoch()
    entry.mode = 0o755 if entry.mode & 0o100 or not entry.isfile() else 0o644
    return entry


def zipped(file: Path, contents: Mapping[str, bytes]) -> Path:
    """Pack contents by their names in a zip, or a jar."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL) as packed:
        for name, content in contents.items():
            entry = zipfile.ZipInfo(name)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            packed.writestr(entry, content)
    return file


def sums(folder: Path, files: Iterable[Path]) -> Path:
    """Write the SHA-256 of files in a folder, as sha256sum checks them."""
    named = sorted((file.relative_to(folder).as_posix(), hashlib.sha256(file.read_bytes()).hexdigest()) for file in files)
    written = folder / "SHA256SUMS"
    written.write_text("".join(f"{digest}  {name}\n" for name, digest in named))
    return written
