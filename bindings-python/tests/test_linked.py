"""Instances as the imports of others."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from typing import Any

import pytest
import undergo
from conftest import Host
from wasm import Export, Import, call, const, module, param


def counter() -> undergo.Plugin:
    """A bare module that imports `host.step`, and exports `size`, which gives what that gives, and `spin`, which does not end."""
    spin = b"\x03\x40\x0c\x00\x0b" + const(0)
    exports = [Export("size", "", "i", call(0)), Export("spin", "", "i", spin), Export("echo", "i", "i", param(0))]
    return undergo.Plugin(module(None, exports, imports=[Import("host", "step", "", "i")]))


def user(*names: str) -> undergo.Plugin:
    """A bare module that imports those functions of `counter`, and exports what calls them."""
    imports = [Import("counter", name, "", "i") for name in names]
    return undergo.Plugin(module(None, [Export(f"call_{name}", "", "i", call(i)) for i, name in enumerate(names)], imports=imports))


def start(step: Any = lambda: 7) -> undergo.Instance:
    return counter().instantiate(imports={"host": {"step": step}})


def linked(to: Any, *names: str) -> Any:
    return user(*names).instantiate(imports={"counter": to})


def test_calls_go_to_the_other_instance() -> None:
    steps = iter(range(10))
    counting: Any = start(lambda: next(steps))
    guest = linked(counting, "size")
    assert [guest.call_size(), counting.size(), guest.call_size()] == [0, 1, 2]


def test_the_other_instance_stays_with_its_functions() -> None:
    guest = linked(start(), "size")
    gc.collect()
    assert guest.call_size() == 7


def test_a_circle_of_references_is_collected() -> None:
    def circle() -> weakref.ref[Any]:
        kept: list[Any] = []
        guest = linked(start(lambda: len(kept)), "size")
        kept.append(guest)
        return weakref.ref(guest)

    gone = circle()
    gc.collect()
    assert gone() is None


def test_types_are_compared_with_those_of_the_interface(plugin: undergo.Plugin, start: Any) -> None:
    """The conformance guest imports some functions with other types than it exports them."""
    shown = r"the import is host\.many\(a: s8, .*, and the export of conformance\.wasm is many\("
    with pytest.raises(undergo.SignatureMismatchError, match=shown):
        plugin.instantiate(imports={"host": start()})


def test_other_types_are_refused() -> None:
    with pytest.raises(
        undergo.SignatureMismatchError,
        match=r"(?s)the import is counter\.echo\(\) -> i32, and the export of .* is echo\(arg0: i32\) -> i32",
    ):
        linked(start(), "echo")


def test_a_deadline_passes_through() -> None:
    inner = start()
    guest = linked(inner, "spin")
    with pytest.raises(undergo.TimeoutError):
        guest.using(timeout=0.1).call_spin()
    assert not guest.alive
    assert not inner.alive


def test_a_cancellation_passes_through() -> None:
    inner = start()
    guest, token = linked(inner, "spin"), undergo.CancelToken()
    threading.Timer(0.1, token.cancel).start()
    with pytest.raises(undergo.CancelledError):
        guest.using(cancel=token).call_spin()
    assert not inner.alive


def test_what_python_raises_comes_out_of_both() -> None:
    class Own(Exception):
        pass

    def step() -> int:
        raise Own

    with pytest.raises(Own):
        linked(start(step), "size").call_size()


def test_circles_are_busy() -> None:
    guest: Any = None
    inner = start(lambda: guest.call_size())
    guest = linked(inner, "size")
    with pytest.raises(undergo.Error, match="in the middle of a call"):
        guest.call_size()


def test_a_dead_instance_is_told_of() -> None:
    inner: Any = start()
    with pytest.raises(undergo.TimeoutError):
        inner.using(timeout=0.05).spin()
    with pytest.raises(undergo.Error, match="answers no further call"):
        linked(inner, "size").call_size()


def test_an_instance_of_a_pool_is_refused() -> None:
    with (
        counter().pool(1, imports={"host": {"step": lambda: 7}}) as pool,
        pool.instance() as lent,
        pytest.raises(TypeError, match="is an instance of a pool"),
    ):
        linked(lent, "size")


def test_the_instances_of_a_pool_share_one() -> None:
    steps = iter(range(1000))
    with user("size").pool(3, imports={"counter": start(lambda: next(steps))}) as pool:
        threads = [threading.Thread(target=lambda: [pool.call_size() for _ in range(20)]) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert pool.call_size() == 80


def test_awaited_calls() -> None:
    async def step() -> int:
        await asyncio.sleep(0.01)
        return 5

    async def main() -> None:
        inner = await counter().instantiate_async(imports={"host": {"step": step}})
        guests: Any = [await user("size").instantiate_async(imports={"counter": inner}) for _ in range(3)]
        assert await asyncio.gather(*(guest.call_size() for guest in guests)) == [5, 5, 5]

    asyncio.run(main())


def test_awaited_circles_are_busy() -> None:
    guest: Any = None

    async def step() -> int:
        return int(await guest.call_size())

    async def main() -> None:
        nonlocal guest
        inner = await counter().instantiate_async(imports={"host": {"step": step}})
        guest = await user("size").instantiate_async(imports={"counter": inner})
        with pytest.raises(undergo.Error, match="in a circle"):
            await asyncio.wait_for(guest.call_size(), 20)

    asyncio.run(main())


def test_a_blocking_instance_is_not_linked_to_an_awaited_one() -> None:
    async def main() -> None:
        inner = await counter().instantiate_async(imports={"host": {"step": lambda: 7}})
        with pytest.raises(undergo.Error, match="asynchronous"):
            linked(inner, "size").call_size()
        waiting: Any = await user("size").instantiate_async(imports={"counter": start()})
        assert await waiting.call_size() == 7

    asyncio.run(main())


def test_an_object_with_methods_is_still_one() -> None:
    class Counter(Host):
        def size(self) -> int:
            return 3

    assert linked(Counter(), "size").call_size() == 3
