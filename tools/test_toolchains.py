"""Guests that other compilers than Go's own have made: TinyGo, zig cc over wasi-libc, and Rust.

What they print, and how they end, is what their sources say. They are those with which wazero tests
its own WASI; its Go module carries them, each beside its source, so that none of their toolchains
is needed.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import go
import go_modules
import pytest
import undergo
from project import CLI, environment

GO = go.find()
ENV = environment(GO)
MANY = 8096
"""Files of a directory whose names come in many reads."""

WASI, CAT = "imports/wasi_snapshot_preview1/testdata", "imports/wasi_snapshot_preview1/example/testdata"
TINYGO = {
    "wasi": f"{WASI}/tinygo/wasi.wasm",
    "cat": f"{CAT}/tinygo/cat.wasm",
    "flags": "examples/cli/testdata/cli.wasm",
    "panic": "internal/testing/dwarftestdata/testdata/tinygo/main.wasm",
    "add": "examples/basic/testdata/add.wasm",
    "greet": "examples/allocation/tinygo/testdata/greet.wasm",
}
"""What TinyGo compiled: programs, and the last two are plugins."""

C = f"{WASI}/zig-cc/wasi.wasm"
COMPILERS = {"tinygo": b"TinyGo", "zig-cc": b"clang", "cargo-wasi": b"rustc"}
"""Those that have the same programs, by their folders, and what a module says that compiled it."""


def guests() -> Path:
    """Give the folder of wazero's module."""
    return go_modules.folder(go_modules.WAZERO)


