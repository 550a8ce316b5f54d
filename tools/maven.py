"""Calls Maven, whose output is of no interest unless it fails."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from project import environment


def run(pom: Path, *arguments: str | Path) -> None:
    """Run Maven's goals for a project; a failure shows what it printed, and ends this program."""
    command = ["mvn", "--batch-mode", "--quiet", "--file", str(pom), *map(str, arguments)]
    done = subprocess.run(command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        print(done.stdout, file=sys.stderr)
        sys.exit(done.returncode)
