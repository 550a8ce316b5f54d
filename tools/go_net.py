"""Runs the tests of Go's own network packages under `undergo exec`, with the overlay that gives package net sockets, and prints a table.

go_net.py             the packages below
go_net.py PACKAGE...  those
go_net.py accept      the packages below; what passes, and is not in the list yet, is added to it

The tests in conformance/go-net.json have to pass, and the list only grows. What else there is may fail: sockets of WASI have no sequenced
packets, no multicast and no data beside a message, and WASI has no pipes and no processes.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TypedDict

import go
from check_go import go_root
from go_std import Package, run, shown
from project import CLI, ROOT, environment, say

LIST = ROOT / "conformance" / "go-net.json"
PACKAGES = [
    *("net", "net/http", "net/http/httptest", "net/http/httputil", "net/http/httptrace", "net/http/cookiejar", "net/http/pprof"),
    *("net/rpc", "net/rpc/jsonrpc", "net/smtp", "net/textproto", "crypto/tls", "expvar"),
]
EXEC = f"{CLI} exec --net any --net connect=unix:* --net listen=unix:*"

# Tests of the network that is only in memory, and of functions that package net has for it.
REPLACED = ("net_fake_test.go", "file_wasip1_test.go")
# They ask for what is not there with the overlay either: pipes between processes, and options of
# raw sockets.
LEFT = ("sendfile_test.go", "rawconn_test.go", "rawconn_stub_test.go", "tcpsock_test.go")


class Known(TypedDict):
    """The list: which tests pass, with which Go it was made."""

    go: str
    packages: dict[str, list[str]]


def main(wanted: list[str]) -> int:
    """Run the packages one after the other, and give 0 when all passed that is in the list."""
    accept = wanted == ["accept"]
    command = go.find()
    env = environment(command) | {"GOOS": "wasip1", "GOARCH": "wasm", "GOFLAGS": "-count=1"}
    known: Known = json.loads(LIST.read_text(encoding="utf-8"))
    release = ".".join(map(str, go.version(command)))
    names = PACKAGES if accept or not wanted else wanted
    say(f"{len(names)} packages of Go {release} with the overlay; the list is that of Go {known['go']}")
    print(f"{'package':<24} {'tests':>14} {'tests within tests':>20} {'in the list':>12} {'new':>5} {'seconds':>8}")
    bad = []
    passed = 0
    with tempfile.TemporaryDirectory(prefix="undergo-") as folder:
        overlay = overlay_for_tests(command, env, Path(folder))
        for name in names:
            package = run(command, env, name, EXEC, flags=[f"-overlay={overlay}"])
            # Another Go has other tests.
            listed = [test for test in known["packages"].get(name, []) if release == known["go"] or test in package.outcomes]
            new = sorted(test for test in leaves(package) if package.outcomes[test] == "pass" and test not in listed)
            lost = [test for test in listed if package.outcomes.get(test) != "pass"]
            counts = [shown(package.count(inner=inner)) for inner in (False, True)]
            print(f"{name:<24} {counts[0]:>14} {counts[1]:>20} {len(listed):>12} {len(new):>5} {package.seconds:>8.1f}", flush=True)
            passed += len(listed) - len(lost)
            bad += [f"{name}.{test} is in the list, and did not pass: {package.outcomes.get(test, 'it was not run')}" for test in lost]
            if lost or not package.outcomes:
                print("".join(package.output[-80:]), flush=True)
            if accept:
                known["packages"][name] = sorted([*known["packages"].get(name, []), *new])
    if accept:
        LIST.write_text(json.dumps({"go": release, "packages": known["packages"]}, indent=1) + "\n", encoding="utf-8")
    for line in bad:
        print(line)
    print(f"{passed} passed, {len(bad)} failed")
    return 1 if bad or not (passed or accept) else 0


def leaves(package: Package) -> list[str]:
    """Name the tests without tests inside them, whose names are the same in every run."""
    outer = {test.rpartition("/")[0] for test in package.outcomes}
    return [test for test in package.outcomes if test not in outer and not re.search(r"\d{4}|[^\x20-\x7e]", test)]


def overlay_for_tests(command: Path, env: dict[str, str], folder: Path) -> Path:
    """Write the overlay to a folder, with the tests of package net as they are on systems with a network."""
    asked = subprocess.run([CLI, "overlay"], cwd=ROOT, env=env, capture_output=True, text=True)
    if asked.returncode:
        sys.exit(asked.stderr)
    overlay = json.loads(Path(asked.stdout.strip()).read_text(encoding="utf-8"))
    for file in sorted((Path(go_root(command)) / "src" / "net").glob("*_test.go")):
        text = file.read_text(encoding="utf-8")
        if file.name in REPLACED:
            overlay["Replace"][str(file)] = ""
        elif file.name not in LEFT and "wasip1" in text:
            # On wasip1 they skip what the network in memory has not.
            fresh = re.sub(r', "wasip1"|"wasip1", ', "", text).replace('runtime.GOOS == "wasip1"', "false")
            (folder / file.name).write_text(fresh, encoding="utf-8")
            overlay["Replace"][str(file)] = str(folder / file.name)
    path = folder / "overlay.json"
    path.write_text(json.dumps(overlay), encoding="utf-8")
    return path


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
