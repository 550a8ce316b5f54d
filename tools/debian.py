"""Debian's packages, unpacked into a folder of the build: the system's own packages are not touched, and root is not needed."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from project import BUILD, Stamp, say

PLACE = BUILD / "debian"
_SOURCE = """\
Types: deb
URIs: http://deb.debian.org/{archive}
Suites: {suite}
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""


def missing() -> str | None:
    """Say what prevents it on this machine."""
    for tool in ("apt-get", "dpkg-deb"):
        if not shutil.which(tool):
            return f"there is no {tool}, by which Debian's packages are unpacked"
    return None if platform.machine() == "x86_64" else "the packages are Debian's for amd64"


def unpack(name: str, suites: Sequence[str], packages: Sequence[str], *, with_needed: bool = False) -> Path:
    """Give a folder with the files of packages, which are fetched unless they are there.

    Args:
        name: of the folder.
        suites: those from which packages come: bookworm, sid, bookworm-security.
        packages: as apt-get takes them: `libc6`, `libstd-rust-dev:arm64`, `cargo=1.0`.
        with_needed: whether the packages on which these depend are unpacked, too.

    """
    root = PLACE / name / "root"
    stamp = Stamp(f"debian-{name}", [], *suites, "-", *packages, *(["with all that they need"] if with_needed else []))
    if stamp.fresh() and root.is_dir():
        return root
    stamp.clear()
    say(f"fetching Debian's packages: {name}")
    shutil.rmtree(PLACE / name, ignore_errors=True)
    state = PLACE / name / "apt"
    for folder in ("lists/partial", "cache/archives/partial", "state", "sources", "packages"):
        (state / folder).mkdir(parents=True)
    (state / "state" / "status").touch()
    sources = [_SOURCE.format(archive="debian-security" if suite.endswith("-security") else "debian", suite=suite) for suite in suites]
    (state / "sources" / "debian.sources").write_text("\n".join(sources))
    foreign = sorted({package.partition("=")[0].partition(":")[2] for package in packages} - {""})
    config = state / "apt.conf"
    config.write_text(_config(state, ["amd64", *foreign]))
    apt = ["apt-get", "-qq", f"-oDir::Cache={state / 'cache'}"]
    env = dict(os.environ, APT_CONFIG=str(config))
    subprocess.run([*apt, "update"], check=True, env=env)
    found = state / "packages"
    if with_needed:
        # As for a system where nothing is installed.
        subprocess.run([*apt, "install", "--yes", "--no-install-recommends", "--download-only", *packages], check=True, env=env)
        found = state / "cache" / "archives"
    else:
        subprocess.run([*apt, "download", *packages], cwd=found, check=True, env=env)
    for package in sorted(found.glob("*.deb")):
        subprocess.run(["dpkg-deb", "--extract", package, root], check=True)
    shutil.rmtree(state)
    stamp.set()
    return root


def _config(state: Path, architectures: Sequence[str]) -> str:
    """Give a configuration by which apt keeps all that it knows in a folder.

    By a file, as the list of architectures can't be replaced by an option.
    """
    values = {
        "Dir::State": state / "state",
        "Dir::State::lists": state / "lists",
        "Dir::State::status": state / "state" / "status",
        "Dir::Cache": state / "cache",
        "Dir::Etc::sourcelist": "/dev/null",
        "Dir::Etc::sourceparts": state / "sources",
        "APT::Architecture": "amd64",
        "APT::Sandbox::User": "root",
        "Acquire::By-Hash": "force",
        "Acquire::Languages": "none",
    }
    lines = [f'{name} "{value}";' for name, value in values.items()]
    lines.append(f"APT::Architectures {{ {' '.join(f'{chr(34)}{name}{chr(34)};' for name in architectures)} }};")
    return "\n".join(lines) + "\n"
