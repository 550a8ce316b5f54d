"""Greenlets, which take turns on the stack of their thread: a host function that one has left in the middle keeps others out."""

from __future__ import annotations

import asyncio
import gc
import importlib.util
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import greenlet
import pytest
import undergo
from conftest import Host

BUSY = "another greenlet, fiber or coroutine"

Start = Callable[..., Any]


class Switching(Host):
    """A host whose `fail` lets other greenlets go on, in the way that it is given."""

    def __init__(self, switch: Callable[[str], Any]) -> None:
        super().__init__()
        self.switch = switch

    def fail(self, msg: str) -> str:
        self.switch(msg)
        return msg


def answer(text: str) -> str:
    """What `catch_failure` makes of a host function that does not fail."""
    return f"no error, but {text}"


def to_parent(_: str) -> None:
    greenlet.getcurrent().parent.switch()


def test_a_greenlet_in_a_host_function_keeps_others_out(start: Start) -> None:
    a, b = start(Switching(to_parent)), start(Switching(to_parent))
    first, second = greenlet.greenlet(a.catch_failure), greenlet.greenlet(b.catch_failure)
    first.switch("a")
    with pytest.raises(undergo.BusyError, match=BUSY):
        second.switch("b")
    for instance in (a, b):
        with pytest.raises(undergo.BusyError, match=BUSY):
            instance.counter()
        with pytest.raises(undergo.BusyError, match=BUSY):
            instance.memory.read(0, 4)
        with pytest.raises(undergo.BusyError, match=BUSY):
            instance.reset()
    with pytest.raises(undergo.BusyError, match=BUSY):
        start()
    assert first.switch() == answer("a")
    assert a.alive
    assert b.alive
    assert (a.counter(), b.counter()) == (1, 1)


def test_other_orders_than_the_last_first(start: Start) -> None:
    main = greenlet.getcurrent()
    instances = [start(Switching(lambda _: main.switch("waits"))) for _ in range(4)]
    greenlets = [greenlet.greenlet(instance.catch_failure) for instance in instances]
    assert greenlets[0].switch("0") == "waits"
    for i in (1, 2, 3):
        with pytest.raises(undergo.BusyError, match=BUSY):
            greenlets[i].switch(str(i))
    assert greenlets[0].switch() == answer("0")
    for i in (3, 1, 2):
        again = greenlet.greenlet(instances[i].catch_failure)
        assert again.switch(str(i)) == "waits"
        assert again.switch() == answer(str(i))


def test_a_pool_is_not_waited_for(start_pool: Start) -> None:
    pool = start_pool(1, Switching(to_parent))
    waiting = greenlet.greenlet(pool.catch_failure)
    waiting.switch("a")
    with pytest.raises(undergo.BusyError, match=BUSY):
        pool.counter()
    assert waiting.switch() == answer("a")
    assert pool.counter() == 1


def test_calls_within_calls_and_other_threads_go_on(start: Start) -> None:
    host = Host()
    inner = start(host)
    seen: list[int] = []

    def call_others(_: str) -> None:
        seen.append(inner.reenter(3))
        thread = threading.Thread(target=lambda: seen.append(inner.counter()))
        thread.start()
        thread.join()
        to_parent("")
        seen.append(inner.counter())

    outer = start(Switching(call_others))
    running = greenlet.greenlet(outer.catch_failure)
    running.switch("a")
    assert running.switch() == answer("a")
    assert seen == [3, 1, 2]


def test_a_killed_greenlet_ends_its_call(start: Start) -> None:
    guest = start(Switching(to_parent))
    running = greenlet.greenlet(guest.catch_failure)
    running.switch("a")
    running.throw()
    assert running.dead
    assert not guest.alive
    with pytest.raises(undergo.DeadInstanceError):
        guest.counter()
    guest.reset()
    assert guest.counter() == 1


def test_a_greenlet_that_nobody_has_any_more_ends_its_call(start: Start) -> None:
    guest, other = start(Switching(to_parent)), start()
    running = greenlet.greenlet(guest.catch_failure)
    running.switch("a")
    with pytest.raises(undergo.BusyError, match=BUSY):
        other.counter()
    del running
    gc.collect()
    assert not guest.alive
    assert other.counter() == 1


def test_an_exception_thrown_into_it_comes_out(start: Start) -> None:
    guest = start(Switching(to_parent))
    running = greenlet.greenlet(guest.catch_failure)
    running.switch("a")
    assert running.throw(KeyError("thrown")) == "caught: 'thrown'"
    assert guest.alive
    running = greenlet.greenlet(guest.catch_failure)
    running.switch("a")
    interrupt = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt) as raised:
        running.throw(interrupt)
    assert raised.value is interrupt
    assert not guest.alive


