"""Compile the program of bench/golang without cgo and with it, and run both: a section of bench/results.md."""

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
    env = dict(os.environ, GOFLAGS="-buildvcs=false -mod=mod", UNDERGO_LIBRARY=str(BUILD / "c" / "lib" / f"libundergo.{end}"))
    code = 0
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        wasm, messages, module, lasting = folder / "plugin.wasm", folder / "messages.wasm", folder / "bench", folder / "lasting.wasm"
        shutil.copytree(HERE / "golang", module)
        run([cli, "build", HERE / "plugin", "-o", wasm], env)
        (module / "client").mkdir()
        run([cli, "bindgen", wasm, "--lang", "go", "-o", module / "client" / "client.go"], env)
        run([cli, "build", HERE / "golang" / "lasting", "-o", lasting], env)
        # The plugin itself is no package of the program.
        shutil.rmtree(module / "lasting")
        run([cli, "bindgen", lasting, "--lang", "go", "-o", f"{module / 'lasting'}/"], env)
        package = "github.com/undergo-dev/undergo/bindings-go"
        parts = ["", *(f"/lib/{part.name}" for part in (ROOT / "bindings-go" / "lib").iterdir())]
        run([go, "-C", module, "mod", "edit", *(f"-replace={package}{part}={ROOT}/bindings-go{part}" for part in parts)], env)
        run([go, "-C", module, "mod", "tidy"], env)
        guest = env | {"GOOS": "wasip1", "GOARCH": "wasm", "CGO_ENABLED": "0"}
        run([go, "-C", module, "build", "-buildmode=c-shared", "-o", messages, "./messages"], guest)
        # Without cgo, and with it if there is a C compiler.
        for cgo in ("0", "1") if shutil.which(os.environ.get("CC", "cc")) else ("0",):
            program = folder / f"program{cgo}"
            run([go, "-C", module, "build", "-o", program, "."], env | {"CGO_ENABLED": cgo})
            code = max(code, subprocess.run([program, wasm, messages, lasting], env=env, check=False).returncode)
    return code


def run(command: list[str | Path], env: dict[str, str]) -> None:
    """Run a command that must succeed; what it says goes to standard error."""
    subprocess.run([*map(str, command)], check=True, stdout=sys.stderr, env=env)


if __name__ == "__main__":
    sys.exit(main())
