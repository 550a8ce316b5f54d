"""Objects of a guest, and what a guest gets of Python's objects: used wrongly, and let go of."""

from __future__ import annotations

import asyncio
import copy
import gc
import os
import pickle
import sys
import threading
import weakref
from collections.abc import Callable
from typing import Any

import pytest
import undergo
from conftest import Caller, Host, Store, until
from undergo._handles import Source


def double(n: int) -> int:
    return 2 * n


def test_methods(guest: Any) -> None:
    tally = guest.Tally(start=5)
    assert tally.value() == 5
    assert tally.add(n=3) == 8
    assert tally.write(["a", "b"]) == 2
    assert isinstance(tally, guest.plugin.types.Tally)
    assert isinstance(tally, guest.Tally)
    assert isinstance(tally, undergo.Resource)
    assert not isinstance(5, guest.Tally)
    assert not isinstance(guest.Lamp(), guest.Tally)
    assert repr(tally) == "<undergo Tally>"
    assert type(tally).add.__doc__ == tally.add.__doc__ == "Add counts n more, and says where it stands then."
    assert type(tally).add(tally, 1) == 9


def test_signatures(guest: Any) -> None:
    import inspect

    assert str(inspect.signature(guest.Tally)) == "(start: 'int') -> 'Tally'"
    assert str(inspect.signature(guest.plugin.types.Tally.add)) == "(self, n: 'int') -> 'int'".replace("self,", "self: 'Tally',")
    assert str(inspect.signature(guest.Tally(1).add)) == "(n: 'int') -> 'int'"
    assert "Callable[[int], int]" in str(inspect.signature(guest.apply))
    assert guest.plugin.exports["Tally"] == "Tally(start: int) -> Tally"


def test_wrong_arguments_name_the_method(guest: Any) -> None:
    tally = guest.Tally(1)
    with pytest.raises(undergo.TypeMismatchError, match=r"tally\.add\(\).*needs a value for 'n'"):
        tally.add()
    with pytest.raises(undergo.TypeMismatchError, match=r"takes 1 argument, got 2"):
        tally.add(1, 2)
    with pytest.raises(undergo.TypeMismatchError, match="has no parameter 'm'"):
        tally.add(m=1)
    with pytest.raises(undergo.TypeMismatchError, match="n"):
        tally.add("x")
    with pytest.raises(AttributeError):
        tally.nothing()
    assert tally.value() == 1


def test_a_class_is_made_by_instances_only(guest: Any) -> None:
    with pytest.raises(TypeError, match=r"instance\.Tally"):
        guest.plugin.types.Tally(5)
    with pytest.raises(TypeError):
        guest.plugin.types.Tally()


def test_what_is_no_class(guest: Any) -> None:
    with pytest.raises(TypeError, match="apply is a function"):
        isinstance(5, guest.apply)


def test_with(guest: Any) -> None:
    guest.closed_tallies()
    with guest.Tally(1) as tally:
        assert not tally.closed
    assert tally.closed
    assert repr(tally) == "<undergo Tally, closed>"
    assert guest.closed_tallies() == 1
    with pytest.raises(undergo.TypeMismatchError, match="closed"):
        tally.value()
    tally.close()
    assert guest.alive


def test_an_object_is_not_awaited(guest: Any) -> None:
    with pytest.raises(TypeError, match="with"):
        guest.Tally(1).aclose()


def test_the_collector_frees(guest: Any) -> None:
    guest.closed_tallies()
    tally = guest.Tally(1)
    bound = tally.value
    del tally
    assert bound() == 1
    assert guest.handles_of_guest() == 1
    del bound
    assert guest.closed_tallies() == 1
    assert guest.handles_of_guest() == 0


def test_a_finalizer_never_calls_the_guest(start: Callable[..., Any]) -> None:
    """What is collected within a host function ends when its call is over."""
    guest = start()
    kept = [guest.Tally(0)]

    def drop(_: str) -> None:
        kept.clear()
        gc.collect()
        # The call that runs has released nothing yet.
        assert guest.handles_of_guest() == 1

    guest.tell(["x"], drop)
    assert guest.closed_tallies() == 1


def test_another_instance(start: Callable[..., Any]) -> None:
    one, other = start(), start()
    tally = one.Tally(1)
    with pytest.raises(undergo.TypeMismatchError, match="another instance"):
        other.sum_tallies(tally, other.Tally(1))
    assert one.sum_tallies(tally, tally) == 2


