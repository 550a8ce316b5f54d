"""Commands: programs that begin, end, and answer with their exit code."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import undergo
from conftest import ROOT, Caller, guest_path

RUNS = json.loads((ROOT / "conformance" / "command" / "runs.json").read_text(encoding="utf-8"))["runs"]


@pytest.fixture(scope="module")
def command() -> undergo.Plugin:
    return undergo.Plugin(guest_path("command"))


def run_async(command: undergo.Plugin, **options: Any) -> undergo.Completed:
    async def main() -> undergo.Completed:
        return await asyncio.wait_for(command.run_async(**options), 60)

    return asyncio.run(main())


WAYS = pytest.mark.parametrize("run", [undergo.Plugin.run, run_async], ids=["run", "run_async"])
Run = Callable[..., undergo.Completed]


@WAYS
@pytest.mark.parametrize("row", RUNS, ids=lambda row: row["name"])
def test_a_run(command: undergo.Plugin, run: Run, row: dict[str, Any]) -> None:
    options = {name: row[name] for name in ("args", "env") if name in row}
    if "stdin" in row:
        options["stdin"] = row["stdin"].encode()
    done = run(command, **options)
    assert done.code == row.get("code", 0)
    if "length" in row:
        assert len(done.stdout) == row["length"]
    else:
        assert done.stdout.decode() == row.get("stdout", "")
    assert row["stderr"] in done.stderr.decode() if "stderr" in row else done.stderr == b""
    assert done.truncated == row.get("truncated", False)
    assert done.usage.time > 0
    assert done.usage.memory >= 1 << 16


@WAYS
def test_the_sandbox_says_where_output_goes(command: undergo.Plugin, run: Run) -> None:
    lines: list[str] = []
    sandbox = undergo.Sandbox(args=["exit", "1"], stdout=lines.append, stderr="discard")
    done = run(command, sandbox=sandbox)
    assert (done.code, done.stdout, done.stderr, lines) == (1, b"", b"", ["out"])
    # What is given for the run is in place of the sandbox's own, and leaves that as it is.
    done = run(command, args=["exit", "2"], sandbox=sandbox)
    assert (done.code, lines, sandbox.args) == (2, ["out", "out"], ["exit", "1"])
    done = run(command, args=["print", "100"], sandbox=undergo.Sandbox(capture_limit=10))
    assert (done.stdout, done.truncated) == (b"x" * 10, True)


@WAYS
def test_it_reaches_what_the_sandbox_has(command: undergo.Plugin, run: Run, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("content")
    sandbox = undergo.Sandbox(dirs={"/data": undergo.Dir(tmp_path, readonly=True)})
    assert run(command, args=["read", "/data/in.txt"], sandbox=sandbox).stdout == b"content"
    assert run(command, args=["temp"], sandbox=undergo.Sandbox(temp=True)).stdout == b"/tmp"
    assert b"no such file or directory" in run(command, args=["temp"]).stderr.lower()
    with pytest.raises(TypeError, match=r"True or False"):
        undergo.Sandbox(temp="/tmp")  # type: ignore[arg-type]
    assert b'stdin "content"' in run(command, args=["show"], stdin=tmp_path / "in.txt").stdout


@WAYS
def test_a_run_can_be_repeated(command: undergo.Plugin, run: Run) -> None:
    def chance(seed: int, hours: int = 0) -> str:
        clock = datetime(2026, 2, 3, 4, 5, 6, tzinfo=timezone(timedelta(hours=hours)))
        return run(command, args=["chance"], sandbox=undergo.Sandbox(clock=clock, seed=seed)).stdout.decode()

    first = chance(7)
    assert first.startswith("now 2026-02-03T04:05:06.0000")
    assert "\nslept 1h0m0.0000" in first
    assert chance(7) == first
    lines = [a != b for a, b in zip(first.splitlines(), chance(2**64 - 1, 2).splitlines(), strict=True)]
    assert lines == [True, False, True, True, True, True]
    assert chance(7, 2).startswith("now 2026-02-03T02:05:06.0000")


@pytest.mark.parametrize("clock", [datetime(2026, 2, 3), datetime(1969, 1, 1, tzinfo=timezone.utc), "2026-02-03", 5])
def test_what_is_no_clock(clock: Any) -> None:
    with pytest.raises(ValueError, match="a datetime with a time zone, from 1970 on"):
        undergo.Sandbox(clock=clock)
    for seed in (-1, 2**64, "x", True):
        with pytest.raises(ValueError, match=r"Sandbox\.seed"):
            undergo.Sandbox(seed=seed)  # type: ignore[arg-type]


@WAYS
@pytest.mark.parametrize("what", ["spin", "sleep"])
def test_what_has_no_end_is_ended(command: undergo.Plugin, run: Run, what: str) -> None:
    with pytest.raises(undergo.TimeoutError):
        run(command, args=[what], timeout=0.1)
    with pytest.raises(undergo.TimeoutError):
        run(command, args=[what], limits=undergo.Limits(timeout=0.1))
    token = undergo.CancelToken()
    threading.Timer(0.1, token.cancel).start()
    with pytest.raises(undergo.CancelledError):
        run(command, args=[what], cancel=token)


def test_other_threads_go_on(command: undergo.Plugin) -> None:
    token = undergo.CancelToken()
    caller = Caller(lambda: command.run(args=["spin"], cancel=token))
    # Python runs here while the command does there.
    assert command.run(args=["exit", "5"]).code == 5
    token.cancel()
    with pytest.raises(undergo.CancelledError):
        caller.wait()


def test_the_loop_goes_on_and_a_cancelled_task_ends_the_command(command: undergo.Plugin) -> None:
    async def main() -> None:
        task = asyncio.ensure_future(command.run_async(args=["spin"]))
        done = await asyncio.gather(*[command.run_async(args=["exit", str(n)]) for n in range(4)])
        assert [one.code for one in done] == [0, 1, 2, 3]
        assert not task.done()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())


GO = """
package main

