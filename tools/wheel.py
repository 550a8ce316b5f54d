"""Builds the Python package as a wheel, and installs it in the project's Python environment."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import environment
import native
from project import BUILD, LINKER, PROFILE, PYTHON, ROOT, VENV, Stamp, executable, run, say, sources
from project import environment as project_environment

WHEELS = BUILD / "wheels"


def build() -> None:
    """Build and install, unless what is installed was made from what is there now."""
    environment.ensure()
    made_from = sources("core", "gowasm", "features", "bindings-python/src", "bindings-python/python", "Cargo.toml", "Cargo.lock")
    made_from += sources("bindings-python/Cargo.toml", "bindings-python/pyproject.toml", "bindings-python/README.md")
    stamp = Stamp("wheel", made_from, sys.version, PROFILE)
    if stamp.fresh() and _installed():
        return
    stamp.clear()
    say("building the Python package")
    shutil.rmtree(WHEELS, ignore_errors=True)
    maturin = executable(PYTHON.parent, "maturin")
    env = project_environment() | {"VIRTUAL_ENV": str(VENV)}
    manifest = ROOT / "bindings-python" / "Cargo.toml"
    options: list[str | Path] = ["--profile", PROFILE, "--manifest-path", manifest, "--interpreter", PYTHON, "--out", WHEELS]
    if LINKER:
        options += ["--auditwheel", "check", "--compatibility", f"manylinux_{native.FLOOR.replace('.', '_')}", "--", f"-Clinker={LINKER}"]
    run([maturin, "build", *options], env=env)
    (wheel,) = WHEELS.glob("undergo-*.whl")
    environment.pip("--no-deps", "--force-reinstall", wheel)
    stamp.set()


def _installed() -> bool:
    """Whether the package that Python finds is the one in the environment, and not a checkout of its sources."""
    question = "import undergo._undergo as m; print(m.__file__)"
    found = subprocess.run([PYTHON, "-I", "-c", question], capture_output=True, text=True, cwd=ROOT)
    return found.returncode == 0 and found.stdout.startswith(str(VENV))


if __name__ == "__main__":
    build()
