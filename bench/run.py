"""Measure Undergo beside its peers, both sides of a ratio in the same run, and write bench/results.md.

Run by `make bench`. Each ratio is the median over several rounds; within a round the two sides take turns, so that what else the
machine does meets both.
"""

from __future__ import annotations

import argparse
import ctypes
import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy
import undergo
import wasmtime

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
ROUNDS = 15


@dataclass
class Row:
    """A line of the table: both sides in seconds a call, and the bound on their ratio."""

    what: str
    peer: str
    ours: float
    theirs: float
    bound: float

    @property
    def ratio(self) -> float:
        return self.ours / self.theirs


def compare(what: str, peer: str, bound: float, ours: Callable[[], object], theirs: Callable[[], object], number: int, per: int = 1) -> Row:
    """Measure two functions in turns. `per` is how many calls one of them makes."""
    mine, other = [], []
    for side in (ours, theirs):
        for _ in range(max(number // 4, 1)):
            side()
    for _ in range(ROUNDS):
        mine.append(timed(ours, number))
        other.append(timed(theirs, number))
    ratios = sorted(a / b for a, b in zip(mine, other, strict=True))
    middle = ratios[len(ratios) // 2]
    base = statistics.median(other)
    return Row(what, peer, base * middle / per, base / per, bound)


def timed(function: Callable[[], object], number: int) -> float:
    start = time.perf_counter()
    for _ in range(number):
        function()
    return (time.perf_counter() - start) / number


def build(folder: Path) -> tuple[Path, Path, ctypes.CDLL, ctypes.CDLL]:
    """Build the guests and the native libraries."""
    cli = os.environ.get("UNDERGO", str(ROOT / "build" / "bin" / "undergo"))
    go = os.environ.get("UNDERGO_GO", "go")
    plugin, bare = folder / "plugin.wasm", folder / "bare.wasm"
    native, callback = folder / "native.so", folder / "callback.so"
    env = dict(os.environ, CGO_ENABLED="1", GOFLAGS="-buildvcs=false")
    wasm = dict(os.environ, GOOS="wasip1", GOARCH="wasm", GOFLAGS="-buildvcs=false")
    subprocess.run([cli, "build", HERE / "plugin", "-o", plugin], check=True)
    subprocess.run([go, "build", "-buildmode=c-shared", "-o", bare, "."], check=True, cwd=HERE / "bare", env=wasm)
    subprocess.run([go, "build", "-buildmode=c-shared", "-o", native, "."], check=True, cwd=HERE / "native", env=env)
    compiler = os.environ.get("CC", "cc")
    subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", callback, HERE / "native" / "callback.c"], check=True)
    return plugin, bare, ctypes.CDLL(str(native)), ctypes.CDLL(str(callback))


class BareGuest:
    """The hand-written guest on wasmtime-py."""

    def __init__(self, path: Path) -> None:
        engine = wasmtime.Engine()
        self.store = wasmtime.Store(engine)
        self.store.set_wasi(wasmtime.WasiConfig())
        linker = wasmtime.Linker(engine)
        linker.define_wasi()
        exports = linker.instantiate(self.store, wasmtime.Module.from_file(engine, str(path))).exports(self.store)
        exports["_initialize"](self.store)
        self.memory, self.alloc = exports["memory"], exports["alloc"]
        self.echo_order, self.sum = exports["echo_order"], exports["sum"]

    def order(self, order: dict[str, object]) -> object:
        data = json.dumps(order).encode()
        at = self.alloc(self.store, len(data))
        self.memory.write(self.store, data, at)
        packed = self.echo_order(self.store, at, len(data)) & 0xFFFF_FFFF_FFFF_FFFF
        start, size = packed >> 32, packed & 0xFFFF_FFFF
        return json.loads(bytes(self.memory.read(self.store, start, start + size)))

    def total(self, values: numpy.ndarray) -> float:
        data = values.tobytes()
        at = self.alloc(self.store, len(data))
        self.memory.write(self.store, data, at)
        return self.sum(self.store, at, len(values))


def measure(plugin: Path, bare: Path, native: ctypes.CDLL, callback: ctypes.CDLL) -> list[Row]:
    guest = undergo.load(plugin, imports={"host": {"upper": str.upper, "pause": int}})
    peer = BareGuest(bare)
    rows = []

    add = native.Add
    add.argtypes, add.restype = [ctypes.c_int32, ctypes.c_int32], ctypes.c_int32
    ours_add = guest.add
    assert ours_add(2, 3) == add(2, 3) == 5
    rows.append(compare("`add(int32, int32)`", "native Go via ctypes", 1.5, lambda: ours_add(2, 3), lambda: add(2, 3), 50_000))

    native.EchoString.argtypes, native.EchoString.restype = [ctypes.c_char_p], ctypes.c_void_p
    libc = ctypes.CDLL(None)
    libc.free.argtypes = [ctypes.c_void_p]

    def native_string() -> str:
        result = native.EchoString(b"hello world")
        text = ctypes.string_at(result).decode()
        libc.free(result)
        return text

    echo_string = guest.echo_string
    assert echo_string("hello world") == native_string() == "hello world"
    rows.append(
        compare("string → string, 11 bytes", "native Go via ctypes", 0.8, lambda: echo_string("hello world"), native_string, 30_000)
    )

    order = {
        "id": "A-17",
        "customer": "Ada Lovelace",
        "total": 12.5,
        "count": 50,
        "paid": True,
        "items": [f"item number {i}" for i in range(50)],
    }
    echo_order = guest.echo_order
    assert echo_order(order).items == peer.order(order)["items"] == order["items"]
    rows.append(
        compare(
            "a record with 6 fields, one a list of 50 strings",
            "wasmtime-py with JSON on both sides",
            0.1,
            lambda: echo_order(order),
            lambda: peer.order(order),
            200,
        )
    )

    blob = os.urandom(1 << 20)
    source, target = ctypes.create_string_buffer(blob, len(blob)), ctypes.create_string_buffer(len(blob))

    def two_copies() -> None:
        ctypes.memmove(target, source, len(blob))
        ctypes.memmove(source, target, len(blob))

    echo_bytes = guest.echo_bytes
    assert echo_bytes(blob) == blob
    rows.append(compare("1 MiB bytes there and back", "two memcpy of 1 MiB", 4.0, lambda: echo_bytes(blob), two_copies, 100))

    values = numpy.random.default_rng(1).random(1_000_000)
    ours_sum = guest.sum
    assert ours_sum(values) == peer.total(values)
    rows.append(
        compare(
            "1,000,000 float64 from NumPy, summed",
            "wasmtime-py with memory.write",
            1.0,
            lambda: ours_sum(values),
            lambda: peer.total(values),
            10,
        )
    )

    calls = 10_000
    kept: list[bytes] = [b""]
    # ctypes keeps nothing that a callback returns, so the callback keeps it, and returns the
    # pointer.
    pointer_type = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_char_p)

    def native_upper_pointer(text: bytes) -> int | None:
        kept[0] = text.decode().upper().encode()
        return ctypes.cast(kept[0], ctypes.c_void_p).value

    pointer = pointer_type(native_upper_pointer)
    callback.call_host.restype = ctypes.c_longlong
    call_host = guest.call_host
    assert call_host(3) == callback.call_host(pointer, 3) == 33
    rows.append(
        compare(
            "a Python host function called from Go, string → string",
            "a ctypes callback called from C",
            1.5,
            lambda: call_host(calls),
            lambda: callback.call_host(pointer, calls),
            2,
            per=calls,
        )
    )
    return rows


def resident() -> int:
    """Bytes of this process that are in memory."""
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def memory(plugin: Path) -> tuple[int, int]:
    """How much the guest's and the host's memory grow from call 1,000 to call 100,000 with 64 KiB there and back."""
    guest = undergo.load(plugin, imports={"host": {"upper": str.upper, "pause": int}})
    blob = os.urandom(64 << 10)
    for _ in range(1_000):
        guest.echo_bytes(blob)
    before = guest.memory.size, resident()
    for _ in range(99_000):
        guest.echo_bytes(blob)
    return guest.memory.size - before[0], resident() - before[1]


@dataclass
class Starts:
    """How long it takes to the first call, in seconds: medians over processes of their own."""

    tiered: float
    best: float
    imported: float
    cached: float

    BOUND = 0.5
    CACHED_BOUND = 0.015

    @property
    def extra(self) -> float:
        return self.cached - self.imported

    @property
    def in_tiers(self) -> bool:
        return self.tiered <= self.BOUND * self.best

    @property
    def from_the_cache(self) -> bool:
        return self.extra <= self.CACHED_BOUND

    @property
    def holds(self) -> bool:
        return self.in_tiers and self.from_the_cache


def starts(plugin: Path, folder: Path) -> Starts:
    """Measure first calls: without a cache within the process, with one from the start of the process to its end."""
    call = "undergo.load(sys.argv[1], imports={'host': {'upper': str.upper, 'pause': int}}, compile=COMPILE, cache=CACHE).add(2, 3)"
    env = dict(os.environ, UNDERGO_CACHE_DIR=str(folder / "cache"))

    def run(code: str) -> tuple[float, str]:
        start = time.perf_counter()
        done = subprocess.run([sys.executable, "-c", code, plugin], check=True, env=env, capture_output=True, text=True)
        return time.perf_counter() - start, done.stdout

    def cold(compiler: str) -> float:
        code = call.replace("COMPILE", repr(compiler)).replace("CACHE", "False")
        return float(
            run(f"import os, sys, time, undergo; t = time.perf_counter(); {code}; print(time.perf_counter() - t, flush=True); os._exit(0)")[
                1
            ]
        )

    warm = "import sys, undergo; " + call.replace("COMPILE", "'tiered'").replace("CACHE", "None")
    run("import sys, undergo; undergo.Plugin(sys.argv[1], compile='best')")
    tiered, best, imported, cached = [], [], [], []
    for _ in range(ROUNDS // 3):
        tiered.append(cold("tiered"))
        best.append(cold("best"))
    for _ in range(2 * ROUNDS):
        imported.append(run("import sys, undergo")[0])
        cached.append(run(warm)[0])
    return Starts(*map(statistics.median, (tiered, best, imported, cached)))


def seconds(value: float) -> str:
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if value >= scale:
            return f"{value / scale:.3g} {unit}"
    return f"{value / 1e-9:.3g} ns"


def report(rows: list[Row], start: Starts, growth: tuple[int, int]) -> str:
    peer = importlib.metadata.version("wasmtime")
    versions = f"Python {platform.python_version()}, wasmtime-py {peer}, {platform.machine()}, {os.cpu_count()} CPUs"
    lines = [
        "# Results",
        "",
        f"Written by `make bench`: Undergo {undergo.__version__}, {versions}.",
        "Each ratio is the median of several rounds in one run, in which both sides take turns; machines differ, ratios less so.",
        "",
        "| Python, release build | against | Undergo | the other | ratio | bound |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        verdict = "" if row.ratio <= row.bound else ", **missed**"
        lines.append(
            f"| {row.what} | {row.peer} | {seconds(row.ours)} | {seconds(row.theirs)} | {row.ratio:.2f} × | ≤ {row.bound:g} ×{verdict} |"
        )
    guest, host = growth
    tiers, cache = ("" if held else ", **missed**" for held in (start.in_tiers, start.from_the_cache))
    lines += [
        "",
        "| first call, Python | against | Undergo | the other | | bound |",
        "| --- | --- | --- | --- | --- | --- |",
        f"| compiled in tiers, without a cache | the better compiler alone | {seconds(start.tiered)} | {seconds(start.best)} "
        f"| {start.tiered / start.best:.2f} × | ≤ {start.BOUND:g} ×{tiers} |",
        f"| a whole process, code from the cache | one that does no more than `import undergo` | {seconds(start.cached)} "
        f"| {seconds(start.imported)} | + {seconds(start.extra)} | ≤ + {seconds(start.CACHED_BOUND)}{cache} |",
        "",
        "100,000 calls with 64 KiB arguments and results: from the 1,000th on the guest's memory grew by "
        f"{guest:,} bytes, the host's by {host:,} bytes.",
        "",
    ]
    return "\n".join(lines)


def others(results: Path) -> str:
    """Give the sections of other programs, which write there, too."""
    text = results.read_text() if results.is_file() else ""
    at = text.find("\n## ")
    return text[at:] if at >= 0 else ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=HERE / "results.md")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        built = build(Path(folder))
        rows = measure(*built)
        start = starts(built[0], Path(folder))
        text = report(rows, start, memory(built[0]))
    options.output.write_text(text + others(options.output))
    print(text)
    return 0 if all(row.ratio <= row.bound for row in rows) and start.holds else 1


if __name__ == "__main__":
    sys.exit(main())
