"""Exports that are awaited, and host functions that are coroutines."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import inspect
import threading
import time
import warnings
import weakref
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import undergo
from conftest import Host

QUIET = undergo.Sandbox(stdout="discard", stderr="discard")


class AsyncHost(Host):
    """The module `host` of conformance/README.md, whose functions wait a little."""

    def __getattr__(self, name: str) -> Callable[[Any], Any]:
        if name.startswith("echo_"):
            return self.echo
        raise AttributeError(name)

    async def echo(self, value: Any) -> Any:
        await asyncio.sleep(0)
        return value

    async def divmod(self, a: int, b: int) -> tuple[int, int]:  # type: ignore[override]
        await asyncio.sleep(0.001)
        return divmod(a, b)

    async def crash(self, msg: str) -> None:  # type: ignore[override]
        await asyncio.sleep(0)
        raise ValueError(msg)

    async def check(self, msg: str) -> None:  # type: ignore[override]
        await asyncio.sleep(0)
        if msg:
            raise ValueError(msg)

    async def reenter(self, depth: int) -> int:  # type: ignore[override]
        assert self.instance is not None
        return int(await self.instance.reenter(depth - 1)) + 1  # type: ignore[misc]


def run(main: Callable[[], Awaitable[Any]]) -> Any:
    async def bounded() -> Any:
        return await asyncio.wait_for(main(), 60)

    return asyncio.run(bounded())


async def start(plugin: undergo.Plugin, host: Any = None, **options: Any) -> Any:
    host = host or AsyncHost()
    instance = await plugin.instantiate_async(imports={"host": host}, sandbox=QUIET, **options)
    if isinstance(host, Host):
        host.instance = instance  # type: ignore[assignment]
    return instance


def test_calls_are_awaited(plugin: undergo.Plugin) -> None:
    async def main() -> None:
        guest = await start(plugin)
        assert await guest.echo_string("hello") == "hello"
        assert await guest.echo_int(v=5) == 5
        assert await guest.divmod_through_host(17, 5) == (3, 2)
        data = bytes(range(256)) * 4000
        assert await guest.echo_bytes(data) == data
        with pytest.raises(undergo.GuestError, match="no such thing"):
            await guest.fail("no such thing")
        assert await guest.counter() == 1
        await guest.poll()
        await guest.reset()
        assert await guest.counter() == 1
        assert guest.alive
        assert set(guest.exports) == set(plugin.exports)

    run(main)


def test_a_call_is_a_coroutine_to_asyncio(plugin: undergo.Plugin) -> None:
    async def main() -> None:
        guest = await start(plugin)
        call = guest.echo_string("x")
        assert inspect.isawaitable(call)
        assert asyncio.iscoroutine(call)
        assert repr(call) == "<undergo call of echo_string>"
        assert await asyncio.create_task(call) == "x"
        with pytest.raises(RuntimeError, match="awaited before"):
            await call
        assert await asyncio.gather(*(guest.echo_int(i) for i in range(50))) == list(range(50))
        assert await asyncio.wait_for(guest.echo_int(1), 10) == 1
        # A wrong argument is said by the call, not by the await.
        with pytest.raises(undergo.TypeMismatchError):
            guest.echo_int("one")
        with pytest.raises(undergo.UnknownExportError):
            guest.no_such_thing()
        unused = guest.echo_int(1)
        unused.close()

    run(main)
    with pytest.raises(RuntimeError):
        plugin.instantiate_async(imports={"host": AsyncHost()}).send(None)


def test_host_functions_may_be_coroutines_or_not(plugin: undergo.Plugin) -> None:
    class Mixed(AsyncHost):
        def divmod(self, a: int, b: int) -> tuple[int, int]:  # type: ignore[override]
            return divmod(a, b)

    async def main() -> None:
        for host in (AsyncHost(), Mixed()):
            guest = await start(plugin, host)
            text = "ä" * 100_000
            got = await guest.through_host(text, b"x" * 50_000, 7, ["a"] * 1000, [0.5])
            assert got == (text, b"x" * 50_000, 7, ["a"] * 1000, [0.5])
            assert await guest.divmod_through_host(9, 4) == (2, 1)
            assert "bad luck" in await guest.catch_failure("bad luck")

    run(main)
    guest = plugin.instantiate(imports={"host": AsyncHost()}, sandbox=QUIET)
    with pytest.raises(undergo.HostError, match="make the instance, or the pool, an asynchronous one"):
        guest.divmod_through_host(9, 4)


def test_an_exception_of_a_coroutine_comes_back_as_the_same_object(plugin: undergo.Plugin) -> None:
    raised = KeyError("mine")

    class Failing(AsyncHost):
        async def crash(self, msg: str) -> None:  # type: ignore[override]
            await asyncio.sleep(0)
            raise raised

    async def main() -> None:
        guest = await start(plugin, Failing())
        with pytest.raises(KeyError) as caught:
            await guest.crash("x")
        assert caught.value is raised
        assert not guest.alive

    run(main)


def test_context_variables_reach_host_functions(plugin: undergo.Plugin) -> None:
    request: contextvars.ContextVar[str] = contextvars.ContextVar("request", default="none")
    seen = []

    class Looking(AsyncHost):
        async def note(self, s: str) -> None:  # type: ignore[override]
            await asyncio.sleep(0)
            seen.append(request.get())

        def notes(self) -> list[str]:
            seen.append(request.get())
            return []

    async def one(guest: Any, name: str) -> None:
        request.set(name)
        await guest.notes(["x"])

    async def main() -> None:
        guest = await start(plugin, Looking())
        await asyncio.gather(one(guest, "a"), one(guest, "b"))
        assert request.get() == "none"

    run(main)
    assert seen == ["a"] * 3 + ["b"] * 3


def test_a_coroutine_calls_back_into_its_instance(plugin: undergo.Plugin) -> None:
    async def main() -> None:
        guest = await start(plugin)
        assert await guest.reenter(6) == 6
        assert await guest.counter() == 1

    run(main)


def test_a_cancelled_task_cancels_its_call(plugin: undergo.Plugin) -> None:
    async def main() -> None:
        for name, args in (("spin", ()), ("sleep", (600_000,))):
            guest = await start(plugin)
            task = asyncio.create_task(getattr(guest, name)(*args))
            await asyncio.sleep(0.01)
            began = time.monotonic()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            while guest.alive:
                await asyncio.sleep(0)
            assert time.monotonic() - began < 10
            with pytest.raises(undergo.DeadInstanceError, match="cancelled"):
                await guest.counter()
        guest = await start(plugin)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(guest.spin(), 0.05)

    run(main)


def test_cancelling_a_call_cancels_its_host_function(plugin: undergo.Plugin) -> None:
    ended = []

    class Slow(AsyncHost):
        async def divmod(self, a: int, b: int) -> tuple[int, int]:  # type: ignore[override]
            try:
                await asyncio.sleep(600)
            except asyncio.CancelledError:
                ended.append(True)
                raise
            return 0, 0

    async def main() -> None:
        guest = await start(plugin, Slow())
        with pytest.raises(undergo.TimeoutError):
            await guest.using(timeout=0.02).divmod_through_host(1, 1)
        while not ended:
            await asyncio.sleep(0)

    run(main)


def test_deadlines(plugin: undergo.Plugin) -> None:
    async def main() -> None:
        guest = await start(plugin, limits=undergo.Limits(timeout=0.03))
        with pytest.raises(undergo.TimeoutError, match="30ms"):
            await guest.spin()
        await guest.reset()
        with pytest.raises(undergo.TimeoutError, match="10ms"):
            await guest.using(timeout=0.01).sleep(600_000)

    run(main)


def test_the_loop_goes_on_while_a_guest_computes(plugin: undergo.Plugin) -> None:
    async def main() -> None:
        async with plugin.async_pool(2, imports={"host": AsyncHost()}, sandbox=QUIET) as pool:
            await pool.warm_up(2)
            spinning = [asyncio.create_task(pool.using(timeout=0.5).spin()) for _ in range(2)]
            turns = 0
            while not all(task.done() for task in spinning):
                await asyncio.sleep(0.001)
                turns += 1
            # Each turn would have waited for half a second.
            assert turns > 20
            for result in await asyncio.gather(*spinning, return_exceptions=True):
                assert isinstance(result, undergo.TimeoutError)

    run(main)


def test_a_pool_serves_many_tasks(plugin: undergo.Plugin) -> None:
    async def main() -> None:
        async with plugin.async_pool(8, imports={"host": AsyncHost()}, sandbox=QUIET) as pool:
            got = await asyncio.gather(*(pool.divmod_through_host(i, 7) for i in range(300)))
            assert got == [divmod(i, 7) for i in range(300)]
            with pytest.raises(undergo.PanicError, match="oh"):
                await pool.panic("oh")
            assert await pool.echo_int(3) == 3
            assert pool.size == 8
            assert not pool.closed
        assert pool.closed
        with pytest.raises(undergo.DeadInstanceError, match="closed"):
            await pool.echo_int(3)

    run(main)


def test_a_coroutine_that_needs_its_own_pool_never_waits_for_itself(plugin: undergo.Plugin) -> None:
    class Own(AsyncHost):
        pool: Any = None

        async def reenter(self, depth: int) -> int:  # type: ignore[override]
            try:
                return int(await self.pool.reenter(depth - 1)) + 1
            except undergo.BusyError:
                return 0

    async def main() -> None:
        host = Own()
        async with plugin.async_pool(3, imports={"host": host}, sandbox=QUIET) as pool:
            host.pool = pool
            assert await pool.reenter(9) == 2

    run(main)


def test_a_loop_that_ends_ends_its_calls(plugin: undergo.Plugin) -> None:
    async def main() -> Any:
        guest = await start(plugin)
        task = asyncio.create_task(guest.sleep(600_000))
        await asyncio.sleep(0)
        return guest, task

    guest, task = asyncio.run(main())
    assert task.cancelled()
    until = time.monotonic() + 20
    while guest.alive:
        assert time.monotonic() < until


def test_loops_in_several_threads_share_a_pool(plugin: undergo.Plugin) -> None:
    pool = plugin.async_pool(4, imports={"host": AsyncHost()}, sandbox=QUIET)
    sums: list[int] = []

    def work() -> None:
        async def main() -> None:
            pairs = await asyncio.gather(*(pool.divmod_through_host(i, 7) for i in range(100)))
            sums.append(sum(a * 7 + b for a, b in pairs))

        run(main)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sums == [sum(range(100))] * 4
    run(lambda: pool.close())


def test_cycles_through_host_functions_are_collected(plugin: undergo.Plugin) -> None:
    async def main() -> weakref.ref[Any]:
        host = AsyncHost()
        guest = await start(plugin, host)
        assert await guest.reenter(2) == 2
        return weakref.ref(host)

    gone = run(main)
    gc.collect()
    assert gone() is None


def test_a_call_that_nobody_awaits_warns_and_never_runs(plugin: undergo.Plugin) -> None:
    async def main() -> None:
        guest = await start(plugin)
        with pytest.warns(RuntimeWarning, match="coroutine 'echo_string' was never awaited"):
            guest.echo_string("a")
        with pytest.warns(RuntimeWarning, match="coroutine 'instantiate_async' was never awaited"):
            plugin.instantiate_async(imports={"host": AsyncHost()}, sandbox=QUIET)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            # One that was closed was not forgotten, nor one that was awaited, or cancelled on its
            # way.
            guest.echo_string("a").close()
            assert await guest.echo_string("a") == "a"
            task = asyncio.ensure_future(guest.sleep(10_000))
            await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        # An exception that is on its way stays what it is.
        with pytest.warns(RuntimeWarning, match="never awaited"), pytest.raises(ZeroDivisionError):
            [guest.counter(), 1 / 0]

    run(main)
