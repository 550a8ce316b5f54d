"""Measure an HTTP server that is compiled for WebAssembly beside the same program compiled for this machine.

Run by `make bench`, or alone where `undergo` is built. Prints a table; fails when a request is lost or a bound does not hold.
The client is a native program in both cases, and runs on the same processors as the server.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NETWORK = ROOT / "conformance" / "network"
ROUNDS = 7
CLIENTS = [(1, 3_000), (100, 20_000), (1_000, 20_000)]
"""How many at once, and how many requests they send together in a round."""
BOUND = 4
MISSED = 3
"""What the program ends with when a bound does not hold."""
UNDERGO = os.environ.get("UNDERGO", str(ROOT / "build" / "bin" / "undergo"))
GO = os.environ.get("UNDERGO_GO", "go")


@contextlib.contextmanager
def serving(command: list[str | Path]) -> Iterator[str]:
    """Run a server, and give its URL."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        url = f"http://{process.stdout.readline().strip()}"
        yield url
        urllib.request.urlopen(f"{url}/stop", data=b"", timeout=60).close()
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()


def load(program: Path, url: str, clients: int, requests: int) -> tuple[float, int]:
    """Give how many requests a second were answered, and how many were lost."""
    command: list[str | Path] = [program, "-url", url, "-clients", str(clients), "-requests", str(requests)]
    said = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    return requests / said["seconds"], said["lost"]


def build(folder: Path) -> tuple[Path, Path, Path]:
    """Build the server for WebAssembly and for this machine, and the client."""
    wasm, native, client = folder / "server.wasm", folder / "server", folder / "load"
    subprocess.run([UNDERGO, "build", "--net", "--command", NETWORK / "server", "-o", wasm], check=True, stdout=subprocess.DEVNULL)
    for program, package in [(native, "./server"), (client, "./load")]:
        subprocess.run([GO, "build", "-o", program, package], cwd=NETWORK, check=True)
    return wasm, native, client


def main() -> int:
    """Measure, print, and judge."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 8192) if hard != resource.RLIM_INFINITY else 8192), hard))
    held = True
    print("| clients at once | requests a second | native | native / ours | lost | bound |\n| --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as name:
        wasm, native, client = build(Path(name))
        with serving([UNDERGO, "run", "--net", "listen=127.0.0.1:0", "--descriptors", "4096", wasm]) as ours, serving([native]) as theirs:
            for clients, requests in CLIENTS:
                rates: dict[str, list[float]] = {ours: [], theirs: []}
                lost = 0
                for url in rates:
                    load(client, url, clients, requests // 4)
                for _ in range(ROUNDS):
                    for url, found in rates.items():
                        rate, gone = load(client, url, clients, requests)
                        found.append(rate)
                        lost += gone
                ratio = statistics.median(b / a for a, b in zip(*rates.values(), strict=True))
                within = ratio <= BOUND and lost == 0
                mine, other = (statistics.median(found) for found in rates.values())
                limit = f"≤ {BOUND} ×, none lost{'' if within else ', **missed**'}"
                print(f"| {clients:,} | {mine:,.0f} | {other:,.0f} | {ratio:.2f} × | {lost} | {limit} |", flush=True)
                held &= within
    return 0 if held else MISSED


if __name__ == "__main__":
    sys.exit(main())
