"""The project's Python environment, build/venv, with the tools of requirements.txt in it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from project import PYTHON, ROOT, VENV, Stamp, run, say

OLDEST = (3, 10)
_NO_VENV = """\
Python's venv module can't make an environment here. Install it:
  Debian, Ubuntu:  apt install python3-venv
  elsewhere:       a Python from your system's packages, or from python.org, has it
or name another Python:  make PYTHON=/path/to/python3"""


def ensure(requirements: Path = ROOT / "tools" / "requirements.txt", venv: Path = VENV) -> None:
    """Make an environment, unless it is there, and install what the file lists, unless that is there."""
    if sys.version_info < OLDEST:
        sys.exit(f"Python 3.{OLDEST[1]} or newer is needed, this is {sys.version.split()[0]}; name another: make PYTHON=/path/to/python3")
    if not _works(python_of(venv)):
        say("making the Python environment")
        made = subprocess.run([sys.executable, "-m", "venv", "--clear", venv], capture_output=True, text=True)
        if made.returncode:
            sys.exit(f"{made.stdout}{made.stderr}\n{_NO_VENV}")
    # The time of pyvenv.cfg tells an environment that was made anew.
    stamp = Stamp(requirements.parent.name + "-requirements", [requirements], sys.version, str((venv / "pyvenv.cfg").stat().st_mtime_ns))
    if not stamp.fresh():
        say(f"installing the packages of {requirements.relative_to(ROOT)}")
        pip("-r", requirements, venv=venv)
        stamp.set()


def python_of(venv: Path) -> Path:
    """Give the Python of an environment."""
    return venv / PYTHON.relative_to(VENV)


def pip(*arguments: str | Path, venv: Path = VENV) -> None:
    """Install packages."""
    run([python_of(venv), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments])


def _works(python: Path) -> bool:
    """Whether the environment is there, is of this Python, and has pip."""
    if not python.is_file():
        return False
    question: list[str | Path] = [python, "-c", "import pip, sys; print(sys.version)"]
    try:
        return subprocess.run(question, capture_output=True, text=True).stdout.strip() == sys.version.strip()
    except OSError:
        return False


if __name__ == "__main__":
    ensure()
