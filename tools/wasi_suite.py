"""Runs the cases of a checkout of the public wasi-testsuite by `undergo run`, and prints which hold.

wasi_suite.py DIR                       those of preview 1; DIR is a checkout of the branch prod/testsuite-base, which has them compiled
wasi_suite.py DIR NAME...               those cases
wasi_suite.py --component DIR [NAME...] each as a component that `undergo component` makes of it: by WASI 0.2
wasi_suite.py --wasi-0.3 DIR [NAME...]  those of WASI 0.3, by a program that was built for it (UNDERGO_WASI_0_3)

The suite has no cases of WASI 0.2's own. Those of wasi:http are skipped, of which the suite has some for WASI 0.3.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from project import CLI, environment

LONGEST = 60
"""Seconds that a case may take."""


class WrongError(Exception):
    """What a case does is not what is expected of it."""


@dataclass(frozen=True)
class Kind:
    """Which cases are run, and how."""

    target: str
    program: Path
    is_component: bool = False
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Case:
    """A program, and what is done with it, as doc/specification.md of the suite has it."""

    program: Path
    operations: list[dict[str, Any]]
    proposals: list[str]

    @classmethod
    def of(cls, program: Path) -> Case:
        """Read the specification of a program."""
        path = program.with_suffix(".json")
        given = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        operations = given.get("operations")
        if operations is None:
            first = {"type": "run", **{name: given[name] for name in ("args", "env", "root") if name in given}}
            reads = [{"type": "read", "id": name, "payload": given[name]} for name in ("stdout", "stderr") if name in given]
            operations = [first, *reads, {"type": "wait", "exit_code": given.get("exit_code", 0)}]
        return cls(program, operations, given.get("proposals", []))

    @property
    def name(self) -> str:
        """The language that it is written in, and its own name."""
        return f"{self.program.parents[2].name}/{self.program.stem}"

    def run(self, kind: Kind) -> str | None:
        """Run it on a fresh copy of its directory; gives what is wrong."""
        with tempfile.TemporaryDirectory(prefix="undergo-wasi-") as folder:
            program = self.program
            if kind.is_component:
                program = Path(folder, "component.wasm")
                made = subprocess.run([CLI, "component", self.program, "-o", program], capture_output=True, text=True, env=environment())
                if made.returncode:
                    return f"it became no component: {made.stderr}"
            run = self.operations[0]
            options = [f"--env={name}={value}" for name, value in run.get("env", {}).items()]
            if run.get("root") is not None:
                root = shutil.copytree(self.program.parent / run["root"], Path(folder, "root"), symlinks=True)
                options.append(f"--dir={root}::/")
            # Some that only make sockets don't ask for them.
            if "sockets" in self.proposals or self.program.stem.startswith("sockets-"):
                options.append("--net=any")
            command = [kind.program, "run", *kind.options, *options, program, *run.get("args", [])]
            pipe = subprocess.PIPE
            stdin = pipe if any(operation["type"] == "write" for operation in self.operations) else subprocess.DEVNULL
            with Run(subprocess.Popen(command, stdin=stdin, stdout=pipe, stderr=pipe, env=environment()), kind) as running:
                try:
                    for operation in self.operations[1:]:
                        running.do(operation)
                except WrongError as error:
                    return f"{error}\n{running.rest()}"
        return None


class Run:
    """A program that runs, and who talks to it."""

    def __init__(self, process: subprocess.Popen[bytes], kind: Kind) -> None:
        self.process = process
        self.kind = kind
        self.sockets: dict[str, socket.socket] = {}
        self.is_late = False
        self.timer = threading.Timer(LONGEST, self._end)

    def __enter__(self) -> Run:
        """Bound its time."""
        self.timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self.timer.cancel()
        self.process.kill()
        for connected in self.sockets.values():
            connected.close()
        self.process.communicate()

    def _end(self) -> None:
        self.is_late = True
        self.process.kill()

    def rest(self) -> str:
        """Give what it has printed beside what was read."""
        self.process.kill()
        return b"".join(self._stream(name).read() for name in ("stdout", "stderr")).decode("utf-8", "replace")

    def do(self, operation: dict[str, Any]) -> None:
        """Do what the specification says, or raise what is wrong."""
        payload = operation.get("payload", "").encode()
        match operation["type"]:
            case "read":
                self._expect(self._stream(operation.get("id", "stdout")).read(len(payload)), payload)
            case "write":
                stdin = self.process.stdin
                assert stdin is not None
                stdin.write(payload)
                stdin.close()
                self.process.stdin = None
            case "connect":
                host, port = self._stream("stdout").readline().decode().strip().rsplit(":", 1)
                self.sockets[operation["id"]] = socket.create_connection((host, int(port)), timeout=LONGEST)
            case "send":
                self.sockets[operation["id"]].sendall(payload)
            case "recv":
                self._expect(self.sockets[operation["id"]].makefile("rb").read(len(payload)), payload)
            case "wait":
                self._wait(operation.get("exit_code", 0))
            case other:
                raise WrongError(f"this runner does not know the operation {other}")

    def _wait(self, exit_code: int) -> None:
        code = self.process.wait()
        if self.is_late:
            raise WrongError(f"it had not ended after {LONGEST} s")
        # The exit of WASI 0.2 knows success and failure only.
        expected = min(exit_code, 1) if self.kind.is_component else exit_code
        if code != expected:
            raise WrongError(f"exit code {code}, not {expected}")

    def _stream(self, name: str) -> IO[bytes]:
        stream = self.process.stdout if name == "stdout" else self.process.stderr
        assert stream is not None
        return stream

    def _expect(self, found: bytes, expected: bytes) -> None:
        if found != expected:
            raise WrongError(f"{found!r}, not {expected!r}")


def main() -> int:
    """Run the cases; 0 when all hold."""
    parser = argparse.ArgumentParser(usage=__doc__)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--component", action="store_true")
    which.add_argument("--wasi-0.3", action="store_true", dest="wasi_0_3")
    parser.add_argument("checkout", type=Path)
    parser.add_argument("names", nargs="*")
    given = parser.parse_args()
    kind = Kind("wasm32-wasip1", CLI, is_component=given.component)
    if given.wasi_0_3:
        kind = Kind("wasm32-wasip3", Path(os.environ["UNDERGO_WASI_0_3"]), options=("--wasi-0.3",))
    cases = map(Case.of, sorted(given.checkout.glob(f"tests/*/testsuite/{kind.target}/*.wasm")))
    chosen = [case for case in cases if not given.names or case.name in given.names or case.program.stem in given.names]
    if not chosen:
        sys.exit(f"{given.checkout} has no such cases: it is to be a checkout of wasi-testsuite's branch prod/testsuite-base")
    failed = skipped = 0
    for case in chosen:
        if "http" in case.proposals:
            skipped += 1
            continue
        wrong = case.run(kind)
        failed += wrong is not None
        print(f"{'ok  ' if wrong is None else 'FAIL'} {case.name}", flush=True)
        if wrong is not None:
            print("     " + wrong.strip().replace("\n", "\n     "), flush=True)
    ran = len(chosen) - skipped
    print(f"{ran - failed} of {ran} hold{f', {skipped} of wasi:http are skipped' if skipped else ''}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
