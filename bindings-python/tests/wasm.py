"""Small modules, written byte by byte: for what no compiler of Go would make."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import NamedTuple

_TYPES = {"i": b"\x7f", "I": b"\x7e"}
"""i32 and i64."""


class Export(NamedTuple):
    """A function of the module: its name, the letters of its parameters and results, and its code without the end."""

    name: str
    params: str
    results: str
    code: bytes


class Import(NamedTuple):
    """A function that the module imports."""

    module: str
    name: str
    params: str
    results: str


def leb(n: int) -> bytes:
    """Write a number with a sign, as instructions have it; one that is not negative, and small enough, is the same without."""
    out = b""
    while True:
        byte, n = n & 0x7F, n >> 7
        if (n == 0 and not byte & 0x40) or (n == -1 and byte & 0x40):
            return out + bytes([byte])
        out += bytes([byte | 0x80])


def uleb(n: int) -> bytes:
    """Write a number without a sign."""
    out = b""
    while n > 0x7F:
        out, n = out + bytes([n & 0x7F | 0x80]), n >> 7
    return out + bytes([n])


def const(n: int) -> bytes:
    """Push a word."""
    return b"\x41" + leb(n)


def param(n: int) -> bytes:
    """Push a parameter."""
    return b"\x20" + uleb(n)


def call(n: int) -> bytes:
    """Call the import of that number."""
    return b"\x10" + uleb(n)


def store(address: int, value: bytes) -> bytes:
    """Write what is pushed by this code."""
    return const(address) + value + b"\x36\x02\x00"


def give_list(at: int, count: bytes) -> bytes:
    """Return a list of so many items, which are at that address."""
    return store(8, const(at)) + store(12, count) + const(8)


def module(
    wit: str | None,
    exports: Sequence[Export],
    *,
    imports: Sequence[Import] = (),
    data: Sequence[tuple[int, bytes]] = (),
    pages: int = 2,
) -> bytes:
    """Make a plugin of that interface. The page from 64 KiB on is taken."""
    functions = [Export("_initialize", "", "", b""), Export("cabi_realloc", "iiii", "i", const(16)), *exports]
    segments = list(data)
    if wit is not None:
        text = wit.encode()
        segments.append((65536, b"\xffundergo:interface:1:%08x:%08x\n" % (len(text), zlib.crc32(text)) + text))

    def vec(items: Sequence[bytes]) -> bytes:
        return uleb(len(items)) + b"".join(items)

    def name(text: str) -> bytes:
        return uleb(len(text.encode())) + text.encode()

    def section(number: int, items: Sequence[bytes]) -> bytes:
        body = vec(items)
        return bytes([number]) + uleb(len(body)) + body if items else b""

    def signature(params: str, results: str) -> bytes:
        return b"\x60" + vec([_TYPES[letter] for letter in params]) + vec([_TYPES[letter] for letter in results])

    bodies = [b"\x00" + found.code + b"\x0b" for found in functions]
    count = len(imports)
    return b"".join(
        [
            b"\0asm\1\0\0\0",
            section(1, [signature(found.params, found.results) for found in [*imports, *functions]]),
            section(2, [name(found.module) + name(found.name) + b"\x00" + uleb(i) for i, found in enumerate(imports)]),
            section(3, [uleb(count + i) for i in range(len(functions))]),
            section(5, [b"\x00" + uleb(pages)]),
            section(7, [name("memory") + b"\x02\x00", *(name(f.name) + b"\x00" + uleb(count + i) for i, f in enumerate(functions))]),
            section(10, [uleb(len(body)) + body for body in bodies]),
            section(11, [b"\x00" + const(at) + b"\x0b" + uleb(len(content)) + content for at, content in segments]),
        ]
    )
