"""Runs the cases of WASI preview 1 in a checkout of the public wasi-testsuite by `undergo run`, and prints which hold.

wasi_suite.py DIR                       all cases; DIR is a checkout of the branch prod/testsuite-base, which has them compiled
wasi_suite.py DIR NAME...               those cases
wasi_suite.py --component DIR [NAME...] each as a component that `undergo component` makes of it: by WASI 0.2

The suite has no cases of WASI 0.2's own.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from project import CLI, environment

TARGET = "wasm32-wasip1"
LONGEST = 60
"""Seconds that a case may take."""


@dataclass(frozen=True)
class Case:
    """A program, and what is expected of it, as doc/specification.md of the suite has it."""

    program: Path
    args: list[str] = field(default_factory=list)
    env: dict[str, str] = field(default_factory=dict)
    root: str | None = None
    exit_code: int = 0
    stdout: str | None = None
    stderr: str | None = None

    @property
    def name(self) -> str:
        """The language that it is written in, and its own name."""
        return f"{self.program.parents[2].name}/{self.program.stem}"

    def run(self, as_component: bool) -> str | None:
        """Run it on a fresh copy of its directory; gives what is wrong."""
        exit_code = min(self.exit_code, 1) if as_component else self.exit_code
        with tempfile.TemporaryDirectory(prefix="undergo-wasi-") as folder:
            program = self.program
            if as_component:
                program = Path(folder, "component.wasm")
                made = subprocess.run([CLI, "component", self.program, "-o", program], capture_output=True, text=True, env=environment())
                if made.returncode:
                    return f"it became no component: {made.stderr}"
            options = [f"--env={name}={value}" for name, value in self.env.items()]
            if self.root is not None:
                root = shutil.copytree(self.program.parent / self.root, Path(folder, "root"), symlinks=True)
                options.append(f"--dir={root}::/")
            command: list[str | Path] = [CLI, "run", *options, program, *self.args]
            try:
                done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, env=environment(), timeout=LONGEST)
            except subprocess.TimeoutExpired:
                return f"it had not ended after {LONGEST} s"
        stdout, stderr = done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")
        if done.returncode != exit_code:
            return f"exit code {done.returncode}, not {exit_code}\n{stdout}{stderr}"
        for stream, printed, expected in (("output", stdout, self.stdout), ("error", stderr, self.stderr)):
            if expected is not None and printed != expected:
                return f"on its standard {stream} {printed!r}, not {expected!r}"
        return None


def cases(checkout: Path) -> list[Case]:
    """Find the cases of a checkout."""
    found = []
    for program in sorted(checkout.glob(f"tests/*/testsuite/{TARGET}/*.wasm")):
        specification = program.with_suffix(".json")
        given = json.loads(specification.read_text(encoding="utf-8")) if specification.is_file() else {}
        found.append(Case(program, **{key: value for key, value in given.items() if key != "proposals"}))
    return found


def main() -> int:
    """Run the cases; 0 when all hold."""
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--component", action="store_true")
    parser.add_argument("checkout", type=Path)
    parser.add_argument("names", nargs="*")
    given = parser.parse_args()
    chosen = [case for case in cases(given.checkout) if not given.names or case.name in given.names or case.program.stem in given.names]
    if not chosen:
        sys.exit(f"{given.checkout} has no such cases: it is to be a checkout of wasi-testsuite's branch prod/testsuite-base")
    failed = 0
    for case in chosen:
        wrong = case.run(given.component)
        failed += wrong is not None
        print(f"{'ok  ' if wrong is None else 'FAIL'} {case.name}", flush=True)
        if wrong is not None:
            print("     " + wrong.strip().replace("\n", "\n     "), flush=True)
    print(f"{len(chosen) - failed} of {len(chosen)} hold")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
