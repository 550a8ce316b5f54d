"""Where the parts of the project are, and the environment in which its programs run."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

BUILD = Path(os.path.abspath(os.environ.get("UNDERGO_BUILD") or ROOT / "build"))
"""Everything that is made, but for what Cargo makes. UNDERGO_BUILD names another place."""

TARGET = Path(os.path.abspath(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target"))

PROFILE = os.environ.get("UNDERGO_PROFILE") or "release"
"""How Cargo builds what is run.

`UNDERGO_PROFILE=dev` is for working on it: quick to build, slow to run. `dist` is for what is published: slow to build.
"""

ARTIFACTS = TARGET / ("debug" if PROFILE == "dev" else PROFILE)
"""Where Cargo puts what it built."""

LINKER = os.environ.get("UNDERGO_LINKER")
"""What links the libraries of the packages: see native.py. By default it is the system's linker."""

_SCRIPTS = "Scripts" if os.name == "nt" else "bin"
_EXE = ".exe" if os.name == "nt" else ""

VENV = BUILD / "venv"
PYTHON = VENV / _SCRIPTS / f"python{_EXE}"
CLI = BUILD / "bin" / f"undergo{_EXE}"
CONFORMANCE = BUILD / "conformance.wasm"
CONFORMANCE_COMPONENT = BUILD / "conformance-component.wasm"
HOSTILE = BUILD / "hostile.wasm"
HOSTILE_COMPONENT = BUILD / "hostile-component.wasm"
SERVICES = BUILD / "services.wasm"
SERVICES_COMPONENT = BUILD / "services_component.wasm"
COMMAND = BUILD / "command.wasm"
COMPONENT = BUILD / "component.wasm"


def executable(directory: Path, name: str) -> Path:
    """Give the path of a program in a directory, as the system spells it."""
    return directory / f"{name}{_EXE}"


def environment(go: Path | None = None) -> dict[str, str]:
    """Give the environment for programs that are run: the project's own commands come first on PATH.

    Args:
        go: the go command that is to be used.

    """
    env = dict(os.environ)
    first = [CLI.parent, PYTHON.parent]
    if go is not None:
        first.append(go.parent)
        env["UNDERGO_GO"] = str(go)
    env["PATH"] = os.pathsep.join([*map(str, first), env.get("PATH", "")])
    env["UNDERGO_BUILD"] = str(BUILD)
    env["CARGO_TARGET_DIR"] = str(TARGET)
    env["UNDERGO_PROFILE"] = PROFILE
    env["UNDERGO"] = str(CLI)
    env["UNDERGO_CACHE_DIR"] = str(BUILD / "cache")
    env["UNDERGO_CONFORMANCE_WASM"] = str(CONFORMANCE)
    env["UNDERGO_CONFORMANCE_COMPONENT_WASM"] = str(CONFORMANCE_COMPONENT)
    env["UNDERGO_HOSTILE_WASM"] = str(HOSTILE)
    env["UNDERGO_HOSTILE_COMPONENT_WASM"] = str(HOSTILE_COMPONENT)
    env["UNDERGO_SERVICES_WASM"] = str(SERVICES)
    env["UNDERGO_SERVICES_COMPONENT_WASM"] = str(SERVICES_COMPONENT)
    env["UNDERGO_COMMAND_WASM"] = str(COMMAND)
    # What is printed is compared, also where the locale is not UTF-8.
    env["PYTHONUTF8"] = "1"
    env.pop("VIRTUAL_ENV", None)
    env.pop("PYTHONPATH", None)
    return env


def say(text: str) -> None:
    """Tell what is being done, at once, and in one piece: something else may be told beside it."""
    sys.stderr.write(f"--- {text}\n")
    sys.stderr.flush()


def run(command: list[str | Path], *, cwd: Path = ROOT, env: Mapping[str, str] | None = None) -> None:
    """Run a command whose output the user sees; a failure ends this program with its exit code."""
    try:
        code = subprocess.run(list(map(str, command)), cwd=cwd, env=env).returncode
    except FileNotFoundError:
        sys.exit(f"{command[0]} is needed, and was not found")
    if code:
        sys.exit(code if code > 0 else 1)


def cargo(package: str) -> Path:
    """Build a package of the workspace, and give the folder where its programs and libraries are."""
    say(f"cargo build --package {package}")
    run(["cargo", "build", "--profile", PROFILE, "--package", package], env=environment())
    return ARTIFACTS


def cargo_library(package: str, part: str = "--lib") -> Path:
    """Build a package that is a library for another language; as `cargo`, and linked by UNDERGO_LINKER if that names a linker.

    Args:
        package: of the workspace.
        part: of it that is linked, as Cargo's options name it.

    """
    if not LINKER:
        return cargo(package)
    say(f"cargo rustc --package {package}, linked by {Path(LINKER).name}")
    # Behind the dashes is what concerns only this package, so that nothing else is compiled again.
    run(["cargo", "rustc", "--profile", PROFILE, "--package", package, part, "--", f"-Clinker={LINKER}"], env=environment())
    return ARTIFACTS


def cargo_test() -> list[str | Path]:
    """Give the command for tests of the workspace: with the engine of the release, which is compiled for both once."""
    return ["cargo", "--config", ROOT / "tools" / "tests.toml", "test", "--profile", PROFILE]


def library(name: str, system: str = sys.platform) -> str:
    """Give the file name of a shared library, as a system spells it, which is named as Python names it."""
    return {"win32": f"{name}.dll", "darwin": f"lib{name}.dylib"}.get(system, f"lib{name}.so")


def sources(*parts: str) -> list[Path]:
    """Give the files of the named files and directories, without what is made from them."""
    found: list[Path] = []
    for part in parts:
        path = ROOT / part
        if path.is_file():
            found.append(path)
        for directory, names, files in os.walk(path):
            names[:] = sorted(name for name in names if not name.startswith(".") and name not in ("target", "__pycache__"))
            found += [Path(directory, name) for name in sorted(files) if not name.endswith((".so", ".wasm", ".pyc", ".pyd"))]
    return found


class Stamp:
    """Remembers from what something was made: it is made again when contents differ, whatever the files' times are."""

    def __init__(self, name: str, files: Iterable[Path], *words: str) -> None:
        self._file = BUILD / "stamps" / name
        digest = hashlib.sha256()
        for file in files:
            digest.update(f"{file.name}\0".encode())
            digest.update(hashlib.sha256(file.read_bytes()).digest())
        for word in words:
            digest.update(f"{word}\0".encode())
        self._digest = digest.hexdigest()

    def fresh(self) -> bool:
        """Whether it was made from what is there now."""
        return self._file.is_file() and self._file.read_text() == self._digest

    def set(self) -> None:
        """Note that it has been made."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.write_text(self._digest)

    def clear(self) -> None:
        """Note that it is about to be made, in case that it fails half-way."""
        self._file.unlink(missing_ok=True)
