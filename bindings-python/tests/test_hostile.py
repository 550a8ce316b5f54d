"""The hostile guest of conformance/hostile, and what Python shows of its ends: conformance/README.md says how the list is run."""

from __future__ import annotations

import gc
import json
import logging
import re
import sys
import threading
import time
import traceback
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import undergo
from conftest import ROOT, guest_path

FOLDER = ROOT / "conformance" / "hostile"
CASES: list[dict[str, Any]] = json.loads((FOLDER / "misdeeds.json").read_text())["cases"]
MARK = re.compile(r" // at: (\S+)(?: in (\S+))?$")

ENOUGH = 60.0
"""Seconds: far more than any call here takes."""


def marks() -> dict[str, tuple[str, str, int]]:
    """Function, file and line that the trace of a misdeed must name first."""
    found = {}
    for file in sorted(FOLDER.glob("*.go")):
        for number, line in enumerate(file.read_text().splitlines(), 1):
            if match := MARK.search(line):
                first, *rest = match[1].split("-")
                function = match[2] or "main." + first + "".join(word.title() for word in rest)
                found[match[1]] = (function, file.name, number)
    return found


MARKS = marks()


class Host:
    """The module `host` of the hostile guest."""

    def __init__(self) -> None:
        self.instance: Any = None

    def do(self, what: str, n: int) -> str:
        return str(self.instance.do(what, n)) if self.instance else "nothing done"

    def echo(self, s: str) -> str:
        return s

    def fail(self) -> None:
        raise undergo.HostError("refused by the host")


@pytest.fixture(scope="module")
def hostile() -> undergo.Plugin:
    return undergo.Plugin(guest_path("hostile"))


Start = Callable[..., Any]


@pytest.fixture(scope="module")
def start(hostile: undergo.Plugin) -> Start:
    def make(timeout: float = ENOUGH, env: dict[str, str] | None = None, host: Host | None = None) -> Any:
        sandbox = undergo.Sandbox(stdout="discard", stderr="discard", env=env or {})
        limits = undergo.Limits(memory="64MiB", timeout=timeout)
        return hostile.instantiate(imports={"host": host or Host()}, sandbox=sandbox, limits=limits)

    return make


@pytest.fixture(scope="module")
def bystander(start: Start) -> Any:
    return start()


def name_of(case: dict[str, Any]) -> str:
    return f"{case['misdeed']}({case.get('n', 0)})"


def check(case: dict[str, Any], error: undergo.Error) -> None:
    assert error.kind == case["kind"], error
    assert error.exit_code == case.get("exit_code")
    for part in case.get("contains", ()):
        assert part in error.message
    if case["misdeed"] in MARKS and error.kind in ("panic", "out-of-memory"):
        function, file, line = MARKS[case["misdeed"]]
        assert error.origin is not None
        assert (error.origin.function, Path(error.origin.file).name, error.origin.line) == (function, file, line)
        assert error.origin in error.frames
        shown = "".join(traceback.format_exception(error))
        # The plugin's own function comes first, and stands with its place.
        assert re.search(rf"innermost call first:\n  {re.escape(function)}\n    \S*{file}:{line}\n", shown)


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_a_misdeed_in_a_call(start: Start, bystander: Any, case: dict[str, Any]) -> None:
    instance = start(timeout=0.3 if case["kind"] == "timeout" else ENOUGH)
    if case["kind"] == "done":
        assert instance.do(case["misdeed"], case.get("n", 0)) == "done"
        assert instance.work(100) == 338350
    else:
        with pytest.raises(undergo.Error) as caught:
            instance.do(case["misdeed"], case.get("n", 0))
        check(case, caught.value)
        assert not instance.alive
        with pytest.raises(undergo.DeadInstanceError, match="its end was " + case["kind"]) as dead:
            instance.ready()
        assert dead.value.frames == caught.value.frames
    assert bystander.work(100) == 338350
    assert start().work(100) == 338350


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_a_misdeed_in_init(start: Start, bystander: Any, case: dict[str, Any]) -> None:
    env = {"MISDEED": case["misdeed"], "MISDEED_N": str(case.get("n", 0))}
    timeout = 0.3 if case["kind"] == "timeout" else ENOUGH
    if case["kind"] == "done":
        assert start(timeout, env).work(100) == 338350
    else:
        with pytest.raises(undergo.Error) as caught:
            start(timeout, env)
        check(case, caught.value)
    assert bystander.work(100) == 338350


def test_the_frames_are_complete_and_the_origin_is_the_plugins(start: Start) -> None:
    with pytest.raises(undergo.PanicError) as caught:
        start().do("deadlock-mutex", 0)
    error = caught.value
    assert error.origin is not None
    functions = [frame.function for frame in error.frames]
    assert functions.index("sync.(*Mutex).Lock") < functions.index("main.deadlockMutex") < functions.index("main.Do")
    assert error.origin.function == "main.deadlockMutex"
    assert "sync.(*Mutex).Lock" not in str(error)
    assert "sync.(*Mutex).Lock" in error.stderr


