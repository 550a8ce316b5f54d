"""Java, as the language of a host."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import c_library
import maven
import sbom
from host import Command, Host
from project import BUILD, ROOT, Stamp, library, run, say, sources

PROJECT = ROOT / "bindings-jvm"
OUT = BUILD / "java"
VERSION = "0.1.0"
JAR = OUT / "maven" / f"undergo-java-{VERSION}.jar"

OLDEST = 17
FOREIGN = 22
"""The first version of Java with classes of its own in the jar."""

NATIVE = ["--enable-native-access=ALL-UNNAMED"]
"""Java 24 and later warn where a program that calls native code was started without it; Java 17 knows it, too."""


class Java(Host):
    """Programs are compiled by javac, and run by java, with the jar."""

    name = "java"
    program = "Main.java"

    def missing(self) -> str | None:
        """Java and Maven are needed."""
        for tool in ("java", "javac", "mvn"):
            if not shutil.which(tool):
                return f"there is no {tool}; on Debian: apt install openjdk-17-jdk-headless maven"
        version = version_of(Path(str(shutil.which("javac"))))
        return None if version >= OLDEST else f"javac is of Java {version}, and {OLDEST} is needed"

    def build(self) -> None:
        """Make the C library, and the jar with it."""
        c_library.build()
        shared = c_library.LIBRARY / "lib" / library("undergo")
        stamp = Stamp("java", [shared, *sources("bindings-jvm/src/main", "bindings-jvm/pom.xml")], *map(str, newest().parts))
        if stamp.fresh() and JAR.is_file():
            return
        stamp.clear()
        into = OUT / "resources" / "dev" / "undergo" / "java" / "native" / native_platform()
        shutil.rmtree(OUT / "resources", ignore_errors=True)
        into.mkdir(parents=True)
        shutil.copy2(shared, into, follow_symlinks=True)
        shutil.copy2(sbom.of("undergo-c"), into / c_library.BILL)
        say("compiling the package for Java")
        goals = ("-Dmaven.test.skip=true", "clean", "package")
        maven.run(PROJECT / "pom.xml", f"-Dundergo.build={OUT}", *goals, java=newest())
        stamp.set()

    def command(self, program: Path, folder: Path) -> Command:
        """Compile the program in the folder."""
        return compiled(program, folder, [JAR])

    def package(self, into: Path) -> list[Path]:
        """Give the jar, and its pom."""
        jar = shutil.copy2(JAR, into)
        pom = shutil.copy2(PROJECT / "pom.xml", into / f"undergo-java-{VERSION}.pom")
        return [Path(jar), Path(pom)]

    def installed(self, packages: list[Path], program: Path, folder: Path) -> Command:
        """Put the jar into an empty folder; it depends on nothing."""
        libraries = folder / "lib"
        libraries.mkdir()
        jars = [Path(shutil.copy2(package, libraries)) for package in packages if package.suffix == ".jar"]
        return compiled(Path(shutil.copy2(program, folder)), folder, jars)


def compiled(program: Path, folder: Path, path: Sequence[Path]) -> Command:
    """Compile a program, with the files beside it that `undergo bindgen` wrote; give the command that runs it."""
    classes = folder / "classes" / program.stem
    together = os.pathsep.join(map(str, path))
    beside = sorted(file for file in program.parent.rglob("*.java") if file != program and file.name.endswith("Plugin.java"))
    run(["javac", "-d", classes, "-cp", together, program, *beside])
    return ["java", *NATIVE, "-cp", os.pathsep.join([str(classes), together]), program.stem]


def homes() -> list[Path]:
    """Give the JDKs of this machine: the one on PATH, JAVA_HOME, and those where Linux has them, each once."""
    found: dict[int, Path] = {}
    on_path = shutil.which("javac")
    candidates = [Path(on_path).resolve().parent.parent] if on_path else []
    candidates += [Path(os.environ["JAVA_HOME"])] if os.environ.get("JAVA_HOME") else []
    jvms = Path("/usr/lib/jvm")
    candidates += sorted(jvms.iterdir()) if jvms.is_dir() else []
    for home in candidates:
        javac = home / "bin" / "javac"
        if javac.is_file():
            found.setdefault(version_of(javac), home)
    return [found[version] for version in sorted(found) if version >= OLDEST]


def newest() -> Path:
    """Give the JDK of the latest version, which compiles the classes for late versions, too."""
    return homes()[-1]


def version_of(javac: Path) -> int:
    """Give the version of a javac; 0 when it does not say one."""
    said = subprocess.run([javac, "-version"], capture_output=True, text=True)
    found = re.search(r"javac (\d+)", said.stdout + said.stderr)
    return int(found[1]) if found else 0


def native_platform() -> str:
    """Give the folder of the jar in which the package looks for the library of this machine."""
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine().lower(), platform.machine().lower())
    system = {"darwin": "darwin", "win32": "windows"}.get(sys.platform, "linux")
    return f"{system}-{machine}"
