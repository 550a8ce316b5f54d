"""Run bench/ruby.rb with the gem and a native Go library: a section of bench/results.md."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
BUILD = Path(os.environ.get("UNDERGO_BUILD") or ROOT / "build")


def main() -> int:
    """Build both sides, and measure; 0 when the bounds hold, 3 when one is missed."""
    cli, go = os.environ.get("UNDERGO", str(BUILD / "bin" / "undergo")), os.environ.get("UNDERGO_GO", "go")
    with tempfile.TemporaryDirectory() as made:
        wasm, native = Path(made, "plugin.wasm"), Path(made, "native.so")
        run([cli, "build", HERE / "plugin", "-o", wasm])
        env = dict(os.environ, CGO_ENABLED="1", GOFLAGS="-buildvcs=false")
        run([go, "build", "-buildmode=c-shared", "-o", native, "."], cwd=HERE / "native", env=env)
        return subprocess.run(["ruby", "-I", BUILD / "ruby" / "lib", HERE / "ruby.rb", wasm, native], check=False).returncode


def run(command: list[str | Path], **options: object) -> None:
    """Run a command that must succeed; what it says goes to standard error."""
    subprocess.run([*map(str, command)], check=True, stdout=sys.stderr, **options)  # type: ignore[call-overload]


if __name__ == "__main__":
    sys.exit(main())