def test_another_plugin(start: Callable[..., Any], plugin: undergo.Plugin) -> None:
    from conftest import conformance_path

    tally = start().Tally(1)
    again = undergo.Plugin(conformance_path()).instantiate(imports={"host": Host()})
    with pytest.raises(undergo.TypeMismatchError):
        again.sum_tallies(tally, again.Tally(1))


def test_another_resource(guest: Any) -> None:
    with pytest.raises(undergo.TypeMismatchError, match="tally"):
        guest.sum_tallies(guest.Lamp(), guest.Tally(1))
    with pytest.raises(undergo.TypeMismatchError, match=r"tally.*, got str"):
        guest.sum_tallies("x", guest.Tally(1))
    with pytest.raises(undergo.TypeMismatchError, match="expected tally, got lamp"):
        guest.plugin.types.Tally.value(guest.Lamp())
    with pytest.raises(TypeError):
        guest.plugin.types.Tally.value(5)


def test_reset_ends_objects(guest: Any) -> None:
    tally = guest.Tally(1)
    guest.reset()
    assert tally.closed
    with pytest.raises(undergo.TypeMismatchError, match="reset"):
        tally.value()
    fresh = guest.Tally(2)
    with pytest.raises(undergo.TypeMismatchError):
        tally.add(1)
    tally.close()
    assert fresh.value() == 2


def test_a_dead_instance(guest: Any) -> None:
    tally = guest.Tally(1)
    with pytest.raises(undergo.PanicError):
        tally.panic("oh dear")
    assert not guest.alive
    with pytest.raises((undergo.DeadInstanceError, undergo.TypeMismatchError)):
        tally.value()
    tally.close()


def test_close_during_its_own_method(start: Callable[..., Any]) -> None:
    guest = start()
    guest.closed_tallies()
    tally = guest.Tally(21)

    def close(n: int) -> int:
        tally.close()
        with pytest.raises(undergo.TypeMismatchError):
            tally.value()
        return n + 1

    assert tally.update(close) == 22
    assert tally.closed
    assert guest.closed_tallies() == 1


def test_close_from_another_thread_during_a_call(start: Callable[..., Any]) -> None:
    guest = start()
    guest.closed_tallies()
    tally, inside, go_on = guest.Tally(21), threading.Event(), threading.Event()

    def wait(n: int) -> int:
        inside.set()
        assert go_on.wait(30)
        return n

    caller = Caller(tally.update, wait)
    assert inside.wait(30)
    tally.close()
    assert tally.closed
    go_on.set()
    assert caller.wait() == 21
    assert guest.closed_tallies() == 1


def test_threads_share_an_object(guest: Any) -> None:
    tally = guest.Tally(0)
    callers = [Caller(lambda: [tally.add(1) for _ in range(200)]) for _ in range(4)]
    for caller in callers:
        caller.wait()
    assert tally.value() == 800


def test_not_pickled(guest: Any) -> None:
    tally = guest.Tally(1)
    for forbidden in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="Tally can't be pickled or copied"):
            forbidden(tally)


def test_pools(start_pool: Callable[..., Any]) -> None:
    pool = start_pool(1)
    with pytest.raises(undergo.SignatureMismatchError, match="one instance"):
        pool.Tally(1)
    with pool.instance() as guest:
        tally = guest.Tally(1)
        assert tally.value() == 1
        assert isinstance(guest, undergo.Instance)
    assert tally.closed
    assert not guest.alive
    for late in (tally.value, guest.counter, guest.reset, guest.poll):
        with pytest.raises((undergo.TypeMismatchError, undergo.DeadInstanceError), match="pool"):
            late()
    tally.close()
    with pool.instance() as again:
        assert again.closed_tallies() == 1
        assert again.handles_of_guest() == 0
    assert pool.stats.busy == 0


def test_a_lent_instance_is_returned_once(start_pool: Callable[..., Any]) -> None:
    pool = start_pool(1)
    lending = pool.instance()
    with lending:
        with pytest.raises(undergo.TimeoutError):
            Caller(lambda: pool.using(timeout=0.05).counter()).wait()
        with pytest.raises(RuntimeError, match="entered"):
            lending.__enter__()
    with pytest.raises(RuntimeError, match="entered"):
        lending.__enter__()
    assert pool.counter() >= 1


def test_another_thread_returns(start_pool: Callable[..., Any]) -> None:
    pool = start_pool(1)
    lending = pool.instance()
    guest = lending.__enter__()
    with pytest.raises(RuntimeError, match="another thread"):
        Caller(lending.__exit__, None, None, None).wait()
    assert guest.counter() == 1
    lending.__exit__(None, None, None)
    assert pool.counter() == 2


