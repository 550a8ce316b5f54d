"""Calls Maven, whose output is of no interest unless it fails."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

import archives
from project import environment


def run(pom: Path, *arguments: str | Path, java: Path | None = None) -> None:
    """Run Maven's goals for a project; a failure shows what it printed, and ends this program.

    Args:
        pom: the project's file.
        arguments: goals, and what is set for them.
        java: the JDK that runs it and compiles, in place of the usual one.

    """
    env = environment() | ({"JAVA_HOME": str(java)} if java else {})
    # The time of what is in a jar, so that the same sources give the same jar.
    made = datetime.fromtimestamp(archives.epoch(), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    command = ["mvn", "--batch-mode", "--quiet", "--file", str(pom), f"-Dproject.build.outputTimestamp={made}", *map(str, arguments)]
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        print(done.stdout, file=sys.stderr)
        sys.exit(done.returncode)
