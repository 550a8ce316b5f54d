"""Greenlets, which take turns on the stack of their thread: each is a caller of its own, and may leave a host function in the middle."""

from __future__ import annotations

import asyncio
import gc
import importlib.util
import random
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

BUSY = "in the middle of a call of this thread"

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


def test_others_go_on_while_a_greenlet_is_in_a_host_function(start: Start, start_pool: Start) -> None:
    a, b = start(Switching(to_parent)), start(Switching(to_parent))
    first, second = greenlet.greenlet(a.catch_failure), greenlet.greenlet(b.catch_failure)
    first.switch("a")
    second.switch("b")
    # Nobody else comes into an instance that is in the middle of a call, and nobody waits for what
    # needs this thread.
    for instance in (a, b):
        for use in (instance.counter, lambda instance=instance: instance.memory.read(0, 4), instance.reset):
            with pytest.raises(undergo.BusyError, match=BUSY):
                use()
    assert start().counter() == 1
    assert start_pool(1).counter() == 1
    assert first.switch() == answer("a")
    assert second.switch() == answer("b")
    assert (a.counter(), b.counter()) == (1, 1)


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (2, 0, 3, 1)])
def test_any_order_will_do(start: Start, order: tuple[int, ...]) -> None:
    main = greenlet.getcurrent()
    instances = [start(Switching(lambda _: main.switch("waits"))) for _ in range(4)]
    greenlets = [greenlet.greenlet(instance.catch_failure) for instance in instances]
    for i, running in enumerate(greenlets):
        assert running.switch(str(i)) == "waits"
    for i in order:
        assert greenlets[i].switch() == answer(str(i))
    assert [instance.counter() for instance in instances] == [1] * 4


def test_a_pool_has_an_instance_for_each_greenlet(start_pool: Start) -> None:
    pool = start_pool(2, Switching(to_parent))
    waiting = [greenlet.greenlet(pool.catch_failure) for _ in range(2)]
    for i, running in enumerate(waiting):
        running.switch(str(i))
    with pytest.raises(undergo.BusyError, match="own pool needs a larger one"):
        pool.counter()
    assert [running.switch() for running in waiting] == [answer("0"), answer("1")]
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


def test_a_call_within_is_the_host_functions_own(start: Start) -> None:
    """Another greenlet that goes on meanwhile has not the right to call back."""

    class Back(Switching):
        def fail(self, msg: str) -> str:
            self.switch(msg)
            return str(guest.counter())

    guest = start(Back(to_parent))
    running = greenlet.greenlet(guest.catch_failure)
    running.switch("a")
    other = greenlet.greenlet(guest.counter)
    with pytest.raises(undergo.BusyError, match=BUSY):
        other.switch()
    assert running.switch() == answer("1")
    assert guest.counter() == 2


def test_greenlets_that_switch_at_random(start: Start, start_pool: Start) -> None:
    """Within host functions of instances, of a pool, and of calls within calls."""
    chance = random.Random(2026)
    ready: list[greenlet.greenlet] = []
    main = greenlet.getcurrent()

    def wait(_: str) -> None:
        if chance.random() < 0.7:
            ready.append(greenlet.getcurrent())
            main.switch()

    instances = [start(Switching(wait)) for _ in range(3)]
    pool = start_pool(3, Switching(wait))
    results = {"returned": 0, "busy": 0}

    def call(number: int) -> None:
        target = chance.choice([*instances, pool])
        try:
            assert target.catch_failure(str(number)) == answer(str(number))
            results["returned"] += 1
        except undergo.BusyError:
            results["busy"] += 1

    for number in range(2000):
        if ready and chance.random() < 0.6:
            ready.pop(chance.randrange(len(ready))).switch()
        else:
            greenlet.greenlet(call).switch(number)
    while ready:
        ready.pop(chance.randrange(len(ready))).switch()
    assert results["returned"] + results["busy"] > 700
    assert results["returned"] > 100
    for instance in instances:
        assert instance.alive
        assert instance.counter() == 1


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
    assert other.counter() == 1
    del running
    gc.collect()
    assert not guest.alive
    assert other.counter() == 2


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


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_a_function_for_lines_may_switch(start: Start, order: tuple[int, ...]) -> None:
    seen: dict[int, list[str]] = {i: [] for i in range(3)}

    def make(i: int) -> Any:
        def line(text: str) -> None:
            to_parent("")
            seen[i].append(text)

        return start(sandbox=undergo.Sandbox(stdout=line, stderr=line))

    instances = [make(i) for i in range(3)]
    running = [greenlet.greenlet(instance.print) for instance in instances]
    for i, one in enumerate(running):
        one.switch(f"{i}\nmore\nrest", "warning\n")
    for instance in instances:
        with pytest.raises(undergo.BusyError, match=BUSY):
            instance.counter()
    assert start().counter() == 1
    # Four lines each, in turn.
    for _ in range(4):
        for i in order:
            running[i].switch()
    assert all(one.dead for one in running)
    assert {i: sorted(lines) for i, lines in seen.items()} == {i: sorted([str(i), "more", "rest", "warning"]) for i in range(3)}
    for i, instance in enumerate(instances):
        waiting = greenlet.greenlet(instance.print)
        waiting.switch("again\n", "")
        # One that is thrown out of the function ends the call, as any failure of it does.
        with pytest.raises(KeyError, match="thrown"):
            waiting.throw(KeyError("thrown"))
        assert not instance.alive, i


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
        return await asyncio.gather(*calls)

    assert asyncio.run(main()) == [answer("a"), answer("b")]


def test_asynchronous_calls_go_on_while_a_greenlet_is_in_a_host_function(plugin: undergo.Plugin, start: Start) -> None:
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
        assert await begun == answer("a")
        assert await guest.counter() == 1
        assert running.switch() == answer("b")

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
    guest = plugin.instantiate(imports={"host": Switching()})
    call = greenlet.greenlet(guest.catch_failure)
    call.switch("a")
    print(call.switch())

threading.stack_size(1 << 20)
thread = threading.Thread(target=run)
thread.start()
thread.join()
"""


def test_a_small_stack_will_do() -> None:
    """The guest has a stack of its own, and host functions run on the thread's."""
    ended = subprocess.run(
        [sys.executable, "-c", SMALL_STACK, str(Path(__file__).parent)], capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.returncode == 0, (ended.returncode, ended.stderr)
    assert ended.stdout.strip() == answer("a")


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
pool = plugin.pool(5, imports={"host": Switching()})
jobs = [gevent.spawn(target.catch_failure, str(i)) for i, target in enumerate([*guests, *[pool] * 5])]
gevent.joinall(jobs)
print(sum(job.successful() for job in jobs), {type(job.exception).__name__ for job in jobs if not job.successful()})
print({guest.catch_failure("again") for guest in guests})
"""


def test_gevent_is_served() -> None:
    # Not imported here: it would stay in the process of all tests.
    if importlib.util.find_spec("gevent") is None:
        pytest.skip("gevent is not installed")
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", GEVENT, str(Path(__file__).parent)], capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.returncode == 0, (ended.returncode, ended.stderr)
    assert ended.stdout.splitlines() == ["10 set()", "{'no error, but again'}"]
