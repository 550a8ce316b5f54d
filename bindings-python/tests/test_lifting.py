"""What a value costs a program: memory, time, and code of its own that runs meanwhile."""

from __future__ import annotations

import gc
import json
import sys
import threading
import time
import tracemalloc
from typing import Any

import pytest
import undergo
from wasm import Export, const, give_list, module, param

KIB, MIB = 1 << 10, 1 << 20
LIMIT = 2 * MIB
AT = 128 * KIB
"""Where zeros begin."""


def nested(depth: int) -> str:
    records = ["  record r0 { a: bool }", *(f"  record r{i} {{ a: r{i - 1} }}" for i in range(1, depth))]
    return "\n".join(records)


def plugin(result: str, types: str = "", data: bytes = b"", classes: Any = None) -> undergo.Plugin:
    """A plugin whose `f` gives a list of so many items, which are what `data` holds, or zeros."""
    wit = f"package go:t;\n\nworld t {{\n{types}\n  export f: func(n: u32) -> {result};\n}}\n"
    exports = [Export("f", "i", "i", give_list(AT, param(0)))]
    segments = [(AT, data)] if data else []
    return undergo.Plugin(module(wit, exports, data=segments, pages=256), types=classes)


def cost(function: Any, count: int) -> tuple[int, int]:
    """The most that a call allocates, and how many items it gave: -1 when they were too many."""
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        try:
            made = len(function(count))
        except undergo.OutOfMemoryError:
            made = -1
        return tracemalloc.get_traced_memory()[1] - before, made
    finally:
        tracemalloc.stop()


GONE = """
  record gone { a: bool, b: u8 }
  variant oops { text(string), gone(tuple<string, gone>) }
  type failed = result<_, list<oops>>;
"""
"""The record of an error, as a value: zeros."""

# To bytes of the WIT text.
POINTERS = (65_560).to_bytes(4, "little") + (3).to_bytes(4, "little")


