"""Compile the programs of bench/jvm, in Java and in Kotlin, and run them on the oldest and the latest Java of this machine.

That is a section of bench/results.md; Extism is measured beside them, where its library can be installed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tools"))

import host_kotlin  # noqa: E402
import maven  # noqa: E402
from host_java import JAR, NATIVE, homes  # noqa: E402

EXTISM = "extism-sys==1.41.0"


def main() -> int:
    """Build and measure; 0 when the bounds hold, 3 when one is missed."""
    host_kotlin.Kotlin().build()
    cli = os.environ.get("UNDERGO", "undergo")
    code = 0
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        jars = folder / "jars"
        plugins = {"plugin": "BenchPlugin.java", "living": "LivingPlugin.java"}
        for name, client in plugins.items():
            run([cli, "build", HERE / name, "-o", folder / f"{name}.wasm"])
            run([cli, "bindgen", folder / f"{name}.wasm", "--lang", "java", "-o", folder / client])
        maven.run(HERE / "jvm" / "pom.xml", "dependency:build-classpath", f"-Dmdep.outputFile={jars}")
        path = os.pathsep.join([str(JAR), jars.read_text().strip()])
        oldest, latest = homes()[0], homes()[-1]
        sources = [*(HERE / "jvm").glob("*.java"), *(folder / client for client in plugins.values())]
        run([oldest / "bin" / "javac", "-d", folder, "-cp", path, *sources])
        kotlin = folder / "kotlin" / "Bench.kt"
        kotlin.parent.mkdir()
        shutil.copy2(HERE / "jvm" / "Bench.kt", kotlin)
        run([cli, "bindgen", folder / "plugin.wasm", "--lang", "kotlin", "-o", kotlin.with_name("BenchPlugin.kt")])
        _, *of_kotlin = host_kotlin.Kotlin().command(kotlin, folder / "kotlin")
        library = extism(folder)
        wasm = [folder / f"{name}.wasm" for name in plugins]
        for java in dict.fromkeys((oldest, latest)):
            command = [java / "bin" / "java", *NATIVE, "-cp", os.pathsep.join([made, path])]
            code = max(code, subprocess.run([*map(str, command), "Bench", *map(str, wasm)], check=False).returncode)
            print(flush=True)
            in_kotlin = [java / "bin" / "java", *of_kotlin, wasm[0]]
            code = max(code, subprocess.run([*map(str, in_kotlin)], check=False).returncode)
            print(flush=True)
            if library is None:
                print("Extism's library can't be installed here, and is not measured.\n", flush=True)
                continue
            beside = [*command, f"-Djna.library.path={library.parent}", "Extism", wasm[0], folder / "extism.wasm"]
            code = max(code, subprocess.run([*map(str, beside)], check=False).returncode)
            print(flush=True)
    return code


def extism(folder: Path) -> Path | None:
    """Build the guest for Extism, and take its library from the package for Python, which has it; none where that can't be had."""
    go = os.environ.get("UNDERGO_GO", "go")
    command = [go, "build", "-buildmode=c-shared", "-o", str(folder / "extism.wasm"), "."]
    subprocess.run(command, cwd=HERE / "extism", env=dict(os.environ, GOOS="wasip1", GOARCH="wasm"), check=True)
    wanted = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), EXTISM]
    if subprocess.run(wanted, check=False, stdout=sys.stderr).returncode:
        return None
    library = folder / "libextism.so"
    with zipfile.ZipFile(next(folder.glob("extism_sys-*.whl"))) as wheel:
        library.write_bytes(wheel.read("extism_sys/libextism_sys.so"))
    return library


def run(command: list[str | Path]) -> None:
    """Run a command that must succeed; what it says goes to standard error."""
    subprocess.run([*map(str, command)], check=True, stdout=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
