"""What loading a plugin may cost, and what ends it."""

from __future__ import annotations

import signal
import threading
import time
from pathlib import Path

import pytest
import undergo
from conftest import conformance_path


def leb(n: int) -> bytes:
    out = b""
    while n >= 128:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def constant(n: int) -> bytes:
    out = b"\x41"
    while n >= 64:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def section(number: int, content: bytes) -> bytes:
    return bytes([number]) + leb(len(content)) + content


def name(text: str) -> bytes:
    return leb(len(text)) + text.encode()


def slow() -> bytes:
    """Give a module within the bounds that takes the better compiler some seconds."""
    loads = b"".join(constant(4 * i) + b"\x28\x02\x00" for i in range(4000))
    body = b"\x00" + loads + b"\x6a" * 3999 + b"\x0b"
    count = 6
    return (
        b"\0asm\x01\0\0\0"
        + section(1, b"\x02\x60\x00\x00\x60\x00\x01\x7f")
        + section(3, leb(count + 1) + b"\x00" + b"\x01" * count)
        + section(5, b"\x01\x00\x01")
        + section(7, b"\x01" + name("_initialize") + b"\x00\x00")
        + section(10, leb(count + 1) + b"\x02\x00\x0b" + (leb(len(body)) + body) * count)
    )


def wanting(count: int) -> bytes:
    """Give a module that imports so many functions."""
    wanted = b"".join(name("m") + name(format(i, "x")) + b"\x00\x00" for i in range(count))
    return (
        b"\0asm\x01\0\0\0"
        + section(1, b"\x01\x60\x00\x00")
        + section(2, leb(count) + wanted)
        + section(3, b"\x01\x00")
        + section(7, b"\x01" + name("_initialize") + b"\x00" + leb(count))
        + section(10, b"\x01\x02\x00\x0b")
    )


def test_bounds_can_be_raised() -> None:
    with pytest.raises(undergo.InvalidPluginError, match=r"3000 imports, and 2000 are accepted.*bounds = 2"):
        undergo.Plugin(wanting(3000), cache=False)
    assert len(undergo.Plugin(wanting(3000), cache=False, bounds=2).imports["m"]) == 3000
    with pytest.raises(undergo.InvalidPluginError, match="10000 imports"):
        undergo.load(wanting(10_000), cache=False)
    with pytest.raises(ValueError, match="bounds"):
        undergo.Plugin(wanting(1), bounds=0)


def test_loading_ends_with_its_timeout() -> None:
    began = time.monotonic()
    with pytest.raises(undergo.TimeoutError, match="timeout of loading") as caught:
        undergo.Plugin(slow(), compile="best", cache=False, timeout=0.02)
    assert caught.value.kind == "timeout"
    assert time.monotonic() - began < 60
    assert undergo.Plugin(slow(), compile="best", cache=False, timeout=300).kind == "reactor"


def test_loading_ends_with_its_token() -> None:
    token = undergo.CancelToken()
    threading.Timer(0.02, token.cancel).start()
    with pytest.raises(undergo.CancelledError, match="loading was cancelled"):
        undergo.Plugin(slow(), compile="best", cache=False, cancel=token)
    with pytest.raises(undergo.CancelledError):
        undergo.load(slow(), compile="best", cache=False, cancel=token)


def test_ctrl_c_ends_loading() -> None:
    main = threading.main_thread().ident
    assert main is not None
    timer = threading.Timer(0.05, lambda: signal.pthread_kill(main, signal.SIGINT))
    # While the compiler is busy with another one, this one waits for its turn.
    with pytest.raises(undergo.TimeoutError):
        undergo.Plugin(slow() + section(0, name("a")), compile="best", cache=False, timeout=0.01)
    # A shell has commands in the background ignore the signal, and Python leaves that as it is.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            undergo.Plugin(slow() + section(0, name("b")), compile="best", cache=False)
        timer.join()
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("optimize", [True, False])
def test_code_is_optimized_or_not(optimize: bool) -> None:
    plugin = undergo.Plugin(conformance_path(), compile="fast", cache=False, optimize=optimize)
    assert plugin.tier == "fast"
    with pytest.raises(TypeError):
        undergo.Plugin(conformance_path(), optimize="no")  # type: ignore[arg-type]


def test_a_compiler_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(undergo.InvalidPluginError, match="can't be started"):
        undergo.Plugin(wanting(1), cache=False, compiler=tmp_path / "missing")
    program = tmp_path / "endless"
    program.write_text("#!/bin/sh\nwhile true; do sleep 0.05; done\n")
    program.chmod(0o755)
    with pytest.raises(undergo.TimeoutError):
        undergo.Plugin(wanting(1), cache=False, compiler=str(program), timeout=0.2)
