"""Modules of Go that carry WebAssembly of other compilers, so that none of their toolchains is needed."""

from __future__ import annotations

import functools
import json
import subprocess
from pathlib import Path

import go
from project import environment

DAPR = "github.com/dapr/components-contrib@v1.18.0"
EXTISM = "github.com/extism/go-sdk@v1.7.1"
WAZERO = "github.com/tetratelabs/wazero@v1.12.0"

SUMS = {
    DAPR: "h1:528bpgWFN+xUfD5cleyDf3Ae53Rv1QJJJPdvDHFLfyE=",
    EXTISM: "h1:lWJos6uY+tRFdlIHR+SJjwFDApY7OypS/2nMhiVQ9Sw=",
    WAZERO: "h1:DuWcpNu/FzgEXgGBDp8J1Spc+CWOvvtvVyjKlaZopYU=",
}
"""The sums of their contents."""


@functools.cache
def folder(module: str) -> Path:
    """Download a module, and give its folder.

    The go command compares its contents with its sum.
    """
    command = go.find()
    done = subprocess.run(
        [command, "mod", "download", "-json", module],
        env=environment(command) | {"GOWORK": "off"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    said: dict[str, str] = json.loads(done.stdout)
    assert said["Sum"] == SUMS[module]
    return Path(said["Dir"])
