"""Processes that fork: a child makes instances of its own, and nothing hangs."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import undergo
from conftest import Host, conformance_path

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="there is no fork"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

SECONDS = 60


def in_child(code: Callable[[], None]) -> None:
    """Run code in a forked child, and fail when it fails or hangs."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        text = "?"
        try:
            code()
            text = "ok"
        except BaseException as error:
            text = f"{type(error).__name__}: {error}"
        finally:
            os.write(writing, text.encode()[:4000])
            os._exit(0)
    os.close(writing)
    deadline = time.monotonic() + SECONDS
    while os.waitpid(pid, os.WNOHANG) == (0, 0):
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            pytest.fail("the child hangs")
        time.sleep(0.01)
    with os.fdopen(reading) as answer:
        assert answer.read() == "ok"


def make(plugin: undergo.Plugin, **limits: Any) -> Any:
    host = Host()
    return plugin.instantiate(imports={"host": host}, limits=undergo.Limits(**limits))


@pytest.fixture
def loaded() -> undergo.Plugin:
    plugin = undergo.Plugin(conformance_path())
    plugin.wait_compiled()
    return plugin


def test_a_child_makes_instances_and_has_deadlines(loaded: undergo.Plugin) -> None:
    guest = make(loaded, timeout=60)
    assert guest.counter() == 1

    def child() -> None:
        with pytest.raises(undergo.DeadInstanceError, match="made before this process forked"):
            guest.counter()
        assert not guest.alive
        mine = make(loaded, timeout=0.2)
        assert mine.counter() == 1
        with pytest.raises(undergo.TimeoutError):
            mine.spin()
        with pytest.raises(undergo.TimeoutError):
            make(loaded, timeout=0.2).sleep(600_000)

    in_child(child)
    assert guest.counter() == 2


def test_a_child_compiles(loaded: undergo.Plugin) -> None:
    def child() -> None:
        # Other flavors than the parent has, by threads that are the child's own.
        assert make(loaded, fuel=1_000_000_000).counter() == 1
        other = undergo.Plugin(conformance_path(), compile="fast", cache=False)
        assert make(other).counter() == 1

    in_child(child)


def test_a_fork_in_the_middle_of_compiling(loaded: undergo.Plugin) -> None:
    del loaded
    plugin = undergo.Plugin(conformance_path(), cache=False)

    def child() -> None:
        assert make(plugin).counter() == 1
        plugin.wait_compiled()

    in_child(child)
    plugin.wait_compiled()
    assert make(plugin).counter() == 1


def test_a_busy_thread_in_the_parent(loaded: undergo.Plugin) -> None:
    guest = make(loaded)
    stop = threading.Event()

    def call() -> None:
        while not stop.is_set():
            guest.recurse(1000)

    thread = threading.Thread(target=call)
    thread.start()

    def child() -> None:
        with pytest.raises(undergo.DeadInstanceError, match="before this process forked"):
            guest.counter()
        assert make(loaded, timeout=60).counter() == 1

    try:
        for _ in range(10):
            in_child(child)
    finally:
        stop.set()
        thread.join()


def test_threads_that_make_instances_in_the_parent(loaded: undergo.Plugin) -> None:
    stop = threading.Event()

    def instantiate() -> None:
        while not stop.is_set():
            make(loaded).counter()

    threads = [threading.Thread(target=instantiate) for _ in range(2)]
    for thread in threads:
        thread.start()

    def child() -> None:
        # One or the other, depending on where the threads were.
        told = ""
        try:
            assert make(loaded, timeout=60).counter() == 1
        except undergo.DeadInstanceError as error:
            told = str(error)
        assert not told or "'spawn' or 'forkserver'" in told

    try:
        for _ in range(20):
            in_child(child)
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_a_fork_within_a_host_function(loaded: undergo.Plugin) -> None:
    class Forking(Host):
        pid = -1

        def note(self, s: str) -> None:
            self.pid = os.fork()

    host = Forking()
    guest: Any = loaded.instantiate(imports={"host": host})
    failed = "the call came back"
    try:
        guest.notes(["a"])
    except undergo.DeadInstanceError as error:
        failed = "" if "before this process forked" in str(error) else str(error)
    if host.pid == 0:
        # Here the call ends as soon as the host function returns.
        os._exit(0 if not failed and make(loaded).counter() == 1 else 1)
    assert failed == "the call came back"
    assert os.waitstatus_to_exitcode(os.waitpid(host.pid, 0)[1]) == 0
    assert guest.counter() == 1


