"""Builds the command line tool and the Python package, then a plugin, and calls it from Python, saying what happens."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import environment as python_environment
import go
import wheel
from project import BUILD, CLI, PYTHON, ROOT, environment, run, say

import cli

EXAMPLE = ROOT / "examples" / "markdown"


def main() -> None:
    """Build and run the example."""
    # What is fetched takes the network's time, and Cargo the processors'.
    with ThreadPoolExecutor() as beside:
        fetched = beside.submit(fetch)
        cli.build()
    with_go = fetched.result()
    wheel.build()
    env = environment(with_go)
    wasm = BUILD / "examples" / "markdown.wasm"
    wasm.parent.mkdir(parents=True, exist_ok=True)
    say("undergo build examples/markdown/plugin     goldmark, a Markdown library in Go, becomes a plugin")
    run([CLI, "build", EXAMPLE / "plugin", "-o", wasm], env=env)
    say("undergo inspect markdown.wasm              what the plugin gives, and what it wants")
    run([CLI, "inspect", wasm], env=env)
    say("python examples/markdown/main.py           it renders README.md")
    start = time.monotonic()
    run([PYTHON, EXAMPLE / "main.py", wasm], env=env)
    say(f"done in {time.monotonic() - start:.1f} s, most of which went into compiling the plugin for this machine")


def fetch() -> Path:
    """Install what the Python package is built with, and a Go where there is none; gives the go command."""
    python_environment.ensure()
    return go.find()


if __name__ == "__main__":
    main()
