"""The library of bindings-uniffi, and the half of a language's binding that UniFFI writes from it."""

from __future__ import annotations

import shutil
from pathlib import Path

from project import ARTIFACTS, BUILD, PROFILE, ROOT, Stamp, cargo_library, environment, executable, library, run

CRATE = ROOT / "bindings-uniffi"
OUT = BUILD / "uniffi"


def build() -> Path:
    """Build the library, and give its path."""
    built = cargo_library("undergo-uniffi") / library("undergo_uniffi")
    kept = OUT / built.name
    if not kept.is_file() or kept.stat().st_mtime_ns != built.stat().st_mtime_ns:
        # With the generator's features Cargo makes another library, at the same place.
        OUT.mkdir(parents=True, exist_ok=True)
        shutil.copy2(built, kept)
    return kept


def generate(language: str, into: Path) -> Path:
    """Have UniFFI write its half of a language's binding into a folder of its own.

    Gives the library.
    """
    built = build()
    generator = _generator()
    stamp = Stamp(f"uniffi-{language}", [built, generator, CRATE / "uniffi.toml"], str(into))
    if not stamp.fresh() or not into.is_dir():
        shutil.rmtree(into, ignore_errors=True)
        run([generator, "generate", "--no-format", "--language", language, "--out-dir", into, built])
        stamp.set()
    return built


def _generator() -> Path:
    """Build the program uniffi-bindgen, unless it is there.

    It is of UniFFI's version, and does not depend on the crate's code.
    """
    kept = executable(OUT, "uniffi-bindgen")
    stamp = Stamp("uniffi-bindgen", [ROOT / "Cargo.lock", CRATE / "Cargo.toml", *sorted((CRATE / "src" / "bin").iterdir())])
    if not stamp.fresh() or not kept.is_file():
        options = ["--package", "undergo-uniffi", "--features", "bindgen", "--bin", "uniffi-bindgen"]
        run(["cargo", "build", "--quiet", "--profile", PROFILE, *options], env=environment())
        OUT.mkdir(parents=True, exist_ok=True)
        shutil.copy2(executable(ARTIFACTS, "uniffi-bindgen"), kept)
        stamp.set()
    return kept
