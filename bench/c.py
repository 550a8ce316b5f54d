"""Compile the programs of bench/c against the C library and a native Go library, and run them: a section of bench/results.md."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
BUILD = Path(os.environ.get("UNDERGO_BUILD") or ROOT / "build")
PROGRAMS = [
    ("CC", "-std=gnu11", "main.c", "libundergo.so"),
    ("CC", "-std=gnu11", "main.c", "libundergo.a"),
    ("CXX", "-std=c++17", "main.cpp", "libundergo.so"),
]
"""What is compiled, how, and what it is linked with."""


def main() -> int:
    """Build both sides, and measure; 0 when the bounds hold, 3 when one is missed."""
    library = BUILD / "c"
    cli, go = os.environ.get("UNDERGO", str(BUILD / "bin" / "undergo")), os.environ.get("UNDERGO_GO", "go")
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        wasm, native, program = folder / "plugin.wasm", folder / "native.so", folder / "main"
        env = dict(os.environ, CGO_ENABLED="1", GOFLAGS="-buildvcs=false")
        run([cli, "build", HERE / "plugin", "-o", wasm])
        run([cli, "bindgen", wasm, "--lang", "c", "-o", folder / "plugin.h"])
        # Beside the library, Go writes its header.
        run([go, "build", "-buildmode=c-shared", "-o", native, "."], cwd=HERE / "native", env=env)
        run([cli, "bindgen", wasm, "--lang", "cpp", "-o", folder / "plugin.hpp"])
        flags = ["-O2", f"-I{folder}", f"-I{library / 'include'}", f"-L{library / 'lib'}"]
        paths = [f"-Wl,-rpath,{library / 'lib'}", f"-Wl,-rpath,{folder}"]
        ends = []
        for compiler, standard, source, name in PROGRAMS:
            command = os.environ.get(compiler, "cc" if compiler == "CC" else "c++")
            linked = ["-lundergo"] if name.endswith(".so") else [library / "lib" / name, "-lpthread", "-ldl", "-lm"]
            run([command, standard, f'-DLIBRARY="{name}"', *flags, HERE / "c" / source, native, *linked, *paths, "-o", program])
            ends.append(subprocess.run([program, wasm], check=False).returncode)
        return max(ends)


def run(command: list[str | Path], **options: object) -> None:
    """Run a command that must succeed; what it says goes to standard error."""
    subprocess.run([*map(str, command)], check=True, stdout=sys.stderr, **options)  # type: ignore[call-overload]


if __name__ == "__main__":
    sys.exit(main())
