"""Builds the packages for another platform than this machine's, or checks the code for one, at build/cross.

cross.py TARGET...           the command line tool, and the packages for C, Node and Python
cross.py check TARGET...     check the code of all of them; nothing is linked

Zig compiles the C code and links. A warning is an error. UNDERGO_PROFILE=dev compiles in minutes what is only tried.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import archives
import c_library
import environment
import native
import npm
import rust
from host import Command
from project import ARTIFACTS, BUILD, PROFILE, PYTHON, ROOT, TARGET, Stamp, executable, library, run, say
from project import environment as project_environment

import cli

PLACE = BUILD / "cross"


@dataclass(frozen=True)
class Platform:
    """A platform that is not this machine's."""

    target: str
    """As Rust names it."""
    zig: str
    """As zig does."""
    node: str
    """As the packages for npm do."""
    label: str
    """As the names of archives do."""
    system: str = "linux"
    """As Python does."""
    wheel: str | None = None
    """What the name of the wheel says of the system."""
    crates: tuple[str, ...] = ("undergo-cli", "undergo-c", "undergo-node")
    """What Cargo builds; the crate for Python is maturin's."""
    flags: str = ""
    """Of rustc."""

    @property
    def folder(self) -> Path:
        """What is made for it."""
        return PLACE / self.target

    @property
    def packages(self) -> Path:
        """What is published for it."""
        return self.folder / "packages"

    @property
    def made(self) -> Path:
        """What Cargo has made for it."""
        return TARGET / "cross" / self.target / ARTIFACTS.name

    @property
    def program(self) -> Path:
        """The command line tool."""
        return self.made / ("undergo.exe" if self.system == "win32" else "undergo")


_MUSL = "-Ctarget-feature=-crt-static -Clink-self-contained=no"
"""A library can't be linked with a static libc; zig links programs with one all the same."""

MUSL = Platform("x86_64-unknown-linux-musl", "x86_64-linux-musl", "linux-x64-musl", "x86_64-linux-musl", wheel="musllinux_1_2", flags=_MUSL)
ARM = Platform(
    "aarch64-unknown-linux-gnu",
    f"aarch64-linux-gnu.{native.FLOOR}",
    "linux-arm64-gnu",
    "aarch64-linux",
    wheel=f"manylinux_{native.FLOOR.replace('.', '_')}",
)
WINDOWS = Platform("x86_64-pc-windows-gnu", "x86_64-windows-gnu", "win32-x64", "x86_64-windows", "win32")
MAC = Platform("aarch64-apple-darwin", "aarch64-macos", "darwin-arm64", "aarch64-darwin", "darwin")
INTEL_MAC = Platform("x86_64-apple-darwin", "x86_64-macos", "darwin-x64", "x86_64-darwin", "darwin")
PLATFORMS = {platform.target: platform for platform in (ARM, MUSL, WINDOWS, MAC, INTEL_MAC)}
BUILT = (ARM, MUSL, WINDOWS)
"""Those for which this machine can link."""

CHECKED = ("undergo", "undergo-cli", "undergo-c", "undergo-node", "undergo-python", "undergo-uniffi")
"""What is checked. The crate for Ruby reads the headers of a Ruby of that platform."""


def build(platform: Platform) -> None:
    """Build the packages of a platform."""
    shutil.rmtree(platform.packages, ignore_errors=True)
    platform.packages.mkdir(parents=True)
    toolchain = rust.toolchain(platform.target)
    env = _environment(platform, toolchain)
    say(f"building for {platform.target}")
    crates = [f"--package={crate}" for crate in platform.crates]
    run([*_cargo(), "build", "--locked", "--profile", PROFILE, *toolchain.options, *crates], env=env)
    cli.archive(platform.packages, platform.program, label=platform.label, target=platform.target)
    if platform.system == "linux":
        c_library.assemble(platform.made, platform.folder / "c", foreign=True)
        c_library.archive(platform.packages, platform.folder / "c", label=platform.label, target=platform.target)
    modules = platform.folder / "node" / "node_modules"
    folder = modules / npm.SCOPE / platform.node
    npm.platform_package(platform.node, platform.made / library("undergo_node", platform.system), folder, platform.target)
    npm.main_package(modules / "undergo")
    npm.importable(platform.folder / "node")
    npm.pack(folder, platform.packages)
    if platform.wheel:
        _wheel(platform, platform.wheel, toolchain, env)
    archives.sums(platform.packages, list(platform.packages.iterdir()))
    for file in sorted(platform.packages.iterdir()):
        print(f"{file.relative_to(PLACE)}  {file.stat().st_size / 1e6:.1f} MB")


