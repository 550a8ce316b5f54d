"""Kotlin, on the JVM: a layer over the package for Java."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import host_java
import maven
from host import Command, Host
from project import BUILD, ROOT, Stamp, run, say, sources

PROJECT = ROOT / "bindings-kotlin"
OUT = BUILD / "kotlin"
CLASSES = OUT / "maven" / "classes"
CLASSPATH = OUT / "classpath"
"""Jars that a program needs besides the package."""
TOOLS = OUT / "tools.classpath"
"""Jars of the compiler, and what it needs."""
VERSION = "0.1.0"


class Kotlin(Host):
    """Programs are compiled by the Kotlin compiler from its jar, and run by java."""

    name = "kotlin"
    program = "Main.kt"

    def missing(self) -> str | None:
        """Need what Java needs."""
        return host_java.Java().missing()

    def build(self) -> None:
        """Make the package for Java, let Maven know it, and make the classes."""
        host_java.Java().build()
        stamp = Stamp("kotlin", [host_java.JAR, *sources("bindings-kotlin/src/main", "bindings-kotlin/pom.xml")])
        if stamp.fresh() and CLASSES.is_dir() and CLASSPATH.is_file():
            return
        stamp.clear()
        say("compiling the package for Kotlin")
        # The compiler leaves the classes of files that are gone.
        shutil.rmtree(OUT / "maven", ignore_errors=True)
        pom = host_java.PROJECT / "pom.xml"
        maven.run(pom, "install:install-file", f"-Dfile={host_java.JAR}", f"-DpomFile={pom}")
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
    arguments: Command = ["-no-stdlib", "-no-reflect", "-jvm-target", str(host_java.OLDEST), "-nowarn", "-cp", together, "-d", classes]
    compiler = os.pathsep.join(map(str, jars(TOOLS)))
    run(["java", "-Xshare:auto", "-cp", compiler, "org.jetbrains.kotlin.cli.jvm.K2JVMCompiler", *arguments, program, *beside])
    main = program.stem[:1].upper() + program.stem[1:] + "Kt"
    return ["java", *host_java.NATIVE, "-cp", os.pathsep.join([str(classes), together]), main]