async def awaited(plugin: undergo.Plugin, computing: int) -> list[int]:
    """Make asynchronous instances, of which some compute while others wait; give what they say."""
    imports, timeout = {"host": Host()}, undergo.Limits(timeout=SECONDS)
    async with plugin.async_pool(4, imports=imports, limits=timeout) as pool:
        spinning = [asyncio.create_task(pool.using(timeout=0.1).spin()) for _ in range(computing)]
        sleeping = [asyncio.create_task(pool.sleep(20)) for _ in range(4)]
        numbers = await asyncio.gather(*(pool.recurse(n) for n in range(8)))
        ended = await asyncio.gather(*spinning, return_exceptions=True)
        assert all(isinstance(error, undergo.TimeoutError) for error in ended), ended
        await asyncio.gather(*sleeping)
    return list(numbers)


def test_a_child_awaits_instances_of_its_own(loaded: undergo.Plugin) -> None:
    # Threads of both kinds are there by then, which a child has not.
    assert asyncio.run(awaited(loaded, 2)) == list(range(8))
    guest = asyncio.run(loaded.instantiate_async(imports={"host": Host()}))

    def child() -> None:
        with pytest.raises(undergo.DeadInstanceError, match="made before this process forked"):
            asyncio.run(guest.recurse(1))
        assert asyncio.run(awaited(loaded, 2)) == list(range(8))

    in_child(child)
    assert asyncio.run(guest.recurse(3)) == 3


def work(number: int) -> int:
    """Run in a pool's process."""
    result: int = make(undergo.Plugin(conformance_path())).recurse(number)
    return result


def test_multiprocessing(loaded: undergo.Plugin) -> None:
    assert make(loaded).recurse(3) == 3
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map_async(work, range(8)).get(SECONDS) == list(range(8))


FIRST = """
import os, sys, threading, time
import undergo

plugin = undergo.Plugin(bytes.fromhex(sys.argv[2]))
go = threading.Event()

def make():
    go.wait()
    plugin.instantiate()

threading.Thread(target=make).start()
for _ in range(2):  # threads that compute make the window wide
    threading.Thread(target=lambda: [sum(range(1000)) for _ in range(3000)], daemon=True).start()
go.set()
time.sleep(float(sys.argv[1]))
child = os.fork()
if child == 0:
    try:
        os._exit(0 if plugin.instantiate().f() == 7 else 3)
    except undergo.DeadInstanceError:
        os._exit(0)
end = time.monotonic() + 60
while time.monotonic() < end:
    done, status = os.waitpid(child, os.WNOHANG)
    if done:
        os._exit(os.waitstatus_to_exitcode(status))
    time.sleep(0.005)
os.kill(child, 9)
os._exit(9)
"""

# (module (memory (export "memory") 1) (func (export "_initialize")) (func (export "f") (result i32)
# i32.const 7))
SEVEN = (
    "0061736d010000000108026000006000017f03030200010503010001071c03066d656d6f727902000b5f696e69746961"
    "6c697a650000016600010a090202000b040041070b"
)


@pytest.mark.parametrize("delay", [0, 0.0002, 0.0005, 0.001, 0.0015, 0.002, 0.003, 0.005])
def test_a_fork_while_the_first_instance_is_made(delay: float) -> None:
    """The child answers, or says that it can't: it never waits for a thread that it does not have."""
    ended = subprocess.run([sys.executable, "-W", "ignore", "-c", FIRST, str(delay), SEVEN], timeout=120, check=False)
    assert ended.returncode == 0
