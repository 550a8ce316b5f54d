"""Compile the program of bench/jvm, and run it on the oldest and the latest Java of this machine: a section of bench/results.md."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tools"))

import maven  # noqa: E402
from host_java import JAR, NATIVE, Java, homes  # noqa: E402


def main() -> int:
    """Build and measure; 0 when the bounds hold, 3 when one is missed."""
    Java().build()
    cli = os.environ.get("UNDERGO", "undergo")
    code = 0
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        wasm, client, jars = folder / "plugin.wasm", folder / "BenchPlugin.java", folder / "jars"
        run([cli, "build", HERE / "plugin", "-o", wasm])
        run([cli, "bindgen", wasm, "--lang", "java", "-o", client])
        maven.run(HERE / "jvm" / "pom.xml", "dependency:build-classpath", f"-Dmdep.outputFile={jars}")
        path = os.pathsep.join([str(JAR), jars.read_text().strip()])
        oldest, latest = homes()[0], homes()[-1]
        run([oldest / "bin" / "javac", "-d", folder, "-cp", path, HERE / "jvm" / "Bench.java", client])
        for java in dict.fromkeys((oldest, latest)):
            command = [java / "bin" / "java", *NATIVE, "-cp", os.pathsep.join([made, path]), "Bench", wasm]
            code = max(code, subprocess.run([*map(str, command)], check=False).returncode)
            print(flush=True)
    return code


def run(command: list[str | Path]) -> None:
    """Run a command that must succeed; what it says goes to standard error."""
    subprocess.run([*map(str, command)], check=True, stdout=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
