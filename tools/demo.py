"""Builds the plugin of the markdown example, and calls it from Python, saying what happens."""

from __future__ import annotations

import time

import go
from project import BUILD, CLI, PYTHON, ROOT, environment, run, say

EXAMPLE = ROOT / "examples" / "markdown"


def main() -> None:
    """Build and run the example."""
    with_go = go.find()
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


if __name__ == "__main__":
    main()