def check(platform: Platform) -> None:
    """Have the compiler look at all code as it is for a platform."""
    toolchain = rust.toolchain(platform.target)
    say(f"checking for {platform.target}")
    crates = [f"--package={crate}" for crate in CHECKED]
    run(
        [*_cargo(), "check", "--locked", "--profile", PROFILE, *toolchain.options, *crates],
        env=_environment(platform, toolchain) | _python(),
    )


def _cargo() -> Command:
    """Give the command, with the settings for what is only tried."""
    command: Command = ["cargo"]
    return [*command, "--config", ROOT / "tools" / "quick.toml"] if PROFILE == "dev" else command


def _environment(platform: Platform, toolchain: rust.Toolchain) -> dict[str, str]:
    """Give the environment in which Cargo, and what it calls, make things for a platform."""
    compiler = str(native.compiler(platform.zig))
    name = platform.target.replace("-", "_")
    env = {
        **project_environment(),
        **toolchain.env,
        # Apart, as the compiler may be another one.
        "CARGO_TARGET_DIR": str(TARGET / "cross"),
        # This machine's tool may not know the format.
        f"CARGO_PROFILE_{PROFILE.upper()}_STRIP": "symbols",
        f"CC_{name}": compiler,
        f"AR_{name}": str(native.tool("ar")),
        f"CARGO_TARGET_{name.upper()}_LINKER": compiler,
        f"CARGO_TARGET_{name.upper()}_RUSTFLAGS": f"{platform.flags} -Dwarnings".strip(),
    }
    if platform.system == "win32":
        env["LIBNODE_PATH"] = str(_node_for_windows())
        env["PATH"] = os.pathsep.join([str(native.importer().parent), env["PATH"]])
    if platform.system == "darwin":
        # What is looked for there comes with zig.
        sdk = PLACE / "sdk"
        sdk.mkdir(parents=True, exist_ok=True)
        env["SDKROOT"] = str(sdk)
    return env


def _node_for_windows() -> Path:
    """Give a folder with what addons for Windows are linked with, by the names that `napi-build` and the linker look for."""
    folder = PLACE / "node-for-windows"
    stamp = Stamp("cross-node-for-windows", [Path(__file__)])
    if stamp.fresh() and folder.is_dir():
        return folder
    stamp.clear()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    headers = "node-api-headers"
    (folder / "package.json").write_text(json.dumps({"private": True, "dependencies": {headers: "1"}}))
    run(["npm", "install", "--silent", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock"], cwd=folder)
    definitions = folder / "node_modules" / headers / "def" / "node_api.def"
    made = folder / "libnode.a"
    run([native.importer(), "-m", "i386:x86-64", "-D", "node.exe", "-d", definitions, "-l", made])
    shutil.copy2(made, folder / "libnode.dll")
    stamp.set()
    return folder


def _python() -> dict[str, str]:
    """Give the variables by which the crate for Python is compiled for the oldest Python, without one."""
    return {"PYO3_CROSS_PYTHON_VERSION": ".".join(map(str, environment.OLDEST)), "PYO3_NO_PYTHON": "1"}


def _wheel(platform: Platform, tag: str, toolchain: rust.Toolchain, env: Mapping[str, str]) -> None:
    """Build the wheel, which fits each Python from the oldest on."""
    environment.ensure()
    oldest = ".".join(map(str, environment.OLDEST))
    manifest = ROOT / "bindings-python" / "Cargo.toml"
    where: Command = ["--out", platform.packages, "--target", platform.target, "--interpreter", f"python{oldest}"]
    tags = ["--auditwheel", "skip", "--compatibility", tag]
    options: Command = ["--locked", *_cargo()[1:], *toolchain.options]
    maturin = executable(PYTHON.parent, "maturin")
    run(
        [maturin, "build", "--profile", PROFILE, "--manifest-path", manifest, *where, *tags, *options],
        env={**env, **_python(), "VIRTUAL_ENV": str(PYTHON.parent.parent)},
    )


if __name__ == "__main__":
    names = sys.argv[1:]
    what = check if names[:1] == ["check"] else build
    names = names[1:] if what is check else names
    if not names or any(name not in PLATFORMS for name in names):
        sys.exit(f"{__doc__}\nTargets: {', '.join(PLATFORMS)}")
    os.chdir(ROOT)
    for name in names:
        if reason := rust.missing(name):
            sys.exit(f"{name}: {reason}")
        what(PLATFORMS[name])
