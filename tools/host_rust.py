"""Rust, as the language of a host."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

from host import Command, Host
from project import ARTIFACTS, BUILD, PROFILE, ROOT, environment, executable

CRATES = ["gowasm", "undergo-derive", "undergo"]
"""What is published, each before those that need it."""


class Rust(Host):
    """Programs are binaries of one package at build/rust, so that the crate is compiled once for all of them."""

    name = "rust"
    program = "main.rs"

    def build(self) -> None:
        """Build nothing: the crate is compiled with the first program."""

    def command(self, program: Path, folder: Path) -> Command:
        """Compile the program, with the modules beside it and those that are made in the folder."""
        beside = [program, *program.parent.glob("*_plugin.rs"), *folder.glob("*_plugin.rs")]
        sources = sorted({file.name: file for file in beside}.items())
        text = b"".join(file.read_bytes() for _, file in sources)
        name = f"program-{hashlib.sha256(bytes(folder) + text).hexdigest()[:16]}"
        package = self._programs()
        place = package / "src" / "bin" / name
        place.mkdir(parents=True)
        for file, source in sources:
            # A program may look for its plugin in its package's folder, which is the one it came
            # with.
            written = source.read_text(encoding="utf-8").replace('env!("CARGO_MANIFEST_DIR")', f'"{program.parent}"')
            (place / ("main.rs" if source == program else file)).write_text(written, encoding="utf-8")
        self._cargo(package, "build", "--profile", PROFILE, "--bin", name)
        return [executable(ARTIFACTS, name)]

    def library(self) -> list[str]:
        """Compile the crate alone, and give what rustc takes to compile something that uses it."""
        package = self._programs()
        (package / "src").mkdir()
        (package / "src" / "lib.rs").touch()
        told = self._cargo(package, "build", "--profile", PROFILE, "--lib", "--message-format=json")
        made = [message for message in map(json.loads, told.splitlines()) if message.get("target", {}).get("name") == "undergo"]
        library = next(file for file in made[-1]["filenames"] if file.endswith(".rlib"))
        return [f"--extern=undergo={library}", "-L", f"dependency={Path(library).parent}"]

    def _programs(self) -> Path:
        """Give the package of the programs, without any."""
        package = BUILD / "rust"
        shutil.rmtree(package / "src", ignore_errors=True)
        package.mkdir(parents=True, exist_ok=True)
        (package / "Cargo.toml").write_text(manifest())
        shutil.copy2(ROOT / "Cargo.lock", package)
        return package

    def package(self, into: Path) -> list[Path]:
        """Pack the crates."""
        names = [argument for name in CRATES for argument in ("--package", name)]
        self._cargo(ROOT, "package", "--no-verify", "--allow-dirty", "--target-dir", str(into / "target"), *names)
        return sorted((into / "target" / "package").glob("*.crate"))

    def installed(self, packages: list[Path], program: Path, folder: Path) -> Command:
        """Unpack the crates, and compile the program with them as with those of a registry."""
        patches = []
        for crate in packages:
            with tarfile.open(crate) as packed:
                packed.extractall(folder / "crates")
            unpacked = folder / "crates" / crate.name.removesuffix(".crate")
            name = unpacked.name.rsplit("-", 1)[0]
            patches.append(f'{name} = {{ path = "{unpacked}" }}\n')
        (folder / "src").mkdir()
        for source in [program, *program.parent.glob("*_plugin.rs")]:
            shutil.copy2(source, folder / "src")
        # The engine is the one that the checkout has compiled: its features are asked for as well.
        (folder / "Cargo.toml").write_text(manifest('undergo = "0.1"') + "\n[patch.crates-io]\n" + "".join(patches))
        shutil.copy2(ROOT / "Cargo.lock", folder)
        self._cargo(folder, "build", "--profile", PROFILE)
        return [executable(ARTIFACTS, "programs")]

    def _cargo(self, folder: Path, *arguments: str) -> str:
        """Run cargo, and give what it printed."""
        done = subprocess.run(["cargo", *arguments], cwd=folder, env=environment(), capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout


def manifest(undergo: str = f'undergo = {{ path = "{ROOT / "core"}" }}', *, quick: bool = True) -> str:
    """Give the manifest of a package whose programs use the crate, with an engine that is compiled already.

    That depends on the features of its dependencies and on the profile.

    Args:
        undergo: the dependency.
        quick: whether the crate is compiled as for tests, or as for a release.
    """
    profiles = [*sections("Cargo.toml", "profile.release")]
    for package in ("undergo", "gowasm"):
        profiles += sections("tools/tests.toml" if quick else "Cargo.toml", f"profile.release.package.{package}")
    return f"""[package]
name = "programs"
version = "0.0.0"
edition = "2024"
publish = false

[dependencies]
{undergo}
undergo-features = {{ path = "{ROOT / "features"}" }}
tokio = {{ version = "1", features = ["macros", "rt-multi-thread", "time"] }}

[workspace]

{"".join(profiles)}
"""


def sections(file: str, name: str) -> list[str]:
    """Give the section of that name of a TOML file, if it has it."""
    return re.findall(rf"^\[{re.escape(name)}\][^\[]*", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)
