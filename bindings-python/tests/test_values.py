"""Python values at their edges: numbers, text, buffers, times."""

from __future__ import annotations

import array
import collections
import datetime
import decimal
import enum
import math
import struct
import threading
import time
from collections import OrderedDict, UserDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import undergo


def test_numbers_keep_their_ranges(guest: Any) -> None:
    for name, low, high in (
        ("echo_int8", -(2**7), 2**7 - 1),
        ("echo_uint8", 0, 2**8 - 1),
        ("echo_int64", -(2**63), 2**63 - 1),
        ("echo_uint64", 0, 2**64 - 1),
    ):
        function = guest.exports[name]
        assert function(low) == low
        assert function(high) == high
        for wrong in (low - 1, high + 1, 10**5000):
            with pytest.raises(undergo.TypeMismatchError, match="out of range"):
                function(wrong)
    assert guest.alive


@pytest.mark.parametrize("wrong", [True, 1.0, "1", None, b"1"])
def test_what_is_no_integer_is_refused(guest: Any, wrong: Any) -> None:
    with pytest.raises(undergo.TypeMismatchError, match=f"expected s32, got {type(wrong).__name__}"):
        guest.echo_int32(wrong)


def test_numpy_scalars_are_numbers(guest: Any) -> None:
    assert guest.echo_int32(np.int16(5)) == 5
    assert guest.echo_float64(np.float32(0.5)) == 0.5


def test_floats_out_of_range_are_refused(guest: Any) -> None:
    with pytest.raises(undergo.TypeMismatchError, match="out of range for f32"):
        guest.echo_float32(1e300)
    assert guest.echo_float32(float("inf")) == float("inf")


def test_a_lone_surrogate_has_a_path(guest: Any) -> None:
    with pytest.raises(undergo.TypeMismatchError, match="lone surrogate") as caught:
        guest.echo_strings(["ok", "\ud800"])
    assert caught.value.path == "echo-strings(v[1])"
    assert guest.alive


@pytest.mark.parametrize("size", [0, 1, 1023, 1024, 1025, 100_000])
@pytest.mark.parametrize(
    "make", [bytes, bytearray, memoryview, lambda data: np.frombuffer(data, dtype=np.uint8), lambda data: array.array("B", data)]
)
def test_bytes_come_from_any_buffer(guest: Any, size: int, make: Callable[[bytes], Any]) -> None:
    data = bytes(i % 251 for i in range(size))
    assert guest.echo_bytes(make(data)) == data


def test_a_buffer_is_free_again_after_the_call(guest: Any) -> None:
    data = bytearray(5000)
    assert guest.echo_bytes(data) == data
    data.extend(b"more")
    with pytest.raises(undergo.TypeMismatchError):
        guest.through_host("s", data, "no number", [], [])
    data.extend(b"more")


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        ("int8s", "i1"),
        ("int16s", "i2"),
        ("int32s", "i4"),
        ("int64s", "i8"),
        ("uint16s", "u2"),
        ("uint32s", "u4"),
        ("uint64s", "u8"),
        ("float32s", "f4"),
        ("float64s", "f8"),
    ],
)
def test_numeric_lists_come_from_arrays(guest: Any, name: str, dtype: str) -> None:
    function = guest.exports[f"echo_{name}"]
    for count in (0, 3, 1000):
        values = np.arange(count).astype(dtype)
        assert function(values) == values.tolist()
    strided = np.arange(20).astype(dtype)[::2]
    assert function(strided) == strided.tolist()
    swapped = np.arange(20).astype(np.dtype(dtype).newbyteorder(">"))
    assert function(swapped) == swapped.tolist()


def test_an_array_of_another_type_is_checked_item_by_item(guest: Any) -> None:
    assert guest.echo_int8s(np.array([1, 2], dtype=np.int64)) == [1, 2]
    with pytest.raises(undergo.TypeMismatchError, match=r"echo-int8s\(v\[1\]\): 300 is out of range"):
        guest.echo_int8s(np.array([1, 300], dtype=np.int64))
    with pytest.raises(undergo.TypeMismatchError):
        guest.echo_float64s(np.ones((2, 2)))


def test_lists_come_from_any_iterable(guest: Any) -> None:
    assert guest.echo_strings(("a", "b")) == ["a", "b"]
    assert guest.echo_strings(c for c in "ab") == ["a", "b"]
    assert guest.echo_strings({"a": 1}.keys()) == ["a"]
    for wrong in ("ab", b"ab", {"a": 1}, 5):
        with pytest.raises(undergo.TypeMismatchError, match="expected list<string>"):
            guest.echo_strings(wrong)


def test_maps_come_from_any_mapping(guest: Any) -> None:
    counts = {"a": 1, "b": 2}
    for mapping in (counts, OrderedDict(counts), UserDict(counts)):
        assert guest.echo_counts(mapping) == counts
    with pytest.raises(undergo.TypeMismatchError, match=r'echo-counts\(v\["b"\]\): expected s64, got str'):
        guest.echo_counts({"a": 1, "b": "x"})


