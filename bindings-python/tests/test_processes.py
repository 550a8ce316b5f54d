"""Plugins and their functions in other processes: what is pickled, and what becomes of it there."""

from __future__ import annotations

import copy
import multiprocessing
import os
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import undergo
from undergo import _bound, _pickling
from undergo._kept import Kept
from wasm import Export, Import, call, const, module, param

WIT = """package undergo:t;

interface host { ask: func(x: s32) -> s32; }

world t {
  import host;
  /// Asks the host.
  export f: func(x: s32) -> s32;
  export plugin: func() -> s32;
}
"""
METHODS = [method for method in ("fork", "forkserver", "spawn") if method in multiprocessing.get_all_start_methods()]
QUIET = pytest.mark.filterwarnings("ignore::DeprecationWarning")
"""Python warns of forks in programs with threads."""


def wasm(number: int = 0) -> bytes:
    """Make a module that asks its host; others for other numbers."""
    exports = [Export("f", "i", "i", param(0) + call(0)), Export("plugin", "", "i", const(number))]
    return module(WIT, exports, imports=[Import("host", "ask", "i", "i")])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "asking.wasm"
    path.write_bytes(wasm())
    return path


class Adding:
    """A host that adds, and may know the functions that ask it."""

    def __init__(self, more: int) -> None:
        self.more = more
        self.known: Any = None

    def ask(self, x: int) -> int:
        return x + self.more


def asked(x: int) -> int:
    return x * 2


def pid(x: int) -> int:
    return os.getpid()


def bind(host: Any = None, **options: Any) -> Any:
    return undergo.Plugin(wasm(), name="asking.wasm").bind(imports={"host": host or Adding(1)}, **options)


def forget() -> None:
    """Let everything arrive anew, as in another process."""
    for kept in (_pickling._plugins, _bound._bounds):
        kept._known.clear()
        kept._latest.clear()


def again(value: Any, protocol: int = pickle.HIGHEST_PROTOCOL) -> Any:
    """Give what would arrive in another process."""
    told = pickle.dumps(value, protocol)
    forget()
    return pickle.loads(told)


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_a_plugin_arrives(file: Path, protocol: int) -> None:
    sent = undergo.Plugin(file, compile="fast", cache=False)
    # What was loaded is sent, whatever becomes of the file.
    file.unlink()
    got = again(sent, protocol)
    assert got is not sent
    assert (got.digest, got.name, got.exports) == (sent.digest, "asking.wasm", sent.exports)
    assert got.pool(1, imports={"host": Adding(1)}).f(1) == 2
    assert pickle.dumps(got, protocol) == pickle.dumps(sent, protocol)


def test_a_plugin_is_itself_in_its_own_process(file: Path) -> None:
    plugin = undergo.Plugin(file)
    assert pickle.loads(pickle.dumps(plugin)) is plugin
    assert copy.copy(plugin) is copy.deepcopy(plugin) is plugin
    assert undergo.Plugin(file).digest == plugin.digest != undergo.Plugin(wasm(1)).digest
    fast = undergo.Plugin(file, compile="fast")
    assert pickle.loads(pickle.dumps(fast)) is fast


def test_compiled_code_is_not_sent(file: Path, tmp_path: Path) -> None:
    cli = os.environ.get("UNDERGO")
    if not cli:
        pytest.skip("UNDERGO does not name the command-line tool")
    native = tmp_path / "asking.compiled"
    subprocess.run([cli, "compile", file, "-o", native], check=True, capture_output=True)
    sent = undergo.Plugin.load_compiled(native, trusted=True)
    told = pickle.dumps(sent)
    assert wasm() in told
    assert len(told) < len(wasm()) + 1000 < native.stat().st_size
    assert again(sent).digest == sent.digest


def test_buffers_stay_out_of_band() -> None:
    buffers: list[pickle.PickleBuffer] = []
    told = pickle.dumps(undergo.Plugin(wasm()), 5, buffer_callback=buffers.append)
    assert [bytes(buffer) for buffer in buffers] == [wasm()]
    forget()
    assert pickle.loads(told, buffers=buffers).kind == "reactor"


@pytest.mark.parametrize("protocol", [4, 5])
def test_a_forged_digest_is_refused(protocol: int) -> None:
    told = pickle.dumps(undergo.Plugin(wasm(1)), protocol)
    first, second = undergo.Plugin(wasm(1)).digest.encode(), undergo.Plugin(wasm(2)).digest.encode()
    forget()
    for forged in (told.replace(first, second), told.replace(wasm(1), wasm(2))):
        assert forged != told
        for _ in range(2):
            with pytest.raises(pickle.UnpicklingError, match="the pickle's module is not the one it names: its digest is"):
                pickle.loads(forged)
    assert not _pickling._plugins._latest
    assert pickle.loads(told).digest.encode() == first


