"""The runtimes of other languages with which the packages are tried: where each is found or fetched, and how it runs a probe."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import c_library
import debian
import glibc
import go
import host_go
import host_java
import host_node
import host_ruby
import wheel
from host import Command
from project import BUILD, ROOT, Stamp, environment, library, run, say

PROBES = ROOT / "tools" / "versions"
PLACE = BUILD / "versions"

NODES = (20, 22, 24, 26)
PYTHONS = range(10, 16)
DEBIAN_PYTHONS = {11: "bookworm", 13: "trixie", 14: "sid", 15: "sid"}
"""The minor versions of Python that Debian has, and where."""
JAVAS = (17, 25)


@dataclass(frozen=True)
class Runtime:
    """One version of a runtime."""

    name: str
    command: Command = field(default_factory=list)
    """Runs the probe; the plugin is one more argument."""
    env: Mapping[str, str] = field(default_factory=dict)
    lacks: str | None = None
    """Why it can't be tried here."""


def javascript(name: str) -> Iterator[Runtime]:
    """Give Node, Bun or Deno, whose programs are in packages of npm."""
    if reason := host_node.Node().missing():
        yield Runtime(name, lacks=reason)
        return
    system = "darwin" if sys.platform == "darwin" else "linux"
    machine = "arm64" if platform.machine() in ("arm64", "aarch64") else "x64"
    libc = "" if system == "darwin" else "-glibc"
    packages = {
        "node": {f"node-{major}": f"npm:node-{system}-{machine}@{major}" for major in NODES},
        "bun": {"bun": f"npm:@oven/bun-{system}-{'aarch64' if machine == 'arm64' else machine}@1"},
        "deno": {"deno": f"npm:@deno/{system}-{machine}{libc}@2"},
    }[name]
    folder = _installed(packages, name)
    program = _program()
    for package in packages:
        found = folder / package / ("deno" if name == "deno" else f"bin/{name}")
        found.chmod(0o755)
        options = {"node": ["--expose-gc"], "bun": ["--expose-gc"], "deno": ["run", "--allow-all", "--v8-flags=--expose-gc"]}[name]
        yield Runtime(f"{name.capitalize()} {_said(found)}", [found, *options, program])


def _installed(packages: Mapping[str, str], name: str) -> Path:
    """Install packages of npm, and give the folder with them."""
    folder = PLACE / name
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"private": True, "dependencies": packages})
    stamp = Stamp(f"versions-{name}", [], text)
    if not stamp.fresh() or not (folder / "node_modules").is_dir():
        say(f"installing {name} from npm")
        (folder / "package.json").write_text(text)
        # Without their scripts, which fetch something else.
        run(["npm", "install", "--silent", "--ignore-scripts", "--force", "--no-audit", "--no-fund", "--no-package-lock"], cwd=folder)
        stamp.set()
    return folder / "node_modules"


def _program() -> Path:
    """Give the probe beside the package, as each of them looks for it."""
    folder = PLACE / "javascript"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(host_node.PACKAGE.parent, folder / "node_modules")
    # Deno takes from this folder what is listed.
    (folder / "package.json").write_text(json.dumps({"private": True, "dependencies": {"undergo": "*"}}))
    (folder / "deno.json").write_text(json.dumps({"nodeModulesDir": "manual"}))
    return Path(shutil.copy2(PROBES / "probe.mjs", folder))


def pythons() -> Iterator[Runtime]:
    """Give the versions of Python: those of this machine, and Debian's."""
    (built,) = wheel.WHEELS.glob("undergo-*.whl")
    site = PLACE / "site"
    shutil.rmtree(site, ignore_errors=True)
    with zipfile.ZipFile(built) as packed:
        packed.extractall(site)
    for minor in PYTHONS:
        command, env = _python(minor), {"PYTHONPATH": str(site)}
        if command is None and minor in DEBIAN_PYTHONS and not debian.missing():
            command, home = _debian_python(minor)
            env["PYTHONHOME"] = str(home)
        if command is None:
            yield Runtime(f"Python 3.{minor}", lacks="there is none on PATH or in pyenv")
        else:
            version = _said(*command, env=env)
            yield Runtime(f"Python {version}", [*command, PROBES / "probe.py"], env)