def test_what_sqlalchemy_does(start: Start) -> None:
    """Synchronous code in a greenlet, which awaits by switching to the loop's."""

    def await_only(awaitable: Awaitable[Any]) -> Any:
        return greenlet.getcurrent().parent.switch(awaitable)

    async def spawn(function: Callable[..., Any], *args: Any) -> Any:
        running = greenlet.greenlet(function)
        result = running.switch(*args)
        while not running.dead:
            result = running.switch(await result)
        return result

    def ask(text: str) -> None:
        await_only(asyncio.sleep(0.02 if text == "a" else 0.04))

    async def main() -> list[Any]:
        guests = [start(Switching(ask)) for _ in range(2)]
        calls = (spawn(guest.catch_failure, text) for guest, text in zip(guests, "ab", strict=True))
        results = await asyncio.gather(*calls, return_exceptions=True)
        assert await spawn(guests[1].catch_failure, "b") == answer("b")
        return results

    first, second = asyncio.run(main())
    assert first == answer("a")
    assert isinstance(second, undergo.BusyError)


def test_asynchronous_calls_wait_for_a_greenlet_in_a_host_function(plugin: undergo.Plugin, start: Start) -> None:
    class Waiting(Host):
        async def fail(self, msg: str) -> str:
            await asyncio.sleep(0.01)
            return msg

    async def main() -> None:
        guest = await plugin.instantiate_async(imports={"host": Waiting()})
        other = start(Switching(to_parent))
        begun = asyncio.create_task(wait(guest.catch_failure("a")))
        await asyncio.sleep(0)
        running = greenlet.greenlet(other.catch_failure)
        running.switch("b")
        with pytest.raises(undergo.BusyError, match=BUSY):
            await guest.counter()
        await asyncio.sleep(0.1)
        assert not begun.done()
        assert running.switch() == answer("b")
        assert await begun == answer("a")
        assert await guest.counter() == 1

    async def wait(call: Awaitable[Any]) -> Any:
        return await call

    asyncio.run(main())


SMALL_STACK = """
import sys, threading, greenlet, undergo
sys.path.insert(0, sys.argv[1])
from conftest import Host, conformance_path

class Switching(Host):
    def fail(self, text):
        main.switch()
        return text

def run():
    global main
    main = greenlet.getcurrent()
    plugin = undergo.Plugin(conformance_path())
    try:
        guest = plugin.instantiate(imports={"host": Switching()})
        call = greenlet.greenlet(guest.catch_failure)
        call.switch("a")
        print(call.switch())
    except undergo.BusyError as error:
        print("busy:", error)

threading.stack_size(1 << 20)
thread = threading.Thread(target=run)
thread.start()
thread.join()
"""


def test_a_stack_that_is_too_small_for_greenlets_is_told() -> None:
    """On a thread whose stack is too small for a guest the guest gets one of its own, from which greenlets can't be switched."""
    ended = subprocess.run(
        [sys.executable, "-c", SMALL_STACK, str(Path(__file__).parent)], capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.returncode == 0, (ended.returncode, ended.stderr)
    assert "busy: the call needs 5120 KiB of stack" in ended.stdout


GEVENT = """
import gevent.monkey
gevent.monkey.patch_all()
import sys, gevent, undergo
sys.path.insert(0, sys.argv[1])
from conftest import Host, conformance_path

class Switching(Host):
    def fail(self, text):
        gevent.sleep(0.01)
        return text

plugin = undergo.Plugin(conformance_path())
guests = [plugin.instantiate(imports={"host": Switching()}) for _ in range(5)]
jobs = [gevent.spawn(guest.catch_failure, str(i)) for i, guest in enumerate(guests)]
gevent.joinall(jobs)
print(sum(job.successful() for job in jobs), {type(job.exception).__name__ for job in jobs if not job.successful()})
print({guest.catch_failure("again") for guest in guests})
"""


def test_gevent_is_told() -> None:
    # Not imported here: in a process with gevent threads with small stacks get `busy`.
    if importlib.util.find_spec("gevent") is None:
        pytest.skip("gevent is not installed")
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", GEVENT, str(Path(__file__).parent)], capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.returncode == 0, (ended.returncode, ended.stderr)
    assert ended.stdout.splitlines() == ["1 {'BusyError'}", "{'no error, but again'}"]
