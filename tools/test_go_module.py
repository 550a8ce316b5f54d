"""The published module for Go, got from a proxy outside of this checkout, by its build tags; test_packages.py has the usual way."""

from __future__ import annotations

import os
import shutil
import stat
import struct
import subprocess
from pathlib import Path

import c_library
import go
import host_go
import pytest
from hosts import HOSTS
from project import CLI, ROOT, environment

GREETER = ROOT / "examples" / "greeter"
HOST = HOSTS["go"]
PRINTED = (GREETER / "expected.txt").read_text(encoding="utf-8")
LIBRARY = c_library.LIBRARY / "lib"

pytestmark = pytest.mark.skipif(HOST.missing() is not None, reason=f"go: {HOST.missing()}")


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return HOST.package(tmp_path_factory.mktemp("packages"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder with a plugin and a program for it."""
    subprocess.run([CLI, "build", GREETER / "plugin", "-o", tmp_path / "greeter.wasm"], env=environment(go.find()), check=True)
    shutil.copytree((GREETER / HOST.program).parent, tmp_path / "program")
    if not (tmp_path / "program" / "go.mod").exists():
        host_go.command(tmp_path / "program", "mod", "init", "example.com/app")
    return tmp_path


def run(folder: Path, program: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in environment().items() if not name.startswith(("UNDERGO", "CARGO"))} | variables
    return subprocess.run([program, "greeter.wasm"], cwd=folder, env=env, capture_output=True, encoding="utf-8", timeout=300)


def test_a_library_that_can_t_be_loaded(modules: list[Path], folder: Path) -> None:
    proxy = next(parent for parent in modules[0].parents if parent.name == host_go.PROXY)
    shutil.copytree(proxy, folder / host_go.PROXY)
    name = f"{host_go.MODULE}/lib/{host_go.here()}"
    shutil.rmtree(folder / host_go.PROXY / name)
    sources = {file.name: file.read_bytes() for file in (host_go.PROJECT / "lib" / host_go.here()).iterdir()}
    host_go.pack(folder / host_go.PROXY, name, sources | {"libundergo.packed": host_go.packed(b"of another system")})
    program = host_go.got(folder / "program", [folder / host_go.PROXY / name], folder)
    done = run(folder, program, XDG_CACHE_HOME=str(folder / "cache"))
    assert done.returncode != 0
    assert "-tags undergo_cgo" in done.stderr
    # What can't be loaded from memory is tried from a file.
    assert [file.read_bytes() for file in (folder / "cache" / "undergo" / "lib").glob("*/*")] == [b"of another system"]


def test_the_system_has_the_library(modules: list[Path], folder: Path) -> None:
    program = host_go.got(folder / "program", modules, folder, "-tags", "undergo_system")
    assert program.stat().st_size < 7_000_000
    done = run(folder, program)
    assert done.returncode != 0
    assert "is not installed" in done.stderr
    done = run(folder, program, LD_LIBRARY_PATH=str(LIBRARY))
    assert (done.returncode, done.stdout) == (0, PRINTED)
    done = run(folder, program, UNDERGO_LIBRARY=str(LIBRARY / "libundergo.so"))
    assert (done.returncode, done.stdout) == (0, PRINTED)


def test_the_library_is_linked(modules: list[Path], folder: Path) -> None:
    if not shutil.which("cc"):
        pytest.skip("there is no C compiler")
    cgo = {"CGO_ENABLED": "1", "CGO_LDFLAGS": f"-L{LIBRARY}"}
    program = host_go.got(folder / "program", modules, folder, "-tags", "undergo_cgo", **cgo)
    done = run(folder, program, LD_LIBRARY_PATH=str(LIBRARY))
    assert (done.returncode, done.stdout) == (0, PRINTED), done.stderr
    # For images that have nothing but the program.
    static = ["-tags", "undergo_cgo,netgo,osusergo", "-ldflags", "-linkmode=external -extldflags=-static"]
    program = host_go.got(folder / "program", modules, folder, *static, **cgo)
    assert not has_interpreter(program)
    if os.geteuid() == 0:
        # As in a container, whose image has no more, but which has devices.
        image = folder / "image"
        (image / "dev").mkdir(parents=True)
        for name, number in (("random", 8), ("urandom", 9)):
            os.mknod(image / "dev" / name, stat.S_IFCHR | 0o666, os.makedev(1, number))
        shutil.copy2(program, image)
        shutil.copy2(folder / "greeter.wasm", image)
        done = subprocess.run(
            ["/program", "/greeter.wasm"], preexec_fn=lambda: os.chroot(image), cwd="/", env={}, capture_output=True, encoding="utf-8"
        )
    else:
        done = run(folder, program)
    assert (done.returncode, done.stdout) == (0, PRINTED), done.stderr


def test_linking_needs_cgo(modules: list[Path], folder: Path) -> None:
    with pytest.raises(AssertionError, match="the_tag_undergo_cgo_needs_CGO_ENABLED_1"):
        host_go.got(folder / "program", modules, folder, "-tags", "undergo_cgo")


def has_interpreter(program: Path) -> bool:
    """Whether an ELF file names the system's loader, which then has to be there."""
    content = program.read_bytes()
    start, size, count = struct.unpack_from("<Q", content, 32)[0], *struct.unpack_from("<HH", content, 54)
    return any(struct.unpack_from("<I", content, start + number * size)[0] == 3 for number in range(count))
