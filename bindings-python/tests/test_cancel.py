"""Calls that are asked to end: by a token, by Ctrl-C, by a signal's handler."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
import undergo
from conftest import Caller, Gate, Host, conformance_path, until


@pytest.mark.parametrize(("name", "args"), [("spin", ()), ("sleep", (60_000,))])
@pytest.mark.parametrize("pooled", [False, True])
def test_a_token_ends_a_call(
    start: Callable[..., Any], start_pool: Callable[..., Any], name: str, args: tuple[int, ...], pooled: bool
) -> None:
    target = start_pool(1) if pooled else start()
    token = undergo.CancelToken()
    caller = Caller(getattr(target.using(cancel=token), name), *args)
    threading.Timer(0.05, token.cancel).start()
    with pytest.raises(undergo.CancelledError, match="the call was cancelled") as caught:
        caller.wait()
    assert caught.value.kind == "cancelled"
    if pooled:
        assert target.counter() == 1
        assert target.stats.died == 1
    else:
        with pytest.raises(undergo.DeadInstanceError, match="its end was cancelled"):
            target.counter()


def test_a_token_tells_its_state() -> None:
    token = undergo.CancelToken()
    assert not token.cancelled
    assert repr(token) == "<undergo.CancelToken>"
    token.cancel()
    token.cancel()
    assert token.cancelled
    assert repr(token) == "<undergo.CancelToken, cancelled>"


def test_a_cancelled_token_lets_no_call_begin(guest: Any) -> None:
    token = undergo.CancelToken()
    view = guest.using(cancel=token, timeout=5)
    assert view.counter() == 1
    token.cancel()
    with pytest.raises(undergo.CancelledError):
        view.counter()
    assert guest.counter() == 2


def test_a_token_ends_many_calls(start: Callable[..., Any]) -> None:
    token = undergo.CancelToken()
    callers = [Caller(start().using(cancel=token).spin) for _ in range(4)]
    threading.Timer(0.05, token.cancel).start()
    for caller in callers:
        with pytest.raises(undergo.CancelledError):
            caller.wait()


@pytest.mark.parametrize("pooled", [False, True])
def test_a_token_ends_the_wait_for_a_turn(start: Callable[..., Any], start_pool: Callable[..., Any], pooled: bool) -> None:
    host = Gate()
    target = start_pool(1, host) if pooled else start(host)
    running = Caller(target.notes, ["x"])
    assert host.inside.acquire(timeout=30)
    token = undergo.CancelToken()
    waiting = Caller(target.using(cancel=token).counter)
    if pooled:
        until(lambda: target.stats.waiting == 1)
    token.cancel()
    with pytest.raises(undergo.CancelledError):
        waiting.wait()
    host.go_on.set()
    assert running.wait() == ["x"]
    assert target.counter() == 1


def test_a_call_within_a_cancelled_one_ends_too(start: Callable[..., Any]) -> None:
    token = undergo.CancelToken()

    class Nesting(Gate):
        def reenter(self, depth: int) -> int:
            token.cancel()
            assert self.instance is not None
            with pytest.raises(undergo.CancelledError):
                self.instance.spin()
            return 0

    guest = start(Nesting())
    with pytest.raises(undergo.CancelledError):
        guest.using(cancel=token).reenter(1)
    assert not guest.alive


def test_what_is_no_token(guest: Any) -> None:
    with pytest.raises(TypeError, match="CancelToken"):
        guest.using(cancel=threading.Event())


class Alarm(Exception):
    """What a signal's handler raises."""


@contextmanager
def alarm(handler: Callable[[int, FrameType | None], Any]) -> Iterator[None]:
    """Have the handler run in a tenth of a second, on the main thread."""
    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("work", ["spin", "sleep", "nested", "instance", "pool"])
def test_what_a_handler_raises_comes_out_of_the_call(start: Callable[..., Any], start_pool: Callable[..., Any], work: str) -> None:
    raised = Alarm("wake up")

    def handler(number: int, frame: FrameType | None) -> None:
        raise raised

    class Nesting(Gate):
        def reenter(self, depth: int) -> int:
            assert self.instance is not None
            return int(self.instance.spin())

    host = Nesting()
    target = start_pool(1, host) if work == "pool" else start(host)
    call: Callable[[], Any] = {
        "spin": lambda: target.spin(),
        "sleep": lambda: target.sleep(60_000),
        "nested": lambda: target.reenter(1),
    }.get(work, lambda: target.counter())
    blocked = Caller(target.notes, ["x"]) if work in ("instance", "pool") else None
    if blocked:
        assert host.inside.acquire(timeout=30)
    began = time.monotonic()
    with alarm(handler), pytest.raises(Alarm) as caught:
        call()
    assert time.monotonic() - began < 5
    assert caught.value is raised
    host.go_on.set()
    if blocked:
        # It only waited, and did nothing to the instance.
        blocked.wait()
        assert target.counter() == 1
    else:
        with pytest.raises(undergo.DeadInstanceError, match=r"its end was cancelled: .*Alarm\('wake up'\)"):
            target.counter()


