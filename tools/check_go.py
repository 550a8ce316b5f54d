"""Checks the format of Go modules, and vets them for this machine and for WebAssembly.

check_go.py MODULE...          check
check_go.py --fix MODULE...    format
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import go
from project import ROOT, environment, executable


def main(arguments: list[str]) -> int:
    """Check or format the modules; 0 when there is nothing to say."""
    fix = arguments[:1] == ["--fix"]
    found = go.find()
    gofmt = executable(Path(go_root(found)) / "bin", "gofmt")
    problems = False
    for module in arguments[1:] if fix else arguments:
        # testdata has programs that are wrong on purpose.
        files = [path for path in sorted((ROOT / module).rglob("*.go")) if "testdata" not in path.parts and not is_made(path)]
        listed = subprocess.run([gofmt, "-w" if fix else "-l", *files], capture_output=True, text=True)
        print(f"{'gofmt' if fix else 'gofmt, go vet'} {module}", flush=True)
        if listed.stdout or listed.stderr:
            print(f"not formatted:\n{listed.stdout}{listed.stderr}", end="", flush=True)
            problems = True
        # What is compiled as a part of other modules has none of its own.
        if not fix and (ROOT / module / "go.mod").is_file():
            problems |= not vet(found, ROOT / module)
    return 1 if problems else 0


def is_made(path: Path) -> bool:
    """Whether a file is glue, or says itself that it was generated."""
    return path.name == "undergo_gen.go" or path.read_text(encoding="utf-8").startswith("// Code generated ")


def go_root(found: Path) -> str:
    """Give the folder of the Go toolchain, which has gofmt in it."""
    return subprocess.run([found, "env", "GOROOT"], capture_output=True, text=True, check=True).stdout.strip()


def vet(found: Path, module: Path) -> bool:
    """Vet a module; whether it is in order.

    A plugin is vetted as it is compiled: for WebAssembly, with its glue.
    """
    wasm = {"GOOS": "wasip1", "GOARCH": "wasm", "CGO_ENABLED": "0"}
    env = environment(found)
    if module == ROOT / "bindings-go":
        # The host's package: for each way to find the library, and without files in memory.
        ways = [{}, {"GOFLAGS": "-tags=undergo_system"}, {"GOOS": "darwin", "GOARCH": "arm64"}]
        if shutil.which("cc"):
            ways.append({"GOFLAGS": "-tags=undergo_cgo", "CGO_ENABLED": "1"})
        return all(quiet([found, "vet", "./..."], module, env | {"CGO_ENABLED": "0"} | way) for way in ways)
    if (module / "doc.go").is_file():
        return all([quiet([found, "vet", "./..."], module, env), quiet([found, "vet", "."], module, env | wasm)])
    return quiet([found, "vet", "./..."], module, env | wasm)


def quiet(command: list[str | Path], directory: Path, env: dict[str, str]) -> bool:
    """Run a command, and show its output only when it fails. Whether it succeeded."""
    done = subprocess.run(command, cwd=directory, env=env, capture_output=True, text=True)
    if done.returncode:
        print(done.stdout + done.stderr, end="", flush=True)
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