@pytest.mark.parametrize(
    ("result", "types", "data"),
    [
        ("list<option<bool>>", "", b""),
        ("list<bool>", "", b""),
        ("list<u8>", "", b""),
        ("list<u64>", "", b"\xff" * 15 * MIB),
        ("list<f32>", "", b"\x01" * 15 * MIB),
        ("list<string>", "", POINTERS * 100_000),
        ("list<tuple<bool, bool, bool, bool, bool, bool, bool, bool>>", "", b""),
        ("list<list<u8>>", "", POINTERS * 100_000),
        ("list<list<bool>>", "", b""),
        ("list<r59>", nested(60), b""),
        ("list<p>", "  record p { a: s64, b: s64, c: option<s64> }", b"\x01" * 15 * MIB),
        ("list<v>", "  variant v { none, some(u8) }", b""),
        ("list<v>", "  variant v { label(string), none }", b""),
        ("list<v>", "  variant v { none, maybe(option<u8>) }", b"\x01" * 15 * MIB),
        ("list<v>", "  record p { a: bool }\n  variant v { p(p), none }", b""),
        ("list<gone>", GONE, b""),
    ],
)
def test_the_limit_of_a_value_bounds_what_it_costs(result: str, types: str, data: bytes) -> None:
    found = plugin(result, types, data)
    guest: Any = found.instantiate(limits=undergo.Limits(value=LIMIT))
    least, beyond, most = 0, 400_000 if "list<p>" in result else 2 * MIB, 0
    while beyond - least > max(1, least // 20):
        count = (least + beyond) // 2
        spent, made = cost(guest.f, count)
        most = max(most, spent)
        assert made in (count, -1)
        least, beyond = (count, beyond) if made >= 0 else (least, count)
    # No more than twice as much, and the limit is no tighter than it need be.
    assert LIMIT / 5 < most < 2 * LIMIT, (result, most, least)
    assert len(guest.f(1)) == 1


def test_it_holds_for_text_whose_characters_are_wide() -> None:
    text = ("a" * 60_000 + "😀").encode()
    pointers = (AT + 64 * KIB).to_bytes(4, "little") + len(text).to_bytes(4, "little")
    data = (pointers * 8 * KIB).ljust(64 * KIB, b"\0") + text
    guest: Any = plugin("list<string>", data=data).instantiate(limits=undergo.Limits(value=LIMIT))
    # The same bytes, each time a string of its own, of four bytes for each character.
    assert [len(item) for item in guest.f(8)] == [60_001] * 8
    spent, made = cost(guest.f, 1000)
    assert made == -1
    assert spent < 2 * LIMIT


JSON_WIT = """package go:t;

world t {
  use undergo:go/types.{json};
  export f: func(n: u32) -> json;
}

package undergo:go {
  interface types { type json = string; }
}
"""


def test_it_holds_for_json() -> None:
    for piece in (b"[],", b"{},", b'{"":0},', b"1e9,", b'"",', b"[[[[]]]],"):
        text = b"[" + piece * (200 * KIB // len(piece)) + b"0]"
        exports = [Export("f", "i", "i", give_list(AT, const(len(text))))]
        found = undergo.Plugin(module(JSON_WIT, exports, data=[(AT, text)], pages=32))
        guest: Any = found.instantiate(limits=undergo.Limits(value=LIMIT))
        spent, _ = cost(guest.f, 0)
        assert spent < 2 * LIMIT, piece
        lax: Any = found.instantiate(limits=undergo.Limits(value="64MiB"))
        assert lax.f(0)[-1] == 0


@pytest.mark.parametrize("result", ["list<list<list<bool>>>", "list<list<list<u64>>>"])
def test_a_deadline_holds_while_a_value_is_lifted(result: str) -> None:
    pointers = AT.to_bytes(4, "little") + (16_000).to_bytes(4, "little")
    found = plugin(result, data=pointers * 16_000)
    limits = undergo.Limits(value=1 << 40, timeout=0.1)
    guest: Any = found.instantiate(limits=limits)
    began = time.monotonic()
    with pytest.raises((undergo.TimeoutError, undergo.TrapError)):
        guest.f(16_000)
    assert time.monotonic() - began < 5


def test_nobody_sees_a_list_or_tuple_with_holes() -> None:
    class Person:
        made = 0

        def __init__(self, *, x: int) -> None:
            self.x = x
            Person.made += 1
            # To go over all that there is takes a while.
            if Person.made % 16:
                return
            for found in gc.get_objects():
                if type(found) in (list, tuple) and len(found) in (103, 104):
                    # A crash, where one is NULL.
                    assert all(item is not Person for item in found)

    found = plugin("list<person>", "  record person { x: s32 }", classes={"Person": Person})
    guest: Any = found.instantiate()
    assert len(guest.f(103)) == 103
    found = plugin("list<tuple<" + "person, " * 103 + "person>>", "  record person { x: s32 }", classes={"Person": Person})
    guest = found.instantiate()
    assert [len(item) for item in guest.f(1)] == [104]


def test_a_constructor_that_asks_the_program_to_end_does(recwarn: pytest.WarningsRecorder) -> None:
    for ending in (SystemExit(3), KeyboardInterrupt(), GeneratorExit(), ValueError("no")):

        class Person:
            raised = ending

            def __init__(self, *, x: int) -> None:
                raise self.raised

        found = plugin("list<person>", "  record person { x: s32 }", classes={"Person": Person})
        guest: Any = found.instantiate()
        with pytest.raises(type(ending)) as caught:
            guest.f(3)
        assert caught.value is ending
        # The guest has answered, and lives.
        assert guest.f(0) == []


def test_json_that_is_deeper_than_the_stack_is_refused() -> None:
    """Python's own reader calls itself; where its limit is raised, the stack is all that ends it."""

    def depth(deep: int) -> Any:
        text = b"[" * deep + b"]" * deep
        exports = [Export("f", "i", "i", give_list(AT, const(len(text))))]
        guest: Any = undergo.Plugin(module(JSON_WIT, exports, data=[(AT, text)], pages=32)).instantiate()
        return guest.f(0)

    said: list[Any] = []

    def on_a_small_stack() -> None:
        said.append(depth(20))
        with pytest.raises(undergo.TypeMismatchError) as caught:
            depth(10_000)
        said.append(str(caught.value))

    limit, size = sys.getrecursionlimit(), threading.stack_size(512 * KIB)
    sys.setrecursionlimit(1_000_000)
    try:
        thread = threading.Thread(target=on_a_small_stack)
        thread.start()
        thread.join()
    finally:
        sys.setrecursionlimit(limit)
        threading.stack_size(size)
    assert said[0] == json.loads("[" * 20 + "]" * 20)
    assert "nested 10000 deep, and the stack of this thread has room for" in said[1]