def test_a_thread_that_ends_returns(start_pool: Callable[..., Any]) -> None:
    pool = start_pool(1)
    kept = []
    Caller(lambda: kept.append((lending := pool.instance(), lending.__enter__()))).wait()
    until(lambda: pool.stats.busy == 0)
    assert pool.counter() >= 1


def test_callbacks(guest: Any) -> None:
    assert guest.apply([1, 2], double) == [2, 4]
    assert guest.apply([1, 2], f=int.bit_length) == [1, 2]
    with pytest.raises(undergo.TypeMismatchError, match="expected a callable, got int"):
        guest.apply([1], 5)
    with pytest.raises(undergo.TypeMismatchError, match="NoneType"):
        guest.apply([1], None)
    assert guest.handles_of_host() == 0


def test_what_a_callback_raises(guest: Any) -> None:
    def fail(n: int) -> int:
        raise ValueError(f"not {n}")

    with pytest.raises(undergo.GuestError, match="not 7"):
        guest.apply([7], fail)
    with pytest.raises(KeyboardInterrupt):
        guest.apply([7], lambda n: (_ for _ in ()).throw(KeyboardInterrupt()))


def test_a_callback_that_raises_ends_a_call_without_errors(guest: Any) -> None:
    raised = ValueError("no")

    def fail(n: int) -> int:
        raise raised

    with pytest.raises(ValueError, match="no") as caught:
        guest.apply_plain([1], fail)
    assert caught.value is raised
    if sys.version_info >= (3, 11):
        assert any("the callback apply_plain_f" in note for note in caught.value.__notes__)


def test_a_callback_calls_the_instance(guest: Any) -> None:
    def deeper(n: int) -> int:
        return guest.apply([n - 1], deeper)[0] + 1 if n else 0

    assert guest.apply([20], deeper) == [20]
    tally = guest.Tally(1)
    assert guest.apply([5], tally.add) == [6]


def test_kept_callbacks_are_let_go(guest: Any) -> None:
    class Function:
        def __call__(self, n: int) -> int:
            return n + 1

    function = Function()
    gone = weakref.ref(function)
    guest.keep_op(function)
    del function
    assert guest.call_kept(1) == 2
    assert gone() is not None
    guest.drop_kept()
    until(lambda: guest.handles_of_host() == 0 and gone() is None)


def test_a_borrowed_callback_is_let_go(guest: Any) -> None:
    function = lambda n: n  # noqa: E731
    gone = weakref.ref(function)
    guest.apply([1], function)
    del function
    assert gone() is None


def test_a_finalizer_of_a_callback_may_call(guest: Any) -> None:
    counted: list[int] = []

    class Function:
        def __call__(self, n: int) -> int:
            return n

        def __del__(self) -> None:
            counted.append(guest.counter())

    guest.apply([1], Function())
    assert len(counted) == 1
    guest.keep_op(Function())
    guest.drop_kept()
    # The guest lets go of it in the call after the one that has found it unused.
    until(lambda: guest.handles_of_host() == 0 and len(counted) == 2)


def test_cycles_are_collected(start: Callable[..., Any]) -> None:
    """A callback that the guest keeps, and that knows its instance, is garbage with it."""
    guest = start()
    gone = weakref.ref(guest)
    guest.keep_op(lambda n: guest.echo_int64(n))
    tally = guest.Tally(1)
    guest.keep_op(lambda n: tally.add(n))
    guest = tally = None
    gc.collect()
    assert gone() is None


def test_objects_of_the_host(guest: Any) -> None:
    store = Store(a="x")
    assert guest.store_get(store, "a") == "x"
    with pytest.raises(undergo.GuestError, match="no such key: b"):
        guest.store_get(store, "b")
    mapping = {name: getattr(store, name) for name in ("get", "put", "size", "child")}
    assert guest.store_get(mapping, "a") == "x"


def test_objects_that_lack_methods(guest: Any) -> None:
    class Half:
        def get(self, key: str) -> str:
            return key

    with pytest.raises(undergo.TypeMismatchError, match="Half lacks put, size, child"):
        guest.store_get(Half(), "a")
    with pytest.raises(undergo.TypeMismatchError, match="store"):
        guest.store_get("x", "a")


def test_objects_of_another_type_for_a_result(guest: Any) -> None:
    with pytest.raises(undergo.TypeMismatchError, match="lacks"):
        guest.open_and_get("x", "name", lambda name: 5)


