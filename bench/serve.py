"""Measure `undergo serve` beside `wasmtime serve`, for the same component.

Run by `make bench`, or alone where `undergo` is built. Prints a table; fails when a request is lost or a bound does not hold.
The client is a native program in both cases, and runs on the same processors as the server.
"""

from __future__ import annotations

import contextlib
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import network

sys.path.insert(0, str(network.ROOT / "tools"))
import foreign

SOURCE = network.ROOT / "bench" / "serving"
ROUNDS = 5
CLIENTS = [(1, 2_000), (32, 5_000), (256, 5_000)]
"""How many at once, and how many requests they send together in a round."""
BOUND = 1.0


@contextlib.contextmanager
def ours(component: Path, *options: str) -> Iterator[str]:
    """Serve by Undergo, and give the URL."""
    command = [network.UNDERGO, "serve", "--addr", "127.0.0.1:0", *options, str(component)]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert process.stderr
    try:
        found = re.search(r"http://\S+", process.stderr.readline())
        assert found, "the server says where it listens"
        yield found[0]
        process.terminate()
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def theirs(component: Path, wasmtime: Path) -> Iterator[str]:
    """Serve by Wasmtime, and give the URL."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command: list[str | Path] = [wasmtime, "serve", "--addr", address, component]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(address.split(":"), timeout=1).close()
                break
            except OSError:
                assert process.poll() is None, "wasmtime has ended"
                assert time.monotonic() < until, "wasmtime does not serve"
                time.sleep(0.05)
        yield f"http://{address}"
    finally:
        process.kill()
        process.wait()


def main() -> int:
    """Measure, print, and judge."""
    try:
        wasmtime, lacking = foreign.wasmtime(), ""
    except foreign.LackingError as reason:
        wasmtime, lacking = None, str(reason)
    print("| clients at once | requests a second | a fresh instance for each | wasmtime serve | ours / wasmtime | bound |")
    print("| --- | --- | --- | --- | --- | --- |")
    held = True
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        client, component = Path(folder) / "load", Path(folder) / "app.wasm"
        subprocess.run([network.UNDERGO, "build", "--component", SOURCE, "-o", component], check=True, stdout=subprocess.DEVNULL)
        subprocess.run([network.GO, "build", "-o", client, "./load"], cwd=network.NETWORK, check=True)
        servers = [stack.enter_context(ours(component)), stack.enter_context(ours(component, "--max-calls", "1"))]
        if wasmtime:
            servers.append(stack.enter_context(theirs(component, wasmtime)))
        for clients, requests in CLIENTS:
            rates: dict[str, list[float]] = {url: [] for url in servers}
            lost = 0
            for url in servers:
                network.load(client, url, clients, requests // 4)
            for _ in range(ROUNDS):
                for url, found in rates.items():
                    rate, gone = network.load(client, url, clients, requests)
                    found.append(rate)
                    lost += gone
            figures = [f"{statistics.median(found):,.0f}" for found in rates.values()]
            if wasmtime:
                mine, _, other = rates.values()
                ratio = statistics.median(a / b for a, b in zip(mine, other, strict=True))
                within = ratio >= BOUND and lost == 0
                shown = f"{ratio:.2f} ×"
            else:
                figures.append(f"not measured: {lacking}")
                within, shown = lost == 0, ""
            print(f"| {clients} | {' | '.join(figures)} | {shown} | ≥ {BOUND} ×, none lost{'' if within else ', **missed**'} |", flush=True)
            held &= within
    return 0 if held else network.MISSED


if __name__ == "__main__":
    sys.exit(main())