def test_of_equal_keys_the_last_counts(guest: Any) -> None:
    class Number:
        def __init__(self, value: int) -> None:
            self.value = value

        def __index__(self) -> int:
            return self.value

    # They are different to Python, and the same to the guest.
    assert guest.echo_labels({7: "first", Number(8): "other", Number(7): "last"}) == {7: "last", 8: "other"}
    assert guest.echo_labels({Number(7): "first", 7: "last"}) == {7: "last"}


def test_a_list_that_changes_while_it_is_read(guest: Any) -> None:
    class Shrinks:
        def __init__(self, owner: list[Any]) -> None:
            self.owner = owner

        def __index__(self) -> int:
            self.owner.clear()
            return 1

    values: list[Any] = []
    values += [Shrinks(values), 2, 3]
    with pytest.raises(undergo.TypeMismatchError, match="changed its size"):
        guest.echo_int64s(values)
    assert guest.alive


def test_a_call_from_within_a_conversion(guest: Any) -> None:
    class Calls:
        def __index__(self) -> int:
            return int(guest.counter())

    assert guest.divmod(Calls(), Calls()) == (0, 1)


def test_times_keep_their_offset(guest: Any) -> None:
    zone = datetime.timezone(datetime.timedelta(hours=5, minutes=30))
    moment = datetime.datetime(2026, 2, 3, 4, 5, 6, 789000, zone)
    back = guest.echo_time(moment)
    assert back == moment
    assert back.utcoffset() == moment.utcoffset()
    with pytest.raises(undergo.TypeMismatchError, match="no time zone"):
        guest.echo_time(datetime.datetime(2026, 1, 1))
    with pytest.raises(undergo.TypeMismatchError, match=r"expected datetime\.datetime, got str"):
        guest.echo_time("2026")
    assert guest.echo_duration(-datetime.timedelta(microseconds=1)) == -datetime.timedelta(microseconds=1)
    with pytest.raises(undergo.TypeMismatchError, match="292 years"):
        guest.echo_duration(datetime.timedelta.max)


def test_json_is_any_value(guest: Any) -> None:
    value = {"a": [1, 2.5, None, True, "ü"], "b": {}}
    assert guest.echo_any(value) == value
    for wrong in ({1, 2}, float("nan"), object()):
        with pytest.raises(undergo.TypeMismatchError, match=r"echo-any\(v\)"):
            guest.echo_any(wrong)


@pytest.mark.parametrize(
    "value",
    [2**53 + 1, -(2**63), 2**64 - 1, 10**40, -(10**400), 0, -1, 1e22, 5e-324, 1.7976931348623157e308, 0.1, -0.0, '\x00\x1f"\\\x7fü😀', ""],
)
def test_json_is_exact_both_ways(guest: Any, value: Any) -> None:
    for given in (value, [value], {"a": {"b": value}}):
        assert guest.echo_any(given) == given
        assert guest.echo_raw(given) == given
    assert type(guest.echo_any([value])[0]) is type(value) or value == -0.0


def test_json_takes_what_stands_for_its_types(guest: Any) -> None:
    class Level(enum.IntEnum):
        HIGH = 2**70

    class Text(str):
        pass

    given = {"a": (1, 2), Text("t"): Text("x"), "n": Level.HIGH, "o": collections.OrderedDict(b=True)}
    assert guest.echo_any(given) == {"a": [1, 2], "t": "x", "n": 2**70, "o": {"b": True}}


def nested(depth: int) -> Any:
    value: Any = 0
    for _ in range(depth):
        value = [value]
    return value


LOOP: list[Any] = [1]
LOOP.append({"me": LOOP})


@pytest.mark.parametrize(
    ("value", "path", "text"),
    [
        ({"a": [1, math.nan]}, ".a[1]", "NaN is no number of JSON"),
        ([math.inf], "[0]", "Infinity is no number of JSON"),
        ({"a b": {1}}, '["a b"]', "JSON has no set"),
        ([b"x"], "[0]", "JSON has no bytes"),
        ({"d": decimal.Decimal("1.5")}, ".d", "JSON has no Decimal"),
        ({"d": datetime.datetime.now()}, ".d", "JSON has no datetime"),
        ([{1: 2}], "[0]", "keys of an object in JSON are strings, and one is int"),
        ([{None: 2}], "[0]", "one is NoneType"),
        (["\ud800"], "[0]", "lone surrogate"),
        ([10**5000], "[0]", "digit"),
        ([...], "[0]", "JSON has no ellipsis"),
        (LOOP, "[1].me[1].me", "contains itself"),
        (nested(1001), "[0][0]", "more than 1000 deep"),
    ],
)
def test_what_json_cannot_hold_is_named(guest: Any, value: Any, path: str, text: str) -> None:
    with pytest.raises(undergo.TypeMismatchError) as caught:
        guest.echo_any(value)
    assert str(caught.value).startswith(f"echo-any(v{path}"), caught.value
    assert text in str(caught.value)
    assert guest.echo_any(nested(900)) == nested(900)