def test_limits(start: Callable[..., Any]) -> None:
    guest = start(limits=undergo.Limits(handles=1))
    guest.keep_op(double)
    with pytest.raises(undergo.OutOfMemoryError, match="handles"):
        guest.keep_op(double)
    with pytest.raises(ValueError, match=r"Limits\.handles"):
        undergo.Limits(handles=-1)


def test_options_of_a_view(guest: Any) -> None:
    token = undergo.CancelToken()
    tally = guest.using(cancel=token).Tally(1)
    assert tally.value() == 1
    token.cancel()
    with pytest.raises(undergo.CancelledError):
        tally.value()
    assert guest.alive


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_fork(guest: Any) -> None:
    tally = guest.Tally(1)
    child = os.fork()
    if child == 0:
        try:
            tally.value()
        except undergo.Error:
            del tally
            os._exit(0)
        os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    assert tally.value() == 1


def test_greenlets(start: Callable[..., Any]) -> None:
    greenlet = pytest.importorskip("greenlet")
    guest = start()

    def step(n: int) -> int:
        greenlet.getcurrent().parent.switch(n)
        return n

    running = greenlet.greenlet(lambda: guest.apply([1, 2], step))
    assert running.switch() == 1
    with pytest.raises(undergo.BusyError):
        guest.Tally(1)
    assert running.switch() == 2
    assert running.switch() == [1, 2]


async def start_async(plugin: undergo.Plugin, host: Any = None) -> Any:
    quiet = undergo.Sandbox(stdout="discard", stderr="discard")
    return await plugin.instantiate_async(imports={"host": host or Host()}, sandbox=quiet)


def test_awaited_objects(plugin: undergo.Plugin) -> None:
    async def main() -> None:
        guest = await start_async(plugin)
        await guest.closed_tallies()
        tally = await guest.Tally(5)
        assert isinstance(tally, plugin.types.Tally)
        assert isinstance(tally, guest.Tally)
        assert await tally.add(1) == 6
        async with tally as same:
            assert same is tally
        assert tally.closed
        assert await guest.closed_tallies() == 1
        with pytest.raises(undergo.TypeMismatchError):
            await tally.value()
        other = await guest.Tally(1)
        other.close()
        await other.aclose()
        assert await guest.closed_tallies() == 1

    asyncio.run(main())


def test_awaited_callbacks(plugin: undergo.Plugin) -> None:
    async def main() -> None:
        guest = await start_async(plugin)

        async def slowly(n: int) -> int:
            await asyncio.sleep(0.001)
            return 2 * n

        assert await guest.apply([1, 2], slowly) == [2, 4]
        assert await guest.apply([1, 2], double) == [2, 4]

        async def fail(n: int) -> int:
            await asyncio.sleep(0)
            raise ValueError("no")

        with pytest.raises(undergo.GuestError, match="no"):
            await guest.apply([1], fail)

        async def again(n: int) -> int:
            return int(await guest.echo_int64(n))

        assert await guest.apply([3], again) == [3]
        tally = await guest.Tally(1)
        assert await guest.apply([3], tally.add) == [4]

    asyncio.run(main())


def test_a_coroutine_where_nothing_is_awaited(guest: Any) -> None:
    async def slowly(n: int) -> int:
        return n

    with pytest.raises(undergo.Error):
        guest.apply([1], slowly)


def test_awaited_pools(plugin: undergo.Plugin) -> None:
    async def main() -> None:
        pool = plugin.async_pool(1, imports={"host": Host()})
        with pytest.raises(undergo.SignatureMismatchError):
            await pool.Tally(1)
        async with pool.instance() as guest:
            tally = await guest.Tally(1)
            assert await tally.value() == 1
        assert tally.closed
        assert not guest.alive
        with pytest.raises(undergo.DeadInstanceError, match="pool"):
            await guest.counter()
        async with pool.instance() as guest:
            assert await guest.closed_tallies() == 1
        lending = pool.instance()
        async with lending:
            pass
        with pytest.raises(RuntimeError, match="entered"):
            async with lending:
                pass
        await pool.close()

    asyncio.run(main())


@pytest.mark.parametrize("method", ["read", "read1", "readinto"])
def test_a_guest_does_not_say_how_much_room_a_file_makes(method: str) -> None:
    asked: list[int] = []

    def read(self: Any, room: Any) -> Any:
        asked.append(len(room) if method == "readinto" else room)
        return 0 if method == "readinto" else b""

    file = type("File", (), {"read": read, method: read})()
    assert bytes(Source(file).read((1 << 32) - 1)) == b""
    assert asked == [256 << 10]
