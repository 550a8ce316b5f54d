"""Runs the tests of the Go host with the library of build/c: without cgo, and with it under the race detector, if there is a C compiler.

go_host_suite.py [ARGUMENT...]    the arguments are handed to `go test`
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import go
from c_library import LIBRARY, build
from project import ROOT, environment, library

PROJECT = ROOT / "bindings-go"
WAYS = {"": ("0", []), " with cgo and -race": ("1", ["-race"])}
"""What is added to the names of packages, CGO_ENABLED, and flags."""


def main(arguments: list[str]) -> int:
    """Run the tests in each way; 0 when all passed."""
    build()
    found = go.find()
    code = 0
    for name, (cgo, flags) in WAYS.items():
        if cgo == "1" and not shutil.which("cc"):
            print(json.dumps({"Action": "skip", "Package": "bindings-go" + name, "Test": "there is no C compiler"}))
            continue
        env = environment(found) | {"UNDERGO_LIBRARY": str(LIBRARY / "lib" / library("undergo")), "CGO_ENABLED": cgo}
        command: list[str | Path] = [found, "test", "-count=1", "-json", *flags, *arguments, "./..."]
        done = subprocess.run(command, cwd=PROJECT, env=env, stdout=subprocess.PIPE, text=True)
        for line in done.stdout.splitlines():
            print(renamed(line, name), flush=True)
        code = code or done.returncode
    return code


def renamed(line: str, name: str) -> str:
    """Add to the name of the package in an event, so that a test in one way is not taken for the same in the other."""
    try:
        event = json.loads(line)
    except ValueError:
        return line
    if "Package" in event:
        event["Package"] += name
    return json.dumps(event)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
