"""Components of the runtime tests of wit-bindgen, each built of its source in a checkout by what its language has for that."""

from __future__ import annotations

import ast
import functools
import itertools
import json
import os
import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import native
from project import BUILD, CLI, executable, run, say

PLACE = BUILD / "wit-bindgen"
TARGET = "wasm32-wasip1"
"""Components for it place arguments by wit-bindgen's own `cabi_realloc`, and so by the allocator of the test, which counts."""

LANGUAGES = {".rs": "rust", ".c": "c"}
"""The languages that are built, by the ends of their files' names."""

OTHERS = {".cpp": "C++", ".cs": "C#", ".d": "D", ".go": "Go", ".mbt": "MoonBit", ".wat": "the text format of WebAssembly"}
"""Those that are not."""


class BuildError(Exception):
    """A component can't be built."""


def words(value: object) -> list[str]:
    """Give an option of several words, which is a text or a list of them."""
    return shlex.split(value) if isinstance(value, str) else list(value) if isinstance(value, list) else []


def options(source: Path) -> dict[str, object]:
    """Read the options in the comments at the top of a source: TOML, of which no more than this is used.

    Its texts and lists are as in Python.
    """
    lines = itertools.takewhile(lambda line: line.startswith("//@"), source.read_text(encoding="utf-8").splitlines())
    text = "\n".join(line.removeprefix("//@").strip() for line in lines)
    found: dict[str, object] = {}
    for name, value in re.findall(r"^([\w-]+) = (\[[^]]*\]|.*)$", text, re.MULTILINE):
        found[name] = value == "true" if value in ("true", "false") else ast.literal_eval(value)
    return found


@dataclass(frozen=True)
class Source:
    """A program of a test, for one of its worlds."""

    path: Path
    world: str

    @property
    def language(self) -> str | None:
        """That it is written in, if it can be built."""
        return LANGUAGES.get(self.path.suffix)

    def generate(self, checkout: Path, folder: Path, *more: str) -> None:
        """Write the bindings for its world."""
        wit = self.path.parent if (self.path.parent / "deps").is_dir() else self.path.parent / "test.wit"
        given = words(options(self.path).get("args"))
        _build(generator(checkout), self.language or "", wit, "--world", f"%{self.world}", "--out-dir", folder, *more, *given)


@functools.cache
def component(source: Source, checkout: Path) -> Path:
    """Build the component of a program, and give the file."""
    folder = PLACE / "tests" / source.path.relative_to(checkout)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    core = folder / "core.wasm"
    {"rust": _rust, "c": _c}[source.language or ""](source, checkout, folder, core)
    made = folder / "component.wasm"
    _build(CLI, "component", core, "-o", made)
    return made


def _build(*command: str | Path, **variables: str) -> str:
    done = subprocess.run([*map(str, command)], env=os.environ | variables, capture_output=True, text=True)
    if done.returncode:
        raise BuildError(f"{Path(command[0]).name} ended with {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


@functools.cache
def generator(checkout: Path) -> Path:
    """Build the checkout's generator of bindings."""
    say("building wit-bindgen")
    target = PLACE / "target"
    given: list[str | Path] = ["--quiet", "--release", "--no-default-features", "--features=c,rust", "--bin=wit-bindgen"]
    run(["cargo", "build", *given, "--manifest-path", checkout / "Cargo.toml", "--target-dir", target])
    return executable(target / "release", "wit-bindgen")


def _rust(source: Source, checkout: Path, folder: Path, made: Path) -> None:
    given, path = options(source.path), source.path.parent
    has_defaults = options(path / "test.wit").get("default-bindgen-args", True)
    source.generate(checkout, folder, *(["--generate-all", "--format"] if has_defaults else []))
    common: list[str | Path] = ["rustc", "--edition=2021", f"--target={TARGET}", "-Cstrip=debuginfo", *_crate(checkout)]
    common += words(given.get("rustflags"))
    # The macro of wit-bindgen looks for WIT there.
    variables = {"CARGO_MANIFEST_DIR": str(path), "BINDINGS": str(folder / f"{source.world.replace('-', '_')}.rs")}
    externs = []
    for name in words(given.get("externs")):
        crate = Path(name).stem
        library = folder / f"lib{crate}.rlib"
        _build(*common, "--crate-type=rlib", path / name, "-o", library, **variables)
        externs.append(f"--extern={crate}={library}")
    _build(*common, *externs, "--crate-type=cdylib", source.path, "-o", made, **variables)


@functools.cache
def _crate(checkout: Path) -> list[str]:
    """Build the checkout's crate for guests; gives rustc's options by which it is found."""
    say("building the crate wit-bindgen")
    if subprocess.run(["rustup", "target", "add", TARGET]).returncode:
        raise BuildError(f"rustup has not installed Rust's library for {TARGET}")
    folder = PLACE / "crate"
    folder.mkdir(parents=True, exist_ok=True)
    dependency = f"wit-bindgen = {{ path = {json.dumps(str(checkout / 'crates' / 'guest-rust'))} }}"
    manifest = f'[package]\nname = "tests"\nedition = "2021"\n[workspace]\n[lib]\npath = "lib.rs"\n[dependencies]\n{dependency}\n'
    (folder / "Cargo.toml").write_text(manifest, encoding="utf-8")
    (folder / "lib.rs").touch()
    given: list[str | Path] = ["--quiet", "--target", TARGET, "--target-dir", folder / "target", "--manifest-path", folder / "Cargo.toml"]
    messages = [json.loads(line) for line in _build("cargo", "build", *given, "--message-format=json").splitlines()]
    artifacts = [message for message in messages if message["reason"] == "compiler-artifact"]
    folders = {Path(file).parent for artifact in artifacts for file in artifact["filenames"]}
    crates = [file for artifact in artifacts if artifact["target"]["name"] == "wit_bindgen" for file in artifact["filenames"]]
    return [*(f"-Ldependency={place}" for place in sorted(folders)), *(f"--extern=wit_bindgen={file}" for file in crates)]


def _c(source: Source, checkout: Path, folder: Path, made: Path) -> None:
    source.generate(checkout, folder)
    given, world = options(source.path), source.world.replace("-", "_")
    # Without the option, zig ends what calculates the address of no item of an empty list, as the
    # bindings do.
    flags: list[str | Path] = ["-target", "wasm32-wasi", "-mexec-model=reactor", "-fno-sanitize=undefined", "-I", folder]
    flags += words(given.get("cflags")) + words(given.get("ldflags"))
    files = [source.path, folder / f"{world}.c", folder / f"{world}_component_type.o"]
    _build(native.tool("cc"), *flags, "-o", made, *files)
