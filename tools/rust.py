"""A Rust that compiles for other targets: this machine's, where rustup has the target or can add it, or else Debian's.

Debian has the standard library of aarch64 as a package; for other targets it is compiled from its source.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import debian
from project import BUILD

_VERSION = "1.96.0+dfsg1-1~deb12u2"
_SUITES = ("bookworm", "bookworm-security")
_OWN = ("rustc-web", "cargo-web", "libstd-rust-web-1.96", "libstd-rust-web-dev", "libstd-rust-web-dev:arm64", "rust-web-src")
_NEEDED = ("libllvm22", "libgit2-1.5", "libmbedcrypto7", "libmbedtls14", "libmbedx509-1", "libhttp-parser2.9")
_PREBUILT = ("x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu")
_WRAPPER = """\
#!/bin/sh
LD_LIBRARY_PATH='{libraries}'
export LD_LIBRARY_PATH
exec '{program}' "$@"
"""


@dataclass(frozen=True)
class Toolchain:
    """How Cargo is called for a target."""

    env: Mapping[str, str]
    options: tuple[str, ...] = ()
    """Of `cargo build` and `cargo check`."""


def missing(target: str) -> str | None:
    """Say why there is none for a target."""
    return None if _has(target) else debian.missing()


def toolchain(target: str) -> Toolchain:
    """Give the one for a target, which is fetched unless it is there."""
    if _has(target):
        return Toolchain({"CARGO_BUILD_TARGET": target})
    folder = _debians()
    env = {
        "CARGO_BUILD_TARGET": target,
        "RUSTC": str(folder / "rustc"),
        "RUSTDOC": str(folder / "rustdoc"),
        "PATH": os.pathsep.join([str(folder), os.environ.get("PATH", "")]),
        # For the standard library's own source. Always, as some crates are compiled otherwise with
        # it, and then all that needs them.
        "RUSTC_BOOTSTRAP": "1",
    }
    return Toolchain(env, () if target in _PREBUILT else ("-Zbuild-std=std,panic_unwind",))


def _is_installed(target: str) -> bool:
    """Whether the target is there."""
    try:
        told = subprocess.run(["rustc", "--print=target-libdir", f"--target={target}"], capture_output=True, text=True)
    except OSError:
        return False
    return told.returncode == 0 and Path(told.stdout.strip()).is_dir()


def _has(target: str) -> bool:
    """Whether this machine's Rust has the target, which rustup adds where it can."""
    if _is_installed(target):
        return True
    added = shutil.which("rustup") and subprocess.run(["rustup", "target", "add", target], capture_output=True).returncode == 0
    return bool(added) and _is_installed(target)


def _debians() -> Path:
    """Give the folder with Debian's cargo and rustc."""
    root = debian.unpack("rust", _SUITES, [f"{name}={_VERSION}" for name in _OWN] + list(_NEEDED))
    folder = BUILD / "tools" / "rust"
    folder.mkdir(parents=True, exist_ok=True)
    libraries = root / "usr" / "lib" / "x86_64-linux-gnu"
    for name in ("cargo", "rustc", "rustdoc"):
        script = folder / name
        script.write_text(_WRAPPER.format(libraries=libraries, program=root / "usr" / "bin" / name))
        script.chmod(0o755)
    return folder
