"""Every kind of error has its class, and carries what a person needs."""

from __future__ import annotations

import contextlib
import gc
import threading
import time
import traceback
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import undergo
from conftest import Host
from undergo import _errors, _undergo


def test_each_kind_has_a_class() -> None:
    assert set(_undergo.ERROR_KINDS) == set(_errors.BY_KIND)
    for kind, cls in _errors.BY_KIND.items():
        assert issubclass(cls, undergo.Error)
        assert cls.kind == kind
        assert getattr(undergo, cls.__name__) is cls


def test_a_panic_has_the_message_and_the_go_trace(guest: Any) -> None:
    with pytest.raises(undergo.PanicError) as caught:
        guest.panic("oh dear")
    error = caught.value
    assert error.kind == "panic"
    assert error.message == "oh dear"
    assert error.frames[0].function == "main.Panic"
    assert error.frames[0].file.endswith("lifecycle.go")
    assert error.frames[0].line > 0
    assert "goroutine 1" in error.stderr
    shown = "".join(traceback.format_exception(error))
    assert "oh dear" in shown
    assert "main.Panic" in shown
    with pytest.raises(undergo.DeadInstanceError, match="its end was panic: oh dear"):
        guest.echo_string("x")


def test_exit_is_not_a_trap(guest: Any) -> None:
    with pytest.raises(undergo.ExitError) as caught:
        guest.exit(3)
    assert caught.value.exit_code == 3
    assert not guest.alive


def test_a_go_error_leaves_the_instance_alive(guest: Any) -> None:
    with pytest.raises(undergo.GuestError, match="no such thing") as caught:
        guest.fail("no such thing")
    assert caught.value.message == "no such thing"
    assert guest.alive


class Unique(Exception):
    """An exception of a host function."""


def test_an_exception_of_a_host_function_comes_back_as_the_same_object(start: Callable[..., Any]) -> None:
    raised = Unique("mine")

    class Failing(Host):
        def crash(self, msg: str) -> None:
            raise raised

    guest = start(Failing())
    with pytest.raises(Unique) as caught:
        guest.crash("x")
    assert caught.value is raised
    if hasattr(raised, "__notes__"):
        assert raised.__notes__ == ["raised in the host function crash, called by the plugin"]
    assert any(frame.name == "crash" for frame in traceback.extract_tb(raised.__traceback__))
    assert not guest.alive


def test_go_gets_the_failure_where_the_import_returns_an_error(guest: Any) -> None:
    assert "oh dear" in guest.catch_failure("oh dear")
    assert guest.alive


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_in_a_host_function_is_no_go_error(start: Callable[..., Any], interrupt: type[BaseException]) -> None:
    class Interrupted(Host):
        def fail(self, msg: str) -> str:
            raise interrupt

    guest = start(Interrupted())
    with pytest.raises(interrupt):
        guest.catch_failure("x")
    assert not guest.alive


def test_a_host_function_of_the_wrong_type(guest: Any) -> None:
    with pytest.raises(undergo.TypeMismatchError) as caught:
        guest.wrong_type()
    assert "host.wrong-type -> result" in caught.value.path
    assert "expected s32, got str" in str(caught.value)
    assert not guest.alive


def test_all_missing_functions_are_named(plugin: undergo.Plugin) -> None:
    with pytest.raises(undergo.MissingImportError) as caught:
        plugin.instantiate(imports={"host": {"echo_string": lambda s: s}})
    text = str(caught.value)
    assert "host.echo-bytes(v: list<u8>) -> list<u8>" in text
    assert "host.reenter(depth: s32)" in text
    assert "echo-string(" not in text
    with pytest.raises(TypeError, match="not callable"):
        plugin.instantiate(imports={"host": {"echo_string": 5}})


def test_a_deadline_covers_computing_sleeping_and_waiting(start: Callable[..., Any]) -> None:
    for name, args in (("spin", ()), ("sleep", (10_000,)), ("deadlock", ())):
        guest = start(limits=undergo.Limits(timeout=0.1))
        began = time.monotonic()
        with pytest.raises(undergo.Error) as caught:
            getattr(guest, name)(*args)
        assert time.monotonic() - began < 2
        assert caught.value.kind == ("panic" if name == "deadlock" else "timeout")
        assert not guest.alive
    assert issubclass(undergo.TimeoutError, TimeoutError)


def test_waiting_for_a_busy_instance_ends_with_the_deadline(start: Callable[..., Any]) -> None:
    inside, go_on = threading.Event(), threading.Event()

    class Slow(Host):
        def note(self, s: str) -> None:
            inside.set()
            go_on.wait(10)

    guest = start(Slow())
    other = threading.Thread(target=guest.notes, args=(["x"],))
    other.start()
    try:
        assert inside.wait(10)
        with pytest.raises(undergo.TimeoutError, match="busy with another call"):
            guest.using(timeout=0.05).counter()
    finally:
        go_on.set()
        other.join()
    assert guest.alive
    assert guest.counter() == 1


def test_a_memory_limit_holds(start: Callable[..., Any]) -> None:
    guest = start(limits=undergo.Limits(memory="64MiB"))
    with pytest.raises(undergo.OutOfMemoryError, match="its limit is 67108864 bytes") as caught:
        guest.alloc(300)
    assert isinstance(caught.value, MemoryError)
    assert not guest.alive


def test_one_instance_never_touches_another(start: Callable[..., Any]) -> None:
    doomed, other = start(limits=undergo.Limits(timeout=0.05)), start()
    with pytest.raises(undergo.TimeoutError):
        doomed.spin()
    assert other.echo_string("still here") == "still here"


def test_deep_recursion_ends_in_a_trap_on_a_small_stack(start: Callable[..., Any]) -> None:
    guest = start()
    caught: list[BaseException] = []

    def run() -> None:
        try:
            guest.recurse(5_000_000)
        except undergo.Error as error:
            caught.append(error)

    before = threading.stack_size(256 * 1024)
    try:
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(before)
    assert [type(error) for error in caught] == [undergo.TrapError]
    assert "stack" in str(caught[0])


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "empty"),
        (b"nonsense", "not WebAssembly"),
        (b"\0asm\x0d\0\x01\0\xff", "component is damaged"),
        (b"\0asm\x01\0\0\0", "-buildmode=c-shared"),
        (b"\0asm\x01\0\0\0\xff\xff\xff", "damaged"),
    ],
)
def test_what_is_no_plugin_says_what_to_do(data: bytes, text: str) -> None:
    with pytest.raises(undergo.InvalidPluginError, match=text):
        undergo.Plugin(data)


def test_a_command_is_refused_with_the_flag_that_is_missing(go_build: Callable[..., Path]) -> None:
    plugin = undergo.Plugin(go_build("package main\n\nfunc main() {}\n", mode="default"))
    assert plugin.kind == "command"
    with pytest.raises(undergo.InvalidPluginError, match="-buildmode=c-shared"):
        plugin.instantiate()


def test_a_cycle_through_a_host_function_is_collected(start: Callable[..., Any]) -> None:
    host = Host()
    guest = start(host)
    assert host.instance is guest
    gone = weakref.ref(guest)
    del guest, host
    gc.collect()
    assert gone() is None


def test_the_exception_that_ended_an_instance_does_not_keep_it(start: Callable[..., Any]) -> None:
    def work() -> weakref.ref[Any]:
        # The exception's traceback has this frame, and the frame the instance.
        guest = start()
        with contextlib.suppress(ValueError):
            guest.crash("x")
        assert not guest.alive
        return weakref.ref(guest)

    gone = work()
    gc.collect()
    assert gone() is None
