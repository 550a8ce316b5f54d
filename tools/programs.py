"""Runs programs of hosts, for the tests of examples and of what `undergo new` begins."""

from __future__ import annotations

import subprocess
from pathlib import Path

import go
from host import Command
from project import environment


def run(command: Command, directory: Path) -> str:
    """Run a command, which must succeed, and give what it printed."""
    done = subprocess.run(command, cwd=directory, env=environment(go.find()), capture_output=True, encoding="utf-8", timeout=600)
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}"
    return done.stdout
