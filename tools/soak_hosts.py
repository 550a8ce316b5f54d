"""Uses objects, iterators, callbacks and streams at random in Node and in Go, as soak.py does in Python: nothing of them may be left.

soak_hosts.py [--seconds 60] [--seed N]

These are tests of the hosts' own suites, where they take two seconds.
"""

from __future__ import annotations

import argparse
import random
import re
import subprocess
import sys

from project import ROOT, environment

RUNS = {
    "node": [sys.executable, str(ROOT / "tools" / "node_suite.py"), str(ROOT / "bindings-node" / "tests" / "soak.test.mjs")],
    "go": [sys.executable, str(ROOT / "tools" / "go_host_suite.py"), "-run", "^TestSoak$", "-v", "-timeout=0"],
}


def main() -> int:
    """Run them, one after the other; 0 when nothing was amiss."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    given = parser.parse_args()
    env = environment() | {"SECONDS": str(given.seconds), "SEED": str(given.seed)}
    code = 0
    for name, command in RUNS.items():
        done = subprocess.run(command, env=env, capture_output=True, text=True)
        # Where a toolchain is missing, the suite says so.
        said = re.findall(r"soak: [^\\\n\"]+|SKIP .*", done.stdout)
        print("\n".join(f"{name}: {line}" for line in said), flush=True)
        if done.returncode or not said:
            print(f"{name}: AMISS, SEED={given.seed}\n{done.stdout}{done.stderr}")
            code = 1
    return code


if __name__ == "__main__":
    sys.exit(main())