import "os"

//go:wasmimport host double
func double(n int32) int32

func main() { os.Exit(int(double(21))) }
"""


def test_it_may_call_the_host(go_build: Callable[..., Path]) -> None:
    program = undergo.Plugin(go_build(GO, "default"))
    assert program.kind == "command"

    async def double(n: int) -> int:
        await asyncio.sleep(0.001)
        return 2 * n

    assert program.run(imports={"host": {"double": lambda n: 2 * n}}).code == 42
    assert run_async(program, imports={"host": {"double": double}}).code == 42
    with pytest.raises(undergo.MissingImportError, match="double"):
        program.run()
    raised = KeyError("no")

    def fail(n: int) -> int:
        raise raised

    with pytest.raises(KeyError) as caught:
        program.run(imports={"host": {"double": fail}})
    assert caught.value is raised


def test_what_is_no_run(command: undergo.Plugin, plugin: undergo.Plugin) -> None:
    with pytest.raises(undergo.InvalidPluginError, match="instantiate it"):
        plugin.run()
    with pytest.raises(undergo.InvalidPluginError, match="is a command"):
        command.instantiate()
    with pytest.raises(ValueError, match="the str 'text'"):
        command.run(stdin="text")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"undergo\.Sandbox, got dict"):
        command.run(sandbox={"args": []})  # type: ignore[arg-type]


INTERRUPTED = """
import signal, sys, undergo

# What a shell runs in the background is started without it.
signal.signal(signal.SIGINT, signal.default_int_handler)
command = undergo.Plugin(sys.argv[1])
for what in ("spin", "sleep"):
    try:
        print("in", what, flush=True)
        command.run(args=[what])
    except KeyboardInterrupt:
        print("out", what, flush=True)
"""


def test_ctrl_c_ends_it() -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, guest_path("command")], stdout=subprocess.PIPE, text=True, env=dict(os.environ)
    )
    assert child.stdout is not None
    try:
        for what in ("spin", "sleep"):
            assert child.stdout.readline() == f"in {what}\n"
            # Time to be in the run: an interrupt before it would show less, but be no failure.
            time.sleep(0.2)
            child.send_signal(signal.SIGINT)
            assert child.stdout.readline() == f"out {what}\n"
        assert child.wait(30) == 0
    finally:
        child.kill()
        child.wait()
