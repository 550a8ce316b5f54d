"""Tries the packages with each version of each runtime, and prints a table. A probe in the runtime's language tries some things.

versions.py [NAME...]    node, bun, deno, python, java, go and ruby are all
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import go
import runtimes
from hosts import HOSTS
from project import CLI, Stamp, environment, say, sources
from project import run as run_command
from runtimes import PLACE, PROBES, Runtime

CHECKS = ("load", "call", "buffer", "record", "host", "error", "panic", "timeout", "worker", "memory")
"""What the probes try. The last two are JavaScript's alone: a worker that is ended, and memory that calls leave."""

RUNTIMES: dict[str, tuple[str, Callable[[], Iterator[Runtime]]]] = {
    "node": ("node", lambda: runtimes.javascript("node")),
    "bun": ("node", lambda: runtimes.javascript("bun")),
    "deno": ("node", lambda: runtimes.javascript("deno")),
    "python": ("python", runtimes.pythons),
    "java": ("java", runtimes.javas),
    "go": ("go", runtimes.gos),
    "ruby": ("ruby", runtimes.rubies),
}
"""The runtimes, each with the host whose package it takes."""

Outcome = tuple[str, str]
"""`ok`, `not ok` or `skip`, and why."""

LONGEST = 300
"""Seconds that a probe may take."""


def main(names: list[str]) -> int:
    """Print a row for each version; 0 when all that was tried is as it should be."""
    if unknown := [name for name in names if name not in RUNTIMES]:
        sys.exit(f"there is no runtime {', '.join(unknown)}; there are {', '.join(RUNTIMES)}")
    chosen = [RUNTIMES[name] for name in names or RUNTIMES]
    for host in dict.fromkeys(host for host, _ in chosen):
        if not HOSTS[host].missing():
            HOSTS[host].build()
    probe = plugin()
    rows: list[tuple[str, ...]] = [("runtime", *CHECKS)]
    notes: list[str] = []
    bad = False
    for _, found in chosen:
        for runtime in found():
            if runtime.lacks:
                notes.append(f"{runtime.name} was not tried: {runtime.lacks}")
                continue
            say(f"trying {runtime.name}")
            results = tried(runtime, str(probe))
            rows.append((runtime.name, *(_cell(results, check) for check in CHECKS)))
            notes += [f"{runtime.name}: {check}: {why}" for check, (_, why) in results.items() if why]
            bad |= any(said == "not ok" for said, _ in results.values())
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    print("\n".join(notes))
    return 1 if bad or len(rows) == 1 else 0


def tried(runtime: Runtime, plugin: str, longest: float = LONGEST) -> dict[str, Outcome]:
    """Run a probe with a plugin, and give what came of each thing that it tried."""
    env = environment() | dict(runtime.env)
    try:
        done = subprocess.run(
            [*runtime.command, plugin], cwd=PLACE, env=env, capture_output=True, encoding="utf-8", errors="replace", timeout=longest
        )
    except subprocess.TimeoutExpired as error:
        said = error.stdout.decode("utf-8", "replace") if isinstance(error.stdout, bytes) else ""
        return read(said) | {"the end": ("not ok", f"not within {longest} seconds")}
    results = read(done.stdout)
    if done.returncode or any(check not in results for check in CHECKS[:8]):
        results["the end"] = ("not ok", f"exit code {done.returncode}: {done.stderr.strip()[-500:]}")
    return results


def read(output: str) -> dict[str, Outcome]:
    """Read what a probe printed."""
    lines = (re.fullmatch(r"(ok|not ok|skip) (\w+)(?:: (.*))?", line.strip()) for line in output.splitlines())
    return {line[2]: (line[1], line[3] or "") for line in lines if line}


def _cell(results: dict[str, Outcome], check: str) -> str:
    said, _ = results.get(check, ("skip", ""))
    return {"ok": "ok", "not ok": "FAILED", "skip": "-"}[said]


def plugin() -> Path:
    """Build the plugin that the probes call, unless it was made from what is there now."""
    found = go.find()
    output = PLACE / "probe.wasm"
    stamp = Stamp("versions-plugin", [*sources("tools/versions/plugin", "go-guest-sdk"), CLI], str(found))
    if not stamp.fresh() or not output.is_file():
        PLACE.mkdir(parents=True, exist_ok=True)
        run_command([CLI, "build", PROBES / "plugin", "-o", output], env=environment(found))
        stamp.set()
    return output


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
