"""Compile the program of bench/golang without cgo, and run it: a section of bench/results.md."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
BUILD = Path(os.environ.get("UNDERGO_BUILD") or ROOT / "build")


def main() -> int:
    """Build and measure; 0 when the bounds hold, 3 when one is missed."""
    cli, go = os.environ.get("UNDERGO", str(BUILD / "bin" / "undergo")), os.environ.get("UNDERGO_GO", "go")
    end = "dylib" if sys.platform == "darwin" else "so"
    env = dict(
        os.environ, CGO_ENABLED="0", GOFLAGS="-buildvcs=false -mod=mod", UNDERGO_LIBRARY=str(BUILD / "c" / "lib" / f"libundergo.{end}")
    )
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        wasm, module = folder / "plugin.wasm", folder / "bench"
        shutil.copytree(HERE / "golang", module)
        run([cli, "build", HERE / "plugin", "-o", wasm], env)
        (module / "client").mkdir()
        run([cli, "bindgen", wasm, "--lang", "go", "-o", module / "client" / "client.go"], env)
        package = "github.com/undergo-dev/undergo/bindings-go"
        run([go, "-C", module, "mod", "edit", f"-replace={package}={ROOT / 'bindings-go'}"], env)
        run([go, "-C", module, "mod", "tidy"], env)
        run([go, "-C", module, "build", "-o", folder / "program", "."], env)
        return subprocess.run([folder / "program", wasm], env=env, check=False).returncode


def run(command: list[str | Path], env: dict[str, str]) -> None:
    """Run a command that must succeed; what it says goes to standard error."""
    subprocess.run([*map(str, command)], check=True, stdout=sys.stderr, env=env)


if __name__ == "__main__":
    sys.exit(main())
