"""Components of other languages, all of the world in foreign/wit. Each is built by what its language has for that.

What is needed is installed in the folder of the build, where it can be.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import checks
from project import BUILD, CLI, PYTHON, ROOT, VENV, Stamp, executable, say, sources

SOURCES = ROOT / "tools" / "foreign"
WIT = SOURCES / "wit"
WORLD = "greeter"
PLACE = BUILD / "foreign"

WIT_BINDGEN = "0.61.1"
"""That of the crates: foreign/rust names it, too."""

WASMTIME = "48.0.8"
WASMTIME_FEATURES = "run,compile,component-model,serve,parallel-compilation,pooling-allocator"


class LackingError(Exception):
    """Something that is needed is not there, and can't be installed."""


def component(language: str) -> Path:
    """Build the component of a language, unless it was made from what is there now."""
    made = PLACE / f"{language}.wasm"
    stamp = Stamp(f"foreign-{language}", [*sources(f"tools/foreign/{language}", "tools/foreign/wit"), Path(__file__), CLI])
    if not (stamp.fresh() and made.is_file()):
        stamp.clear()
        PLACE.mkdir(parents=True, exist_ok=True)
        LANGUAGES[language](SOURCES / language, made)
        stamp.set()
    return made


def build(*command: str | Path, cwd: Path | None = None, **variables: str) -> None:
    """Run a command, which must succeed."""
    done = subprocess.run([*map(str, command)], cwd=cwd, env=os.environ | variables, capture_output=True, text=True)
    if done.returncode:
        raise AssertionError(f"{command[0]} ended with {done.returncode}\n{done.stdout}{done.stderr}")


def install(what: str, *command: str | Path, cwd: Path | None = None, **variables: str) -> None:
    """Run a command that installs something."""
    say(f"installing {what}")
    if shutil.which(str(command[0])) is None:
        raise LackingError(f"{what} is installed by {command[0]}, which is not there")
    if subprocess.run([*map(str, command)], cwd=cwd, env=os.environ | variables).returncode:
        raise LackingError(f"{command[0]} has not installed {what}")


def _python(folder: Path, made: Path) -> None:
    place = PLACE / "python"
    tool = executable(place / PYTHON.parent.relative_to(VENV), "componentize-py")
    requirements = folder / "requirements.txt"
    stamp = Stamp("componentize-py", [requirements])
    if not (stamp.fresh() and tool.is_file()):
        install("a Python environment", sys.executable, "-m", "venv", place)
        install("componentize-py", place / PYTHON.relative_to(VENV), "-m", "pip", "install", "--quiet", "-r", requirements)
        stamp.set()
    build(tool, "-q", "-d", WIT, "-w", WORLD, "componentize", "app", "-p", folder, "-o", made)


def _javascript(folder: Path, made: Path) -> None:
    place = PLACE / "javascript"
    stamp = Stamp("jco-componentize", [folder / "package.json"])
    if not (stamp.fresh() and (place / "node_modules").is_dir()):
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        shutil.copy2(folder / "package.json", place)
        install("jco", "npm", "install", "--silent", "--no-audit", "--no-fund", "--no-package-lock", cwd=place)
        stamp.set()
    options: list[str | Path] = ["--wit", WIT, "--world-name", WORLD, "--disable", "http", "--disable", "fetch-event"]
    build("npx", "jco", "componentize", folder / "app.js", *options, "-o", made, cwd=place)


def _rust(folder: Path, made: Path) -> None:
    if not checks.has_nightly("rust-src"):
        raise LackingError("Rust's library for WebAssembly is built from its source: rustup toolchain install nightly --component rust-src")
    target, platform = PLACE / "rust", "wasm32-unknown-unknown"
    command = ["cargo", "+nightly", "build", "--release", "--quiet", "-Zbuild-std=std,panic_abort", "--target", platform]
    build(*command, "--manifest-path", folder / "Cargo.toml", "--target-dir", target)
    build(CLI, "component", target / platform / "release" / "greeter.wasm", "-o", made)


LANGUAGES: dict[str, Callable[[Path, Path], None]] = {"python": _python, "javascript": _javascript, "rust": _rust}
"""How the component of each is built, from the folder of its source to that file."""


def wasmtime() -> Path:
    """Give the Wasmtime CLI: that on PATH, or the one that WASMTIME names, or one that is compiled from its crate."""
    given = os.environ.get("WASMTIME") or shutil.which("wasmtime")
    if given:
        return Path(given)
    tool = executable(PLACE / "wasmtime" / "bin", "wasmtime")
    if not tool.is_file():
        flags = ["--locked", "--version", WASMTIME, "--no-default-features", "--features", WASMTIME_FEATURES]
        folders: list[str | Path] = ["--root", PLACE / "wasmtime", "--target-dir", PLACE / "wasmtime" / "target"]
        install("the Wasmtime CLI, which takes ten minutes and more", "cargo", "install", "wasmtime-cli", *flags, *folders)
    return tool