def test_a_handler_that_raises_nothing_lets_the_call_go_on(guest: Any) -> None:
    seen: list[int] = []
    with alarm(lambda number, frame: seen.append(number)):
        guest.sleep(300)
    assert seen == [signal.SIGALRM]
    assert guest.alive


def test_a_handler_may_not_call_the_instance_that_it_interrupts(guest: Any) -> None:
    def handler(number: int, frame: FrameType | None) -> None:
        guest.counter()

    with alarm(handler), pytest.raises(undergo.BusyError):
        guest.spin()
    assert not guest.alive


def test_a_pool_can_be_closed_while_a_handler_raises(start_pool: Callable[..., Any]) -> None:
    def handler(number: int, frame: FrameType | None) -> None:
        raise Alarm

    host = Gate()
    pool = start_pool(1, host)
    running = Caller(pool.notes, ["x"])
    assert host.inside.acquire(timeout=30)
    with alarm(handler), pytest.raises(Alarm):
        pool.close()
    host.go_on.set()
    assert running.wait() == ["x"]


INTERRUPTED = """
import signal, sys, threading, undergo
from conftest import Caller, Gate, conformance_path

# What a shell runs in the background is started without it.
signal.signal(signal.SIGINT, signal.default_int_handler)
plugin = undergo.Plugin(conformance_path())
quiet = undergo.Sandbox(stdout="discard", stderr="discard")

def start(host):
    return plugin.instantiate(imports={"host": host}, sandbox=quiet)

def spin():
    start(Gate()).spin()

def sleep():
    start(Gate()).sleep(60_000)

def pooled():
    plugin.pool(1, imports={"host": Gate()}, sandbox=quiet).spin()

def wait(target, host):
    caller = Caller(target.notes, ["x"])
    host.inside.acquire()
    try:
        target.counter()
    finally:
        host.go_on.set()
        caller.wait()

def instance():
    host = Gate()
    wait(start(host), host)

def pool():
    host = Gate()
    wait(plugin.pool(1, imports={"host": host}, sandbox=quiet), host)

for work in (spin, sleep, pooled, instance, pool):
    try:
        print("in", work.__name__, flush=True)
        work()
    except KeyboardInterrupt:
        print("out", work.__name__, flush=True)
"""


def test_ctrl_c_ends_a_call() -> None:
    here = str(Path(__file__).parent)
    env = dict(os.environ, PYTHONPATH=here, UNDERGO_CONFORMANCE_WASM=str(conformance_path()))
    child = subprocess.Popen([sys.executable, "-c", INTERRUPTED], stdout=subprocess.PIPE, text=True, env=env)
    assert child.stdout is not None
    try:
        for work in ("spin", "sleep", "pooled", "instance", "pool"):
            assert child.stdout.readline() == f"in {work}\n"
            # Time to be in the call: an interrupt before it would show less, but be no failure.
            time.sleep(0.2)
            began = time.monotonic()
            child.send_signal(signal.SIGINT)
            assert child.stdout.readline() == f"out {work}\n"
            assert time.monotonic() - began < 5
        assert child.wait(30) == 0
    finally:
        child.kill()
        child.wait()


def test_a_sub_interpreter_is_refused_with_words() -> None:
    if sys.version_info >= (3, 13):
        run = "import _interpreters as made; failed = made.exec(made.create(), 'import undergo'); raise SystemExit(failed.formatted)"
    else:
        run = "import _xxsubinterpreters as made; made.run_string(made.create(), 'import undergo')"
    done = subprocess.run([sys.executable, "-c", f"import undergo; {run}"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    # Python has its own words where the other interpreter has a lock of its own.
    assert "does not support" in done.stderr
    assert "subinterpreters" in done.stderr


def test_a_token_ends_a_call_that_is_awaited(plugin: undergo.Plugin) -> None:
    async def main() -> None:
        token = undergo.CancelToken()
        async with plugin.async_pool(1, imports={"host": Host()}) as pool:
            threading.Timer(0.05, token.cancel).start()
            with pytest.raises(undergo.CancelledError, match="the call was cancelled"):
                await pool.using(cancel=token).spin()
            assert await pool.counter() == 1
            assert (pool.stats.died, pool.stats.calls) == (1, 2)

    asyncio.run(main())
