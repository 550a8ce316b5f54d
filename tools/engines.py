"""Sends a plugin's functions to other processes by Dask, Ray, Spark and others, in an environment of their own.

engines.py [LINES]    with so many lines of phone numbers
"""

from __future__ import annotations

import os
import sys

import environment
import wheel
from project import BUILD, PYTHON, ROOT, Stamp, run
from project import environment as project_environment

VENV = BUILD / "engines"
ENGINES = environment.python_of(VENV)


def ensure() -> None:
    """Make the environment with the engines and the package, unless it is there."""
    wheel.build()
    environment.ensure(ROOT / "tools" / "engines" / "requirements.txt", VENV)
    (package,) = wheel.WHEELS.glob("undergo-*.whl")
    stamp = Stamp("engines-wheel", [package], str((VENV / "pyvenv.cfg").stat().st_mtime_ns))
    if not stamp.fresh():
        environment.pip("--no-deps", "--force-reinstall", package, venv=VENV)
        stamp.set()


def main(lines: str) -> None:
    """Run the suite."""
    ensure()
    env = project_environment() | {"LINES": lines}
    run([PYTHON, "-m", "pytest", "-v", "-rs", "-s", "-p", "no:cacheprovider", ROOT / "tools" / "test_engines.py"], env=env)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("LINES") or "20000")
