"""Runs the benchmarks, with the peers that they need installed."""

from __future__ import annotations

import sys
from pathlib import Path

import environment
import go
import project


def main() -> None:
    """Run bench/run.py with the arguments given, and bench/pools.py."""
    environment.ensure(project.ROOT / "bench" / "requirements.txt")
    env = project.environment(go.find())
    command: list[str | Path] = [project.PYTHON, project.ROOT / "bench" / "run.py", *sys.argv[1:]]
    project.run(command, env=env)
    project.run([project.PYTHON, project.ROOT / "bench" / "pools.py"], env=env)


if __name__ == "__main__":
    main()
