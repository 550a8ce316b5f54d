"""Runs the tests of the Node package, with the package in build/node.

The tests of types need TypeScript, which is installed from npm.
"""

from __future__ import annotations

import os
import subprocess
import sys

from host_node import FOLDER
from hosts import HOSTS
from npm import SOURCE
from project import BUILD, ROOT, Stamp, environment, say

TOOLS = BUILD / "node-tools"


def tools() -> bool:
    """Install what tools/node/package.json lists, unless it is there. Whether it is."""
    package = ROOT / "tools" / "node" / "package.json"
    stamp = Stamp("node-tools", [package])
    if stamp.fresh() and (TOOLS / "node_modules").is_dir():
        return True
    say("installing TypeScript")
    TOOLS.mkdir(parents=True, exist_ok=True)
    (TOOLS / package.name).write_bytes(package.read_bytes())
    command = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--no-package-lock"]
    if subprocess.run(command, cwd=TOOLS).returncode:
        return False
    stamp.set()
    return True


def main(tests: list[str]) -> int:
    """Run the tests, or those files of them."""
    if reason := HOSTS["node"].missing():
        print(f"ok 1 - the tests of Node # SKIP {reason}")
        return 0
    env = environment()
    if tools():
        env["UNDERGO_NODE_TOOLS"] = str(TOOLS)
    # One file after the other: they measure time, and the processors are few.
    files = tests or sorted(str(path) for path in (SOURCE / "tests").glob("*.test.mjs"))
    command = ["node", "--import", (FOLDER / "register.mjs").as_uri(), "--test", "--test-reporter=tap", "--test-concurrency=1", *files]
    return subprocess.run(command, cwd=SOURCE, env=dict(os.environ, **env)).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