def run(guest: str, *args: str, options: tuple[str, ...] = (), given: str = "") -> tuple[int, str, str]:
    """Run a program; its exit code, and what it printed to its two streams."""
    command: list[str | Path] = [CLI, "run", *options, guests() / guest, *args]
    done = subprocess.run(command, env=ENV, input=given, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the directories in which the programs look around."""
    root = tmp_path_factory.mktemp("tree")
    (root / "dir" / "a-").mkdir(parents=True)
    (root / "dir" / "ab-").mkdir()
    (root / "dir" / "-").write_text("a file\n")
    (root / "many").mkdir()
    for number in range(MANY):
        (root / "many" / str(number)).touch()
    return root


def in_dir(folder: Path, *, readonly: bool = True) -> tuple[str, ...]:
    """Give the option that makes a directory the program's root."""
    return ("--dir", f"{folder}::/{':ro' if readonly else ''}")


@pytest.mark.parametrize("guest", TINYGO.values(), ids=TINYGO.keys())
def test_tinygo_uses_nothing_unknown(guest: str) -> None:
    assert b"TinyGo" in (guests() / guest).read_bytes()
    options = ["--allow-command", "--allow-import", "env.log"]
    done = subprocess.run([CLI, "inspect", "--check", *options, guests() / guest], env=ENV, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("compiler", COMPILERS)
def test_directories_are_listed(compiler: str, tree: Path) -> None:
    guest = f"{WASI}/{compiler}/wasi.wasm"
    assert COMPILERS[compiler] in (guests() / guest).read_bytes()
    # C has these two in a directory; the others leave them out.
    dots = ["./.", "./.."] if compiler == "zig-cc" else []

    def names(folder: str, *args: str) -> list[str]:
        code, stdout, stderr = run(guest, "ls", *args, options=in_dir(tree / folder))
        assert (code, stderr) == (0, ""), stdout
        return sorted(stdout.split())

    there = ["./-", "./a-", "./ab-"]
    assert names("dir", "./a-") == dots
    assert names("dir", ".") == sorted(dots + there)
    assert names("many", ".") == sorted(dots + [f"./{number}" for number in range(MANY)])
    # TinyGo does not: https://github.com/tinygo-org/tinygo/issues/3823
    if compiler != "tinygo":
        assert names("dir", ".", "repeat") == sorted(2 * (dots + there))


NOTDIR, NOENT = 54, 44
MISSES = {
    # Its source knows a file by the EBADF that wazero gives; TinyGo's library has no name for the
    # ENOTDIR of other systems.
    "tinygo": (f"panic: fdopendir -: errno {NOTDIR}", "panic: open none: file does not exist"),
    "zig-cc": ("ENOTDIR", "No such file or directory"),
    "cargo-wasi": ("ENOTDIR", f"errno=={NOENT}"),
}


@pytest.mark.parametrize("compiler", MISSES)
def test_what_is_no_directory_is_told(compiler: str, tree: Path) -> None:
    for name, expected in zip(("-", "none"), MISSES[compiler], strict=True):
        code, stdout, stderr = run(f"{WASI}/{compiler}/wasi.wasm", "ls", name, options=in_dir(tree / "dir"))
        assert stdout.strip() == expected
        # TinyGo's panics are told on the standard output, and end in a trap.
        assert code == (125 if compiler == "tinygo" else 0)
        assert ("error[trap]" in stderr) == (compiler == "tinygo"), stderr


@pytest.mark.parametrize("compiler", COMPILERS)
def test_streams_are_no_terminals(compiler: str, tree: Path) -> None:
    expected = "".join(f"{name} isatty: false\n" for name in ("stdin", "stdout", "stderr", "/"))
    assert run(f"{WASI}/{compiler}/wasi.wasm", "stat", options=in_dir(tree)) == (0, expected, "")


@pytest.mark.parametrize("compiler", COMPILERS)
def test_files_are_read(compiler: str, tree: Path) -> None:
    guest, options = f"{CAT}/{compiler}/cat.wasm", in_dir(tree / "dir")
    assert run(guest, "-", "./-", "/a-/../-", options=options) == (0, "a file\n" * 3, "")
    code, stdout, _ = run(guest, "-", "none", options=options)
    assert (code, stdout) == (1, "a file\n")
    assert run(guest, "-")[0] == 1


def test_tinygo_reads_its_arguments() -> None:
    guest = TINYGO["flags"]
    assert run(guest, "3", "4") == (0, "result: 7\n", "")
    assert run(guest, "-sub", "3", "4") == (0, "result: -1\n", "")
    assert run(guest, "3") == (1, "bad arguments\n", "")


def test_a_panic_of_tinygo_is_a_trap_with_its_functions() -> None:
    code, stdout, stderr = run(TINYGO["panic"])
    assert (code, stdout) == (125, "panic: NOOOOOOOOOOOOOOO\n")
    assert "error[trap]: wasm trap: wasm `unreachable` instruction executed\n" in stderr
    assert re.findall(r"at (main\.\w+)", stderr) == ["main.c", "main.b", "main.a", "main.main"]


def test_tinygo_makes_plugins() -> None:
    adder = undergo.load(guests() / TINYGO["add"])
    assert adder.add(3, 4) == 7
    told: list[str] = []

    def log(at: int, size: int) -> None:
        told.append(greeter.memory.read(at, size).decode())

    greeter = undergo.load(guests() / TINYGO["greet"], imports={"env": {"log": log}})
    # Texts are addresses and lengths, as the example beside it has them for its host.
    name = b"Ada"
    at = greeter.malloc(len(name))
    greeter.memory.write(at, name)
    greeter.greet(at, len(name))
    assert told == ["wasm >> Hello, Ada!"]
    place = greeter.greeting(at, len(name))
    assert greeter.memory.read(place >> 32, place & 0xFFFF_FFFF) == b"Hello, Ada!"
    greeter.free(place >> 32)
    greeter.free(at)


def test_c_waits_for_its_input() -> None:
    assert run(C, "poll", given="test") == (0, "STDIN\n", "")
    assert run(C, "poll", "60", given="test") == (0, "STDIN\n", "")
    # Its end is something to read as well.
    assert run(C, "poll", "60") == (0, "STDIN\n", "")
    start = time.monotonic()
    reader, writer = os.pipe()
    try:
        done = subprocess.run([CLI, "run", guests() / C, "poll", "0", "500"], env=ENV, stdin=reader, capture_output=True, timeout=60)
    finally:
        os.close(reader)
        os.close(writer)
    assert (done.returncode, done.stdout) == (0, b"NOINPUT\n")
    assert time.monotonic() - start >= 0.5


def test_c_sleeps_no_longer_than_it_may() -> None:
    start = time.monotonic()
    assert run(C, "sleepmillis", "100") == (0, "OK\n", "")
    assert time.monotonic() - start >= 0.1
    # To its library a sleep of a second or more is none.
    code, stdout, stderr = run(C, "sleepmillis", "999", options=("--timeout", "300ms"))
    assert (code, stdout) == (125, "")
    assert "error[timeout]" in stderr


@pytest.mark.parametrize("mode", ["rdonly", "wronly"])
def test_c_opens_files_for_one_thing(mode: str, tmp_path: Path) -> None:
    code, stdout, stderr = run(C, f"open-{mode}", options=in_dir(tmp_path, readonly=False))
    assert (code, stdout, stderr) == (0, "OK\n", "")
    assert not any(tmp_path.iterdir()), "it removes its file"


def test_c_reads_a_pipe_without_waiting(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    command: list[str | Path] = [CLI, "run", *in_dir(tmp_path), guests() / C, "nonblock", "fifo"]
    process = subprocess.Popen(command, env=ENV, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        # Opened for reading as well, so that this waits for nobody.
        with fifo.open("r+b", buffering=0) as pipe:
            pipe.write(b"wazero\0")
            output, errors = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert (process.returncode, errors) == (0, b"")
    assert re.fullmatch(rb"\.*\nwazero\n", output), output


@pytest.mark.parametrize("compiler", ["zig-cc", "cargo-wasi"])
def test_a_connection_is_taken_from_a_listener(compiler: str) -> None:
    with free_port() as address:
        command: list[str | Path] = [CLI, "run", "--listener", f"127.0.0.1:{address}", guests() / f"{WASI}/{compiler}/wasi.wasm", "sock"]
    process = subprocess.Popen(command, env=ENV, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        with until_connected(address, lambda: process.poll() is None) as conn:
            conn.sendall(b"wazero\0")
            output, errors = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert (process.returncode, output.rstrip("\0\n"), errors) == (0, "wazero", "")


@contextlib.contextmanager
def free_port() -> Iterator[int]:
    """Give a port that nobody else has meanwhile."""
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def until_connected(port: int, is_coming: Callable[[], bool]) -> socket.socket:
    """Connect as soon as somebody listens."""
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=60)
        except ConnectionRefusedError:
            assert is_coming(), "nobody listens, and nobody will"
            time.sleep(0.02)