def test_a_path_in_place_of_the_bytes(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(file.parent)
    sent = undergo.Plugin(file.name, pickle="path")
    told = pickle.dumps(sent)
    assert wasm() not in told
    monkeypatch.chdir("/")
    got = again(sent)
    assert got.digest == sent.digest
    assert pickle.dumps(got) == told
    file.write_bytes(wasm(1))
    forget()
    with pytest.raises(pickle.UnpicklingError, match=r"asking\.wasm has changed since the plugin was pickled: its digest is \w+… and not"):
        pickle.loads(told)
    file.write_bytes(b"?")
    with pytest.raises(undergo.InvalidPluginError, match=r"asking\.wasm"):
        pickle.loads(told)
    file.unlink()
    with pytest.raises(pickle.UnpicklingError, match=r"asking\.wasm is not there: with pickle='path'"):
        pickle.loads(told)


def test_wrong_options_are_named(file: Path) -> None:
    plugin: Any = undergo.Plugin
    with pytest.raises(ValueError, match="pickle is 'path', but a plugin that is made from bytes has none"):
        plugin(wasm(), pickle="path")
    with pytest.raises(ValueError, match="pickle is 'zip'; it must be 'bytes' or 'path'"):
        plugin(wasm(), pickle="zip")
    with pytest.raises(ValueError, match="a file has its own"):
        plugin(file, name="x.wasm")


def test_functions_arrive() -> None:
    sent = bind(limits=undergo.Limits(timeout=5), sandbox=undergo.Sandbox(env={"A": "b"}, stdout="capture"), size=3, idle=None)
    got = again(sent.f)
    assert got(41) == got(x=41) == 42
    assert got.__name__ == "f"
    assert str(got.__signature__) == "(x: 'int') -> 'int'"
    bound = got._bound
    assert bound is not sent
    assert (bound.pool.size, bound.plugin.name, sorted(bound.exports)) == (3, "asking.wasm", ["f", "plugin"])
    assert bound.exports["plugin"]() == 0
    assert bound.f == got
    assert {bound.f: 1}[got] == 1
    assert "f" in dir(bound)


def test_functions_are_themselves_in_their_own_process() -> None:
    bound = bind()
    assert pickle.loads(pickle.dumps(bound)) is copy.copy(bound) is copy.deepcopy(bound) is bound
    assert pickle.loads(pickle.dumps(bound.f)) == bound.f
    assert bound.f(1) == 2
    assert bound.pool.stats.made == 1


def test_what_is_missing_is_told_at_once() -> None:
    with pytest.raises(undergo.MissingImportError, match="ask"):
        undergo.Plugin(wasm()).bind()
    with pytest.raises(undergo.UnknownExportError, match="has no export 'g'"):
        _ = bind().g
    assert not hasattr(bind(), "g")


def test_a_host_that_knows_its_functions() -> None:
    host = Adding(5)
    host.known = bound = bind(host)
    got = again(bound)
    assert got.f(1) == 6
    there = got._state[1]["imports"]["host"]
    assert there is not host
    assert there.known is got
    host.known = bound.f
    assert again(bound.f)(1) == 6


def in_this_module(x: int) -> int:
    return x


def test_a_function_that_can_not_be_sent_is_named() -> None:
    def nested(x: int) -> int:
        return x

    with pytest.raises(pickle.PicklingError, match=r"^imports\['host'\]\['ask'\] is a lambda, which can't be pickled"):
        pickle.dumps(bind({"ask": lambda x: x}))
    with pytest.raises(pickle.PicklingError, match=r"^imports\['host'\]\['ask'\] is the function .*nested, which can't be pickled"):
        pickle.dumps(bind({"ask": nested}).f)
    with pytest.raises(pickle.PicklingError, match=r"^Sandbox\.stdout is a lambda"):
        pickle.dumps(bind(sandbox=undergo.Sandbox(stdout=lambda line: None)))
    assert again(bind({"ask": in_this_module})).f(3) == 3


def test_cloudpickle_sends_any_function() -> None:
    cloudpickle = pytest.importorskip("cloudpickle")
    bound = bind({"ask": lambda x: x * 3}, sandbox=undergo.Sandbox(stdout=lambda line: None))
    told = cloudpickle.dumps(bound.f)
    forget()
    assert pickle.loads(told)(5) == 15


def running(plugin: undergo.Plugin) -> list[Any]:
    """Give what runs in this process."""
    imports = {"host": Adding(1)}
    instance, pool = plugin.instantiate(imports=imports), plugin.pool(1, imports=imports)
    return [instance, pool, instance.f, instance.exports, pool.using(timeout=1), plugin.async_pool(1, imports=imports)]


@pytest.mark.parametrize("number", range(6))
def test_what_runs_is_not_sent(number: int) -> None:
    given = running(undergo.Plugin(wasm()))[number]
    for send in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(
            TypeError, match=r"an? \w+ can't be pickled, because its guests run in this process: send the Plugin, or plugin.bind"
        ):
            send(given)
    with pytest.raises(TypeError, match="a CancelToken can't be pickled"):
        pickle.dumps(undergo.CancelToken())


def place(bound: undergo.Bound) -> tuple[int, int, int, int]:
    """Say where a bound plugin is, how many there are, and how many instances its pool has made."""
    bound.f(1)
    return os.getpid(), id(bound), len(_bound._bounds._latest), bound.pool.stats.made


@QUIET
@pytest.mark.parametrize("method", METHODS)
def test_processes_load_it_once(method: str) -> None:
    bound = bind({"ask": asked})
    assert bound.f(1) == 2
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context(method)) as processes:
        assert list(processes.map(bound.f, range(100))) == [2 * x for x in range(100)]
        places = set(processes.map(place, [bound] * 100))
        away = undergo.Plugin(wasm()).bind(imports={"host": {"ask": pid}})
        assert os.getpid() not in set(processes.map(away.f, range(10)))
    assert 1 <= len(places) <= 2
    assert {made for *_, made in places} == {1}


