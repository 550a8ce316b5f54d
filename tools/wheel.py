"""Builds the Python package as a wheel, and installs it in the project's Python environment."""

from __future__ import annotations

import shutil
import subprocess
import sys

import environment
from project import BUILD, PYTHON, ROOT, VENV, Stamp, executable, run, say
from project import environment as project_environment
from project import sources

WHEELS = BUILD / "wheels"


def build() -> None:
    """Build and install, unless what is installed was made from what is there now."""
    environment.ensure()
    made_from = sources("core", "bindings-python/src", "bindings-python/python", "bindings-python/Cargo.toml", "bindings-python/pyproject.toml")
    made_from += sources("bindings-python/README.md", "Cargo.toml", "Cargo.lock")
    stamp = Stamp("wheel", made_from, sys.version)
    if stamp.fresh() and _installed():
        return
    stamp.clear()
    say("building the Python package")
    shutil.rmtree(WHEELS, ignore_errors=True)
    maturin = executable(PYTHON.parent, "maturin")
    run(
        [maturin, "build", "--release", "--manifest-path", "bindings-python/Cargo.toml", "--interpreter", PYTHON, "--out", WHEELS],
        env=project_environment() | {"VIRTUAL_ENV": str(VENV)},
    )
    (wheel,) = WHEELS.glob("undergo-*.whl")
    run([PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--force-reinstall", wheel])
    stamp.set()


def _installed() -> bool:
    """Whether the package that Python finds is the one in the environment, and not a checkout of its sources."""
    question = "import undergo._undergo as m; print(m.__file__)"
    found = subprocess.run([PYTHON, "-I", "-c", question], capture_output=True, text=True, cwd=ROOT)
    return found.returncode == 0 and found.stdout.startswith(str(VENV))


if __name__ == "__main__":
    build()
