"""Build what node.mjs measures, install Extism's SDK for it if that is to be had, and run it.

Part of `make bench`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tools"))

from hosts import HOSTS  # noqa: E402
from project import CLI  # noqa: E402

EXTISM = "@extism/extism@1.0.3"


def extism(folder: Path) -> bool:
    """Install the SDK beside the package; whether it is there."""
    wanted = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--no-save", "--prefix", str(folder), EXTISM]
    return subprocess.run(wanted, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


def main() -> int:
    """Build and measure; 0 when all bounds hold."""
    host = HOSTS["node"]
    if reason := host.missing():
        print(f"Not measured here: {reason}.")
        return 0
    host.build()
    go = os.environ.get("UNDERGO_GO", "go")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        built = [str(CLI), "build", str(HERE / "plugin"), "-o", str(folder / "plugin.wasm")]
        subprocess.run(built, check=True, stdout=subprocess.DEVNULL)
        for guest in ("wasi", "extism"):
            command = [go, "build", "-buildmode=c-shared", "-o", str(folder / f"{guest}.wasm"), "."]
            subprocess.run(command, cwd=HERE / guest, env=dict(os.environ, GOOS="wasip1", GOARCH="wasm"), check=True)
        program = folder / "node.mjs"
        program.write_bytes((HERE / "node.mjs").read_bytes())
        measured = ["plugin.wasm", "wasi.wasm"]
        if extism(folder):
            measured.append("extism.wasm")
        node, *rest = host.command(program, folder)
        wanted = [node, "--no-warnings", *rest, *(folder / name for name in measured)]
        return subprocess.run(list(map(str, wanted)), check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
