"""Python."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import wheel
from host import Command, Host
from project import PYTHON, executable, run


class Python(Host):
    """Programs run in build/venv."""

    name = "python"
    program = "main.py"

    def build(self) -> None:
        """Build the wheel, and install it in build/venv."""
        wheel.build()

    def command(self, program: Path, folder: Path) -> Command:
        """Run the program as it is."""
        return [PYTHON, program]

    def package(self, into: Path) -> list[Path]:
        """Give the wheel."""
        return [Path(shutil.copy2(built, into)) for built in wheel.WHEELS.glob("undergo-*.whl")]

    def installed(self, packages: list[Path], program: Path, folder: Path) -> Command:
        """Make an environment with the wheel alone."""
        run([sys.executable, "-m", "venv", folder / "venv"])
        python = executable(folder / "venv" / PYTHON.parent.name, "python")
        run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index", *packages])
        return [python, shutil.copy2(program, folder)]