def test_joblib_calls_it() -> None:
    joblib = pytest.importorskip("joblib")
    bound = bind({"ask": lambda x: x * 3})
    assert joblib.Parallel(n_jobs=2)(joblib.delayed(bound.f)(x) for x in range(20)) == [3 * x for x in range(20)]


def test_threads_get_the_same() -> None:
    told = pickle.dumps(bind().f)
    forget()
    ready = threading.Barrier(16)

    def arrive(_: int) -> Any:
        ready.wait()
        return pickle.loads(told)

    with ThreadPoolExecutor(16) as threads:
        arrived = list(threads.map(arrive, range(16)))
        assert list(threads.map(lambda function: function(1), arrived)) == [2] * 16
    assert len({id(function._bound) for function in arrived}) == 1
    assert len({id(function._bound.pool) for function in arrived}) == 1


def in_child(code: Callable[[], None]) -> None:
    """Run code in a forked child, which must succeed."""
    child = os.fork()
    if child == 0:
        done = 1
        try:
            code()
            done = 0
        finally:
            os._exit(done)
    deadline = time.monotonic() + 60
    while (ended := os.waitpid(child, os.WNOHANG)) == (0, 0):
        if time.monotonic() > deadline:
            os.kill(child, 9)
        time.sleep(0.01)
    assert os.waitstatus_to_exitcode(ended[1]) == 0


@QUIET
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_child_has_a_pool_of_its_own() -> None:
    bound = bind()
    assert bound.f(1) == 2
    parent = bound.pool

    def child() -> None:
        assert bound.f(1) == 2
        assert bound.pool is not parent
        in_child(lambda: (lambda got: [got] == [2] or os._exit(1))(bound.f(1)))

    in_child(child)
    assert bound.pool is parent
    assert bound.f(1) == 2


@QUIET
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_fork_while_a_thread_keeps_something() -> None:
    told = pickle.dumps(bind())
    forget()
    held, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        with _pickling._plugins._lock, _bound._bounds._lock:
            held.set()
            go_on.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(60)
    try:
        in_child(lambda: None if pickle.loads(told).f(1) == 2 else os._exit(1))
    finally:
        go_on.set()
        thread.join()


class Thing:
    """What can be kept."""


def test_the_latest_are_kept() -> None:
    kept: Kept[Thing] = Kept(2)
    first = kept.add(1, Thing())
    assert kept.add(1, Thing()) is kept.find(1) is first
    kept.add(2, Thing())
    kept.add(3, Thing())
    # Not kept any longer, but used here.
    assert kept.find(1) is first
    assert kept.find(2) is None
    noted = Thing()
    kept.note(4, noted)
    assert kept.find(4) is noted
    assert len(kept._latest) == 2


def test_another_program_loads_it() -> None:
    told = pickle.dumps([undergo.Plugin(wasm()), undergo.Plugin(wasm()).bind(imports={"host": {"ask": abs}}).f])
    program = "import pickle, sys; plugin, f = pickle.load(sys.stdin.buffer); print(plugin.kind, f(-7), f._bound.plugin is plugin)"
    done = subprocess.run([sys.executable, "-c", program], input=told, capture_output=True, check=True)
    assert done.stdout.split() == [b"reactor", b"7", b"True"]
