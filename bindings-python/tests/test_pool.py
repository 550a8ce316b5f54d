"""Pools: many threads, one surface."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError
from typing import Any

import pytest
import undergo
from conftest import Caller, Gate, Host, until


def test_the_exports_are_methods_as_those_of_an_instance(start_pool: Callable[..., Any], plugin: undergo.Plugin) -> None:
    pool = start_pool(2)
    assert pool.plugin is plugin
    assert pool.size == 2
    assert pool.divmod(7, b=2) == (3, 1)
    assert pool.exports["echo-string"]("x") == "x"
    assert pool.exports.exports(4) == 8
    assert set(pool.exports) == set(plugin.exports)
    assert pool.echo_string.__name__ == "echo_string"
    assert type(pool.echo_point({"x": 1, "y": 2, "tag": 3})) is plugin.types.Point
    with pytest.raises(AttributeError, match="did you mean 'echo_string'"):
        _ = pool.echo_strin
    assert not hasattr(pool, "nothing_like_it")
    with pytest.raises(undergo.TypeMismatchError, match="needs a value for 'b'"):
        pool.divmod(1)
    assert repr(pool) == "<undergo.Pool of conformance.wasm: 0 busy, 1 idle, at most 2>"
    view = pool.using(timeout=5)
    assert view.divmod(7, 2) == view.exports.divmod(7, 2) == (3, 1)


def test_many_threads_share_a_pool(start_pool: Callable[..., Any]) -> None:
    pool = start_pool(3)

    def work(number: int) -> list[str]:
        return [pool.echo_string(f"{number} {i}") for i in range(40)]

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(work, range(8)))
    assert answers == [[f"{number} {i}" for i in range(40)] for number in range(8)]
    stats = pool.stats
    assert (stats.calls, stats.busy, stats.waiting, stats.died) == (320, 0, 0, 0)
    assert 1 <= stats.made == stats.idle <= 3


def until_waiting(pool: Any, calls: int) -> None:
    until(lambda: bool(pool.stats.waiting == calls))


def test_who_waits_longest_is_next(start_pool: Callable[..., Any]) -> None:
    host = Gate()
    pool = start_pool(1, host)
    callers = [Caller(pool.notes, ["0"])]
    assert host.inside.acquire(timeout=30)
    for number in range(1, 6):
        callers.append(Caller(pool.notes, [str(number)]))
        until_waiting(pool, number)
    host.go_on.set()
    assert [caller.wait() for caller in callers] == [[str(number)] for number in range(6)]
    assert pool.stats.made == 1


def test_instances_work_at_the_same_time(start_pool: Callable[..., Any]) -> None:
    both = threading.Barrier(2)

    class Meeting(Host):
        def note(self, s: str) -> None:
            both.wait(30)

    pool = start_pool(2, Meeting())
    for caller in [Caller(pool.notes, ["x"]) for _ in range(2)]:
        caller.wait()
    assert pool.stats.made == 2


def test_a_deadline_covers_the_wait_for_an_instance(start_pool: Callable[..., Any]) -> None:
    host = Gate()
    pool = start_pool(1, host)
    caller = Caller(pool.notes, ["x"])
    assert host.inside.acquire(timeout=30)
    began = time.monotonic()
    with pytest.raises(undergo.TimeoutError, match="the pool's one instance was busy for the whole time"):
        pool.using(timeout=0.05).counter()
    assert 0.05 <= time.monotonic() - began < 5
    assert pool.stats.waiting == 0
    host.go_on.set()
    caller.wait()
    assert pool.counter() == 1


def test_an_instance_that_ended_is_replaced(start_pool: Callable[..., Any]) -> None:
    pool = start_pool(1, limits=undergo.Limits(timeout=10))
    assert pool.counter() == 1
    with pytest.raises(undergo.PanicError, match="oh dear"):
        pool.panic("oh dear")
    with pytest.raises(undergo.TimeoutError):
        pool.using(timeout=0.05).spin()
    with pytest.raises(undergo.ExitError):
        pool.exit(3)
    assert pool.counter() == 1
    with pytest.raises(undergo.GuestError):
        pool.fail("an answer")
    assert pool.counter() == 2
    stats = pool.stats
    assert (stats.died, stats.made, stats.idle) == (3, 4, 1)


def test_a_fresh_instance_for_each_call(start_pool: Callable[..., Any]) -> None:
    pool = start_pool(2, max_calls=1)
    assert [pool.counter() for _ in range(4)] == [1, 1, 1, 1]
    assert (pool.stats.retired, pool.stats.made, pool.stats.idle) == (4, 4, 0)


def test_unused_instances_are_dropped(start_pool: Callable[..., Any]) -> None:
    pool = start_pool(2, idle=0.05, warm=2)
    until(lambda: pool.stats.shrunk == 2)
    assert pool.stats.idle == 0
    assert pool.counter() == 1


def test_instances_can_be_made_ahead_of_calls(start_pool: Callable[..., Any]) -> None:
    pool = start_pool(3, warm=2)
    assert (pool.stats.made, pool.stats.idle, pool.stats.calls) == (2, 2, 0)
    pool.warm_up(1)
    assert pool.stats.made == 2
    pool.warm_up(10)
    assert (pool.stats.made, pool.stats.idle) == (3, 3)


@pytest.mark.parametrize(
    ("size", "options", "text"),
    [
        (0, {}, "size is 0; write a whole number of at least 1"),
        (-1, {}, "size is -1"),
        (True, {}, "size is True"),
        ("2", {}, "size is '2'"),
        (1, {"max_calls": 0}, "max_calls is 0; write a whole number of at least 1"),
        (1, {"idle": 0}, "idle is 0; write a number of seconds that is more than 0"),
        (1, {"warm": -1}, "warm is -1; write a whole number of at least 0"),
    ],
)
def test_numbers_that_make_no_pool(plugin: undergo.Plugin, size: Any, options: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        plugin.pool(size, imports={"host": Host()}, **options)


def test_what_is_missing_is_said_when_the_pool_is_made(plugin: undergo.Plugin) -> None:
    with pytest.raises(undergo.MissingImportError, match=r"host\.echo-bytes"):
        plugin.pool(1)


def test_the_statistics_are_one_reading(start_pool: Callable[..., Any]) -> None:
    pool = start_pool(2)
    before = pool.stats
    pool.counter()
    assert before == undergo.PoolStats(busy=0, idle=0, waiting=0, calls=0, made=0, died=0, retired=0, shrunk=0)
    assert pool.stats == undergo.PoolStats(busy=0, idle=1, waiting=0, calls=1, made=1, died=0, retired=0, shrunk=0)
    with pytest.raises(FrozenInstanceError):
        before.calls = 1


def test_closing_lets_running_calls_finish_and_turns_others_away(start_pool: Callable[..., Any]) -> None:
    host = Gate()
    pool = start_pool(1, host)
    running = Caller(pool.notes, ["x"])
    assert host.inside.acquire(timeout=30)
    waiting = Caller(pool.counter)
    until(lambda: pool.stats.waiting == 1)
    with pytest.raises(undergo.TimeoutError):
        pool.close(timeout=0.05)
    assert pool.closed
    assert repr(pool).endswith(", closed>")
    with pytest.raises(undergo.DeadInstanceError, match="the pool is closed"):
        waiting.wait()
    for function in (pool.counter, lambda: pool.warm_up(1)):
        with pytest.raises(undergo.DeadInstanceError, match="the pool is closed"):
            function()
    host.go_on.set()
    pool.close()
    assert pool.stats.busy == 0
    assert running.wait() == ["x"]
    pool.close()


def test_a_with_statement_waits_for_the_calls(start_pool: Callable[..., Any]) -> None:
    host = Gate()
    with start_pool(2, host) as pool:
        running = Caller(pool.notes, ["x"])
        assert host.inside.acquire(timeout=30)
        threading.Timer(0.05, host.go_on.set).start()
    assert pool.closed
    assert pool.stats.busy == pool.stats.idle == 0
    assert running.wait() == ["x"]


def test_host_functions_run_on_the_threads_of_the_calls(start_pool: Callable[..., Any]) -> None:
    class Noting(Host):
        def echo_string(self, s: str) -> str:
            return str(threading.get_ident())

    pool = start_pool(2, Noting())

    def work() -> bool:
        return bool(pool.through_host("", b"", 0, [], [])[0] == str(threading.get_ident()))

    assert [caller.wait() for caller in [Caller(work) for _ in range(6)]] == [True] * 6
    assert work()


def test_a_host_function_that_calls_its_own_pool(start_pool: Callable[..., Any]) -> None:
    small = start_pool(1, Host())
    with pytest.raises(undergo.BusyError, match="a host function that calls its own pool needs a larger one"):
        small.reenter(1)
    assert small.reenter(0) == 0
    large = start_pool(4, Host())
    assert large.reenter(3) == 3
    with pytest.raises(undergo.BusyError):
        large.reenter(4)
    assert large.stats.busy == 0


def test_a_pool_closed_by_its_own_host_function(start_pool: Callable[..., Any]) -> None:
    said: list[undergo.Error] = []

    class Closing(Host):
        def note(self, s: str) -> None:
            assert isinstance(self.instance, undergo.Pool)
            try:
                self.instance.close()
            except undergo.BusyError as error:
                said.append(error)

    pool = start_pool(1, Closing())
    pool.notes(["x"])
    assert len(said) == 1
    assert pool.closed


def test_an_exception_of_a_host_function_comes_back_as_the_same_object(start_pool: Callable[..., Any]) -> None:
    raised = KeyError("mine")

    class Failing(Host):
        def crash(self, msg: str) -> None:
            raise raised

    pool = start_pool(1, Failing())
    with pytest.raises(KeyError) as caught:
        pool.crash("x")
    assert caught.value is raised
    assert "boom" in pool.catch_failure("boom")
    assert pool.stats.died == 1


def test_a_cycle_through_a_host_function_is_collected(plugin: undergo.Plugin) -> None:
    host = Host()
    pool: Any = plugin.pool(1, imports={"host": host}, idle=60)
    host.instance = pool
    view = pool.using(timeout=5)
    assert view.reenter(0) == 0
    gone = weakref.ref(pool), weakref.ref(host)
    del pool, host, view
    gc.collect()
    assert [ref() for ref in gone] == [None, None]


def test_a_function_outlives_the_name_of_its_pool(plugin: undergo.Plugin) -> None:
    function = plugin.pool(1, imports={"host": Host()}).divmod_through_host
    gc.collect()
    assert function(7, 2) == (3, 1)


def test_fifty_instances_have_fifty_deadlines(start: Callable[..., Any]) -> None:
    timeouts = [0.05 + 0.02 * (number % 10) for number in range(50)]
    guests = [start(limits=undergo.Limits(timeout=timeout)) for timeout in timeouts]
    bystander = start()

    def work(number: int) -> float:
        began = time.monotonic()
        with pytest.raises(undergo.TimeoutError, match=r"its timeout of \d+"):
            guests[number].spin() if number % 2 else guests[number].sleep(60_000)
        return time.monotonic() - began

    with ThreadPoolExecutor(50) as threads:
        ended = threads.map(work, range(50))
        assert [bystander.counter() for _ in range(100)] == list(range(1, 101))
        for took, timeout in zip(ended, timeouts, strict=True):
            assert timeout <= took < timeout + 20
    assert not any(guest.alive for guest in guests)
    assert bystander.alive
