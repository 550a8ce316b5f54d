"""Compile the program of bench/rust, and run it: a section of bench/results.md."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
BUILD = Path(os.environ.get("UNDERGO_BUILD") or ROOT / "build")

sys.path.insert(0, str(ROOT / "tools"))
import host_rust  # noqa: E402

OTHERS = """
[dependencies.wasmtime]
version = "48"
default-features = false

[dependencies.wasmtime-wasi]
version = "48"
default-features = false
features = ["p1"]
"""


def main() -> int:
    """Build and measure; 0 when the bounds hold, 3 when one is missed."""
    cli, go = os.environ.get("UNDERGO", str(BUILD / "bin" / "undergo")), os.environ.get("UNDERGO_GO", "go")
    package = BUILD / "bench-rust"
    (package / "src").mkdir(parents=True, exist_ok=True)
    wasm, native = package / "plugin.wasm", package / "native.so"
    run([cli, "build", HERE / "plugin", "-o", wasm])
    run([cli, "bindgen", wasm, "--lang", "rust", "-o", package / "src" / "plugin.rs"])
    run([go, "-C", HERE / "native", "build", "-buildmode=c-shared", "-o", native, "."], CGO_ENABLED="1")
    shutil.copy2(HERE / "rust" / "main.rs", package / "src")
    shutil.copy2(ROOT / "Cargo.lock", package)
    (package / "Cargo.toml").write_text(host_rust.manifest(quick=False) + OTHERS)
    run(["cargo", "build", "--release", "--manifest-path", package / "Cargo.toml"])
    program = Path(os.environ.get("CARGO_TARGET_DIR") or package / "target") / "release" / "programs"
    return subprocess.run([program, wasm, native], check=False).returncode


def run(command: list[str | Path], **variables: str) -> None:
    """Run a command that must succeed; what it says goes to standard error."""
    subprocess.run([*map(str, command)], check=True, stdout=sys.stderr, env=os.environ | variables)


if __name__ == "__main__":
    sys.exit(main())
