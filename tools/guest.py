"""Builds the guests of the tests: plugins with the command line tool, the command with plain Go.

guest.py                 build them to build/conformance.wasm, build/hostile.wasm, build/services.wasm and build/command.wasm,
                         the first two as components, too (build/conformance-component.wasm), and build/component.wasm
guest.py GO OUTPUT       build the conformance guest with that go command to that file
"""

from __future__ import annotations

import sys
from pathlib import Path

import go
from project import (
    BUILD,
    CLI,
    COMMAND,
    COMPONENT,
    CONFORMANCE,
    CONFORMANCE_COMPONENT,
    HOSTILE,
    HOSTILE_COMPONENT,
    ROOT,
    SERVICES,
    SERVICES_COMPONENT,
    Stamp,
    environment,
    run,
    sources,
)


def build(with_go: Path, output: Path, guest: str = "conformance/guest", *flags: str) -> None:
    """Build a guest, unless it was made from what is there now."""
    version = ".".join(map(str, go.version(with_go)))
    stamp = Stamp(f"guest-{output.stem}", [*sources(guest, "go-guest-sdk"), CLI], str(with_go), version, *flags)
    if stamp.fresh() and output.is_file():
        return
    output.parent.mkdir(parents=True, exist_ok=True)
    env = environment(with_go)
    # A release is tried as it is, though a go.mod may ask for a newer one.
    env["GOTOOLCHAIN"] = "local"
    run([CLI, "build", guest, *flags, "-o", output], env=env)
    stamp.set()


def build_command(with_go: Path, output: Path) -> None:
    """Build the command, unless it was made from what is there now."""
    version = ".".join(map(str, go.version(with_go)))
    stamp = Stamp(f"guest-{output.stem}", sources("conformance/command"), str(with_go), version)
    if stamp.fresh() and output.is_file():
        return
    env = environment(with_go) | {"GOOS": "wasip1", "GOARCH": "wasm", "GOTOOLCHAIN": "local"}
    run([with_go, "build", "-buildvcs=false", "-o", output, "."], cwd=ROOT / "conformance" / "command", env=env)
    stamp.set()


if __name__ == "__main__":
    if len(sys.argv) == 3:
        build(Path(sys.argv[1]), Path(sys.argv[2]))
    else:
        BUILD.mkdir(parents=True, exist_ok=True)
        found = go.find()
        build(found, CONFORMANCE)
        build(found, CONFORMANCE_COMPONENT, "conformance/guest", "--component")
        build(found, HOSTILE, "conformance/hostile")
        build(found, HOSTILE_COMPONENT, "conformance/hostile", "--component")
        build(found, COMPONENT, "tools/component", "--component")
        build(found, SERVICES, "conformance/services")
        build(found, SERVICES_COMPONENT, "conformance/services", "--component")
        build_command(found, COMMAND)