def _python(minor: int) -> Command | None:
    """Find one on PATH, or of pyenv."""
    candidates = [shutil.which(f"python3.{minor}")]
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    candidates += [str(file) for file in sorted(root.glob(f"versions/3.{minor}.*/bin/python3"), reverse=True)]
    for candidate in candidates:
        # What pyenv puts on PATH may be a script that only says that there is none.
        if candidate and _said(candidate).startswith(f"3.{minor}."):
            return [candidate]
    return None


def _debian_python(minor: int) -> tuple[Command, Path]:
    """Fetch one, with the libraries of its own system; give its command, and its home."""
    suite = DEBIAN_PYTHONS[minor]
    ssl = "libssl3" if suite == "bookworm" else "libssl3t64"
    own = [f"python3.{minor}-minimal", f"libpython3.{minor}-minimal", f"libpython3.{minor}-stdlib"]
    needed = ["libc6", "libgcc-s1", "zlib1g", "libexpat1", "libffi8", ssl, "libbz2-1.0", "liblzma5", "libzstd1", "libuuid1"]
    root = debian.unpack(f"python3.{minor}", [suite], own + needed)
    return glibc.command(root, root / "usr" / "bin" / f"python3.{minor}"), root / "usr"


def javas() -> Iterator[Runtime]:
    """Give the versions of Java that this machine has, with the jar; the oldest compiles the probe."""
    if reason := host_java.Java().missing():
        yield Runtime("Java", lacks=reason)
        return
    homes = {host_java.version_of(home / "bin" / "javac"): home for home in host_java.homes()}
    classes = PLACE / "java"
    javac = homes[min(homes)] / "bin" / "javac"
    run([javac, "--release", str(host_java.OLDEST), "-d", classes, "-cp", host_java.JAR, PROBES / "Probe.java"])
    for version in sorted({*JAVAS, *homes}):
        if version in homes:
            path = os.pathsep.join(map(str, (classes, host_java.JAR)))
            yield Runtime(f"Java {version}", [homes[version] / "bin" / "java", *host_java.NATIVE, "-cp", path, "Probe"])
        else:
            yield Runtime(f"Java {version}", lacks="there is no such JDK")


def gos() -> Iterator[Runtime]:
    """Give the probe as each release of Go compiles it."""
    if reason := host_go.Go().missing():
        yield Runtime("Go", lacks=reason)
        return
    for release in go.RELEASES:
        found = go.install(release)
        module = PLACE / f"go-{release}"
        shutil.rmtree(module, ignore_errors=True)
        shutil.copytree(PROBES / "host", module)
        env = environment(found) | {"CGO_ENABLED": "0", "GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "local", "GOWORK": "off"}
        require = f"-require={host_go.MODULE}@v{c_library.version()}"
        for arguments in (["init", "example.com/probe"], ["edit", require, *host_go.replacements()], ["tidy"]):
            subprocess.run([found, "mod", *arguments], cwd=module, env=env, check=True, capture_output=True)
        run([found, "build", "-o", "program", "."], cwd=module, env=env)
        own = {"UNDERGO_LIBRARY": str(c_library.LIBRARY / "lib" / library("undergo"))}
        yield Runtime(f"Go {release}", [module / "program"], own)


def rubies() -> Iterator[Runtime]:
    """Give this machine's Ruby, for which the extension was compiled."""
    if reason := host_ruby.Ruby().missing():
        yield Runtime("Ruby", lacks=reason)
        return
    yield Runtime(f"Ruby {_said('ruby')}", ["ruby", "-I", host_ruby.GEM / "lib", PROBES / "probe.rb"])


def _said(*command: str | Path, env: Mapping[str, str] | None = None) -> str:
    """Give the version that a program says; empty where it says none."""
    done = subprocess.run([*command, "--version"], capture_output=True, text=True, env=dict(os.environ, **(env or {})))
    found = re.search(r"\d+(\.\d+)+", done.stdout) if done.returncode == 0 else None
    return found[0] if found else ""