def test_what_is_nested_deeper_than_the_stack_is_refused(guest: Any) -> None:
    said: list[Any] = []

    def on_a_small_stack() -> None:
        said.append(guest.echo_any(nested(20)))
        with pytest.raises(undergo.TypeMismatchError, match="deeper than the thread's stack has room for"):
            guest.echo_any(nested(900))
        said.append(guest.echo_any(1))

    size = threading.stack_size(256 << 10)
    try:
        thread = threading.Thread(target=on_a_small_stack)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(size)
    assert said == [nested(20), 1]


def test_the_lock_is_released_during_guest_code(start: Callable[..., Any]) -> None:
    guest = start()
    ticks = 0
    done = threading.Event()

    def count() -> None:
        nonlocal ticks
        while not done.is_set():
            ticks += 1
            time.sleep(0)

    thread = threading.Thread(target=count)
    thread.start()
    try:
        before = ticks
        guest.sleep(200)
        assert ticks - before > 10
    finally:
        done.set()
        thread.join()


def test_memory_stays_where_it_is() -> None:
    """100,000 calls with 64 KiB each way are measured by `make bench`; this is the short form."""
    from conftest import Host, conformance_path

    guest = undergo.load(conformance_path(), imports={"host": Host()})
    data = bytes(64 << 10)
    for _ in range(1000):
        guest.echo_bytes(data)
    before = guest.memory.size
    for _ in range(4000):
        guest.echo_bytes(data)
    assert guest.memory.size == before


BARE = """
package main

import "unsafe"

//go:wasmimport env emit
func emit(at unsafe.Pointer, size uint32) uint32

var buffer [64]byte

//go:wasmexport add
func add(x, y int32) int32 { return x + y }

//go:wasmexport scale
func scale(x int64, f float64) float64 { return float64(x) * f }

//go:wasmexport half
func half(f float32) float32 { return f / 2 }

//go:wasmexport buffer
func bufferAt() unsafe.Pointer { return unsafe.Pointer(&buffer) }

//go:wasmexport sum
func sum(at unsafe.Pointer, size uint32) uint32 {
	total := uint32(0)
	for _, b := range unsafe.Slice((*byte)(at), size) {
		total += uint32(b)
	}
	return total
}

//go:wasmexport greet
func greet() uint32 {
	text := []byte("hello from Go")
	return emit(unsafe.Pointer(&text[0]), uint32(len(text)))
}

func main() {}
"""


def test_a_bare_module(go_build: Callable[..., Path]) -> None:
    plugin = undergo.Plugin(go_build(BARE))
    assert plugin.interface is None
    assert plugin.imports == {"env": {"emit": "emit(arg0: int, arg1: int) -> int"}}
    heard: list[bytes] = []

    def emit(at: int, size: int) -> int:
        heard.append(guest.memory.read(at, size))
        return size

    guest = plugin.instantiate(imports={"env": {"emit": emit}})
    assert guest.add(2, -5) == -3
    assert guest.add(2**32 - 1, 0) == -1
    assert guest.scale(3, 0.5) == 1.5
    assert guest.half(3) == 1.5
    at = guest.buffer()
    guest.memory.write(at, b"\x01\x02\x03")
    assert guest.memory.read(at, 3) == b"\x01\x02\x03"
    assert guest.sum(at, 3) == 6
    assert guest.greet() == 13
    assert heard == [b"hello from Go"]
    size = guest.memory.size
    assert len(guest.memory) == size
    for wrong in ((size, 1), (size - 1, 2), (-1, 5), (0, 2**40), (2**40, 1), (0, -1)):
        with pytest.raises(undergo.TypeMismatchError):
            guest.memory.read(*wrong)
    with pytest.raises(undergo.TypeMismatchError, match="outside the guest's memory"):
        guest.memory.write(size - 1, b"xx")
    with pytest.raises(undergo.TypeMismatchError, match="expected bytes, got str"):
        guest.memory.write(at, "text")  # type: ignore[arg-type]
    with pytest.raises(undergo.TypeMismatchError):
        guest.add(2**32, 0)
    assert guest.alive


@pytest.mark.parametrize("bits", [0x7FF8000000000001, 0xFFF8DEADBEEF0001, 0x7FF0000000000001])
def test_the_bits_of_a_nan_are_kept(guest: Any, bits: int) -> None:
    (value,) = struct.unpack("<d", struct.pack("<Q", bits))
    assert struct.pack("<d", guest.echo_float64(value)) == struct.pack("<Q", bits)
    assert struct.pack("<d", guest.echo_float64s([value])[0]) == struct.pack("<Q", bits)
    (narrow,) = guest.echo_float32s(np.array([0x7FC00123], dtype=np.uint32).view(np.float32))
    assert narrow != narrow