@pytest.mark.skipif(sys.version_info < (3, 11), reason="exceptions have notes since Python 3.11")
def test_what_the_plugin_wrote_is_noted_where_go_says_nothing(start: Start) -> None:
    with pytest.raises(undergo.ExitError) as caught:
        start().do("exit-after-recover", 2)
    assert "panic: told by hand" in "".join(traceback.format_exception(caught.value))
    with pytest.raises(undergo.TimeoutError) as timeout:
        start(timeout=1).do("print-stderr", 0)
    (note,) = timeout.value.__notes__
    assert note.splitlines()[1:] == ["  a line on standard error"] * 10
    with pytest.raises(undergo.PanicError) as panic:
        start().do("panic-string", 0)
    assert not hasattr(panic.value, "__notes__")


def test_an_error_is_readable_in_a_log(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(undergo.PanicError) as caught:
        start().do("index-out-of-range", 5)
    logging.getLogger("test").error("failed", exc_info=caught.value)
    assert "index out of range [5] with length 3" in caplog.text
    assert "main.indexOutOfRange" in caplog.text


def test_a_misdeed_within_a_host_function(start: Start) -> None:
    host = Host()
    instance = host.instance = start(host=host)
    assert instance.through("recovered", 0) == "done"
    with pytest.raises(undergo.PanicError, match="a string"):
        instance.through("panic-string", 0)
    host.instance = None
    assert not instance.alive


def test_a_host_function_cannot_swallow_the_end_of_its_guest(start: Start) -> None:
    class Swallowing(Host):
        def do(self, what: str, n: int) -> str:
            try:
                return super().do(what, n)
            except undergo.Error:
                return "as if nothing had happened"

    for what, kind in (("panic-string", "panic"), ("exit", "exit"), ("recursion", "trap")):
        host = Swallowing()
        instance = host.instance = start(host=host)
        with pytest.raises(undergo.Error) as caught:
            instance.through(what, 0)
        assert caught.value.kind == kind
        host.instance = None


def test_an_exception_of_a_host_function_is_never_swallowed(start: Start) -> None:
    class Failing(Host):
        def fail(self) -> None:
            raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        start(host=Failing()).do("host-fail", 0)


def test_many_deadlines_end_each_call_at_its_own_time(start: Start) -> None:
    took: dict[float, float] = {}
    barrier = threading.Barrier(20)

    def call(limit: float) -> None:
        instance = start(timeout=limit)
        barrier.wait(ENOUGH)
        began = time.monotonic()
        with pytest.raises(undergo.TimeoutError):
            instance.do("loop", 0)
        took[limit] = time.monotonic() - began

    limits = [0.2 + i / 20 for i in range(20)]
    threads = [threading.Thread(target=call, args=(limit,)) for limit in limits]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(took) == limits
    assert all(limit <= time < limit + ENOUGH for limit, time in took.items())


def test_threads_with_small_stacks_survive_a_recursion(start: Start) -> None:
    kinds: list[str] = []

    def call() -> None:
        assert start().do("finite-recursion", 5000) == "done"
        with pytest.raises(undergo.TrapError, match="stack"):
            start().do("recursion", 0)
        kinds.append("trap")

    before = threading.stack_size(256 << 10)
    try:
        thread = threading.Thread(target=call)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(before)
    assert kinds == ["trap"]


@pytest.mark.parametrize("name", ["forged_bytes", "forged_numbers", "forged_string", "forged_strings"])
def test_a_forged_result_is_a_trap(start: Start, name: str) -> None:
    for address, length in ((2**32 - 8, 8), (65536, 2**32 - 1), (0, 2**31)):
        instance = start()
        with pytest.raises(undergo.Error) as caught:
            getattr(instance, name)(address, length)
        assert caught.value.kind in ("trap", "panic"), caught.value
        assert not instance.alive


def test_text_that_is_none_leaves_the_instance_alive(start: Start) -> None:
    instance = start()
    with pytest.raises(undergo.TypeMismatchError, match="UTF-8"):
        instance.not_utf8()
    assert instance.work(100) == 338350


def test_an_exception_does_not_keep_its_instance_alive(start: Start) -> None:
    def ends() -> weakref.ref[Any]:
        instance = start()
        # The traceback has this function's variables, and with them the instance.
        with pytest.raises(undergo.HostError):
            instance.do("host-fail", 0)
        return weakref.ref(instance)

    gone = ends()
    gc.collect()
    assert gone() is None
