"""Instances that begin anew, and what a call used."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from typing import Any

import pytest
import undergo
from conftest import Caller, Gate, Host


def test_a_reset_gives_back_the_beginning(guest: Any) -> None:
    assert [guest.counter(), guest.counter()] == [1, 2]
    guest.reset()
    assert guest.counter() == 1
    guest.alloc(30)
    large = guest.usage.memory
    guest.reset(timeout=10)
    assert guest.usage.memory < large


def test_a_reset_revives(guest: Any) -> None:
    ends: list[Callable[[], Any]] = [lambda: guest.panic("x"), lambda: guest.exit(1), lambda: guest.using(timeout=0.05).spin()]
    for end in ends:
        with pytest.raises(undergo.Error):
            end()
        assert not guest.alive
        guest.reset()
        assert guest.alive
        assert guest.counter() == 1


def test_host_functions_and_limits_stay(start: Callable[..., Any]) -> None:
    host = Host()
    guest = start(host, limits=undergo.Limits(timeout=0.1))
    guest.reset()
    assert guest.notes(["x"]) == ["x"]
    assert guest.reenter(2) == 2
    with pytest.raises(undergo.TimeoutError):
        guest.spin()


def test_a_view_and_a_function_survive_a_reset(guest: Any) -> None:
    view, function = guest.using(timeout=5), guest.counter
    assert (view.counter(), function()) == (1, 2)
    guest.reset()
    assert (view.counter(), function()) == (1, 2)


def test_an_instance_is_not_reset_from_within_its_own_call(start: Callable[..., Any]) -> None:
    class Resetting(Host):
        def note(self, s: str) -> None:
            assert isinstance(self.instance, undergo.Instance)
            self.instance.reset()

    guest = start(Resetting())
    with pytest.raises(undergo.BusyError, match="can't be reset from within it"):
        guest.notes(["x"])
    assert not guest.alive


def test_a_reset_waits_for_the_call_that_runs(start: Callable[..., Any]) -> None:
    host = Gate()
    guest = start(host)
    running = Caller(guest.notes, ["x"])
    assert host.inside.acquire(timeout=30)
    with pytest.raises(undergo.TimeoutError, match="busy with another call"):
        guest.reset(timeout=0.05)
    host.go_on.set()
    assert running.wait() == ["x"]
    guest.reset()
    assert guest.counter() == 1


def test_what_a_call_used(guest: Any) -> None:
    made = guest.usage
    assert 0 < made.time < 60
    assert made.memory == guest.memory.size
    began = time.monotonic()
    guest.sleep(50)
    took = time.monotonic() - began
    assert 0.05 <= guest.usage.time <= took
    guest.alloc(30)
    assert guest.usage.memory >= made.memory + (30 << 20)
    assert isinstance(guest.usage.memory, int)
    with pytest.raises(FrozenInstanceError):
        made.time = 0.0
    with pytest.raises(undergo.TimeoutError):
        guest.using(timeout=0.05).spin()
    assert guest.usage.time >= 0.05


def test_a_limit_of_tables(start: Callable[..., Any]) -> None:
    with pytest.raises(undergo.OutOfMemoryError, match="its limit is 10"):
        start(limits=undergo.Limits(table=10))
    assert start(limits=undergo.Limits(table=1_000_000)).counter() == 1
    for wrong in (-1, 1.5, True, 2**32):
        with pytest.raises(ValueError, match=r"Limits\.table is"):
            undergo.Limits(table=wrong)  # type: ignore[arg-type]
