"""Runs the benchmarks, with the peers that they need installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import environment
import go
import project
import results

SECTIONS = {
    "C": "c.py",
    "Go": "golang.py",
    "Java": "jvm.py",
    "Rust": "rust.py",
    "Pools": "pools.py",
    "asyncio": "awaited.py",
    "Deadlines": "deadlines.py",
    "HTTP": "network.py",
    "Serving": "serve.py",
    "Node": "node.py",
    "Ruby": "ruby.py",
    "Go code": "go_code.py",
    "Components": "components.py",
}
"""What is measured beside run.py, each by a program that prints what it found."""

MISSED = 3
"""What such a program ends with when it has measured, and a bound does not hold."""


def main() -> int:
    """Run bench/run.py with the arguments given, and the others; 0 when all bounds hold."""
    environment.ensure(project.ROOT / "bench" / "requirements.txt")
    env = project.environment(go.find())
    command: list[str | Path] = [project.PYTHON, project.ROOT / "bench" / "run.py", *sys.argv[1:]]
    failed = [] if subprocess.run(command, env=env, check=False).returncode == 0 else ["run.py"]
    for title, program in SECTIONS.items():
        command = [project.PYTHON, project.ROOT / "bench" / program]
        ran = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        print(f"\n## {title}\n\n{ran.stdout}{ran.stderr}", flush=True)
        if ran.returncode in (0, MISSED):
            results.write(title, ran.stdout)
        if ran.returncode != 0:
            failed.append(program)
    if failed:
        print(f"a bound does not hold, or the program failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
