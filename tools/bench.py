"""Runs the benchmarks, with the peers that they need installed."""

from __future__ import annotations

import sys

import environment
import go
import project


def main() -> None:
    """Run bench/run.py with the arguments given."""
    environment.ensure(project.ROOT / "bench" / "requirements.txt")
    env = project.environment(go.find()) | {"UNDERGO": str(project.CLI)}
    project.run([project.PYTHON, project.ROOT / "bench" / "run.py", *sys.argv[1:]], env=env)


if __name__ == "__main__":
    main()
