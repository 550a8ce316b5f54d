"""Measure components: against the same plugin as a module, and against components in wasmtime-py; and links of instances.

Part of `make bench`. Prints tables; ends with 3 when a bound does not hold.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import undergo
import wasmtime
from c import run
from run import Row, compare, seconds
from wasmtime.component import Component, Linker

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
BUILD = Path(os.environ.get("UNDERGO_BUILD") or ROOT / "build")

sys.path.insert(0, str(ROOT / "tools"))
import host_rust  # noqa: E402
from hosts import HOSTS  # noqa: E402

TEXT = "hello world"
HOST = {"upper": str.upper, "pause": int}
MODULE = "the same plugin as a module"
ROUNDS = 7
"""How often a program of another language is run with each of the two."""


class Peer:
    """The component in wasmtime-py."""

    def __init__(self, path: Path) -> None:
        engine = wasmtime.Engine()
        linker = Linker(engine)
        linker.add_wasip2()
        with linker.root() as root, root.add_instance("host") as host:
            host.add_func("upper", lambda _, text: text.upper())
            host.add_func("pause", lambda _, n: n)
        self.store = wasmtime.Store(engine)
        self.store.set_wasi(wasmtime.WasiConfig())
        instance = linker.instantiate(self.store, Component.from_file(engine, path))
        self.functions = {name: instance.get_func(self.store, name) for name in ("add", "echo-string", "echo-bytes")}

    def call(self, name: str, *arguments: object) -> object:
        function = self.functions[name]
        result = function(self.store, *arguments)
        function.post_return(self.store)
        return result


def build(folder: Path) -> tuple[Path, Path, Path]:
    """Build the plugin as a module and as a component, and the one that it is linked to."""
    cli = os.environ.get("UNDERGO", str(BUILD / "bin" / "undergo"))
    module, component, linked = folder / "plugin.wasm", folder / "component.wasm", folder / "linked.wasm"
    run([cli, "build", HERE / "plugin", "-o", module])
    run([cli, "build", HERE / "plugin", "--component", "-o", component])
    run([cli, "build", HERE / "linked", "-o", linked])
    return module, component, linked


def in_python(module: Path, component: Path) -> Iterator[Row]:
    ours, theirs = (undergo.load(path, imports={"host": HOST}, compile="best") for path in (component, module))
    peer = Peer(component)
    assert ours.add(2, 3) == theirs.add(2, 3) == peer.call("add", 2, 3) == 5
    yield compare("`add(int32, int32)`, Python", MODULE, 3, lambda: ours.add(2, 3), lambda: theirs.add(2, 3), 10_000)
    yield compare("string → string, Python", MODULE, 3, lambda: ours.echo_string(TEXT), lambda: theirs.echo_string(TEXT), 10_000)
    against = "components in wasmtime-py"
    yield compare("`add(int32, int32)`, Python", against, 0.1, lambda: ours.add(2, 3), lambda: peer.call("add", 2, 3), 2_000)
    yield compare("string → string, Python", against, 0.1, lambda: ours.echo_string(TEXT), lambda: peer.call("echo-string", TEXT), 2_000)
    large = bytes(64 << 10)
    assert ours.echo_bytes(large) == theirs.echo_bytes(large) == bytes(peer.call("echo-bytes", large))
    yield compare(
        "64 KiB bytes there and back, Python", against, 0.1, lambda: ours.echo_bytes(large), lambda: peer.call("echo-bytes", large), 5
    )


def linked(module: Path, other: Path) -> Iterator[Row]:
    """Measure calls of an import: to another instance, and to a function of the host."""
    calls = 10_000
    provider = undergo.load(other, compile="best")
    ours = undergo.Plugin(module, compile="best").instantiate(imports={"host": provider})
    theirs = undergo.load(module, imports={"host": HOST}, compile="best")
    assert ours.call_host(3) == theirs.call_host(3) == 33
    by_host = "a host function in Python"
    yield compare(
        "an import by a linked instance, string → string",
        by_host,
        1,
        lambda: ours.call_host(calls),
        lambda: theirs.call_host(calls),
        2,
        per=calls,
    )


def in_turns(name: str, module: list[str | Path], component: list[str | Path]) -> Iterator[Row]:
    """Measure by programs that print nanoseconds a call: of `add`, and of a string there and back."""
    rounds = [[times(component), times(module)] for _ in range(ROUNDS)]
    for i, what in enumerate(("`add(int32, int32)`", "string → string")):
        ratio = statistics.median(ours[i] / theirs[i] for ours, theirs in rounds)
        base = statistics.median(theirs[i] for _, theirs in rounds)
        yield Row(f"{what}, {name}", MODULE, base * ratio, base, float("inf"))


def times(command: list[str | Path]) -> list[float]:
    done = subprocess.run([*map(str, command)], check=True, capture_output=True, text=True)
    return [float(word) * 1e-9 for word in done.stdout.split()]


def in_node(folder: Path, module: Path, component: Path) -> Iterator[Row]:
    host = HOSTS["node"]
    if reason := host.missing():
        print(f"Node is not measured here: {reason}.\n")
        return
    program = folder / "components.mjs"
    shutil.copy2(HERE / program.name, program)
    command = host.command(program, folder)
    for row in in_turns("Node", [*command, module], [*command, component]):
        row.bound = 3
        yield row


def in_c(folder: Path, module: Path, component: Path) -> Iterator[Row]:
    """Compile the program with the header of each of the two."""
    library = BUILD / "c"
    cli = os.environ.get("UNDERGO", str(BUILD / "bin" / "undergo"))
    programs: list[list[str | Path]] = []
    for wasm, world in ((module, "plugin"), (component, "root")):
        own, program = folder / f"c-{wasm.stem}", folder / f"c-{wasm.stem}" / "program"
        own.mkdir()
        run([cli, "bindgen", wasm, "--lang", "c", "-o", own / "plugin.h"])
        flags = [
            "-std=gnu11",
            "-O2",
            f"-DWORLD={world}",
            f"-I{own}",
            f"-I{library / 'include'}",
            f"-L{library / 'lib'}",
            f"-Wl,-rpath,{library / 'lib'}",
        ]
        run([os.environ.get("CC", "cc"), *flags, HERE / "c" / "components.c", "-lundergo", "-o", program])
        programs.append([program, wasm])
    yield from in_turns("C", *programs)


def in_rust(module: Path, component: Path) -> Iterator[Row]:
    package = BUILD / "bench-components"
    (package / "src").mkdir(parents=True, exist_ok=True)
    shutil.copy2(HERE / "rust" / "components.rs", package / "src" / "main.rs")
    shutil.copy2(ROOT / "Cargo.lock", package)
    (package / "Cargo.toml").write_text(host_rust.manifest(quick=False))
    run(["cargo", "build", "--release", "--manifest-path", package / "Cargo.toml"])
    program = Path(os.environ.get("CARGO_TARGET_DIR") or package / "target") / "release" / "programs"
    yield from in_turns("Rust", [program, module], [program, component])


def main() -> int:
    """Measure; 0 when the bounds hold, 3 when one is missed."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        module, component, other = build(folder)
        rows = [*in_python(module, component), *in_node(folder, module, component), *in_c(folder, module, component)]
        rows += [*in_rust(module, component), *linked(module, other)]
    print("| components | against | Undergo | the other | ratio | bound |\n| --- | --- | --- | --- | --- | --- |")
    for row in rows:
        bound = "" if row.bound == float("inf") else f"≤ {row.bound:g} ×{'' if row.ratio <= row.bound else ', **missed**'}"
        print(f"| {row.what} | {row.peer} | {seconds(row.ours)} | {seconds(row.theirs)} | {row.ratio:.2f} × | {bound} |")
    return 0 if all(row.ratio <= row.bound for row in rows) else 3


if __name__ == "__main__":
    sys.exit(main())
