"""Kotlin, on the JVM."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import maven
import native
import uniffi
from host import Command, Host
from project import BUILD, ROOT, Stamp, run, say, sources

PROJECT = ROOT / "bindings-uniffi" / "kotlin"
OUT = BUILD / "kotlin"
GENERATED = OUT / "generated"
NATIVE = OUT / "native"
CLASSES = OUT / "maven" / "classes"
CLASSPATH = OUT / "classpath"
"""Jars that a program needs besides the package."""
TOOLS = OUT / "tools.classpath"
"""Jars of the compiler, and what it needs."""
VERSION = "0.1.0"

OLDEST = 17


class Kotlin(Host):
    """Programs are compiled by the Kotlin compiler from its jar, and run by java."""

    name = "kotlin"
    program = "Main.kt"

    def missing(self) -> str | None:
        """Java and Maven are needed."""
        for tool in ("java", "javac", "mvn"):
            if not shutil.which(tool):
                return f"there is no {tool}; on Debian: apt install openjdk-17-jdk-headless maven"
        said = subprocess.run(["javac", "-version"], capture_output=True, text=True)
        version = (said.stdout or said.stderr).removeprefix("javac ").split(".")[0].strip()
        return None if version.isdigit() and int(version) >= OLDEST else f"javac is of Java {version}, and {OLDEST} is needed"

    def build(self) -> None:
        """Make the shared library, Kotlin's half of it by UniFFI, and the classes."""
        built = uniffi.generate("kotlin", GENERATED)
        stamp = Stamp("kotlin", [built, *sources("bindings-uniffi/kotlin/src/main", "bindings-uniffi/kotlin/pom.xml")])
        if stamp.fresh() and CLASSES.is_dir() and CLASSPATH.is_file():
            return
        stamp.clear()
        into = NATIVE / jna_platform()
        shutil.rmtree(NATIVE, ignore_errors=True)
        into.mkdir(parents=True)
        native.install(built, into / built.name)
        say("compiling the package for Kotlin")
        classpath(CLASSPATH, "runtime")
        classpath(TOOLS, "test")
        maven.run(PROJECT / "pom.xml", f"-Dundergo.build={OUT}", "compile")
        stamp.set()

    def command(self, program: Path, folder: Path) -> Command:
        """Compile the program in the folder."""
        return compiled(program, folder, [CLASSES, *jars(CLASSPATH)])

    def package(self, into: Path) -> list[Path]:
        """Give the jar, its pom, and the jars that it depends on."""
        maven.run(PROJECT / "pom.xml", f"-Dundergo.build={OUT}", "-Dmaven.test.skip=true", "package")
        jar = shutil.copy2(OUT / "maven" / f"undergo-{VERSION}.jar", into)
        pom = shutil.copy2(PROJECT / "pom.xml", into / f"undergo-{VERSION}.pom")
        return [Path(jar), Path(pom)]

    def installed(self, packages: list[Path], program: Path, folder: Path) -> Command:
        """Put the jar into an empty folder with what its pom names."""
        libraries = folder / "lib"
        libraries.mkdir()
        own = [Path(shutil.copy2(package, libraries)) for package in packages if package.suffix == ".jar"]
        pom = next(package for package in packages if package.suffix == ".pom")
        maven.run(pom, "dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={libraries}")
        others = sorted(path for path in libraries.glob("*.jar") if path not in own)
        return compiled(Path(shutil.copy2(program, folder)), folder, [*own, *others])


def classpath(file: Path, scope: str) -> None:
    """Have Maven write the paths of the jars that the package depends on."""
    maven.run(PROJECT / "pom.xml", "dependency:build-classpath", f"-DincludeScope={scope}", f"-Dmdep.outputFile={file}")


def jars(file: Path) -> list[Path]:
    """Read what Maven wrote."""
    return [Path(path) for path in file.read_text().strip().split(os.pathsep)]


def compiled(program: Path, folder: Path, path: Sequence[Path]) -> Command:
    """Compile a program, and the files beside it that `undergo bindgen` wrote; give the command that runs it."""
    classes = folder / "classes" / program.stem
    together = os.pathsep.join(map(str, path))
    beside = sorted(program.parent.glob("*Plugin.kt"))
    arguments: Command = ["-no-stdlib", "-no-reflect", "-jvm-target", str(OLDEST), "-nowarn", "-cp", together, "-d", classes]
    compiler = os.pathsep.join(map(str, jars(TOOLS)))
    run(["java", "-Xshare:auto", "-cp", compiler, "org.jetbrains.kotlin.cli.jvm.K2JVMCompiler", *arguments, program, *beside])
    main = program.stem[:1].upper() + program.stem[1:] + "Kt"
    return ["java", "-cp", os.pathsep.join([str(classes), together]), main]


def jna_platform() -> str:
    """Give the folder of a jar in which JNA looks for a shared library on this machine."""
    machine = {"amd64": "x86-64", "x86_64": "x86-64", "arm64": "aarch64"}.get(platform.machine().lower(), platform.machine().lower())
    system = {"darwin": "darwin", "win32": "win32"}.get(sys.platform, "linux")
    return f"{system}-{machine}"
