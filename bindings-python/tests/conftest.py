"""What the tests share: the conformance plugin, compiled once, and modules of Go built as they are needed."""

from __future__ import annotations

import functools
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import undergo

ROOT = Path(__file__).resolve().parents[2]


def conformance_path() -> Path:
    """Where the conformance guest is; `make test` builds it."""
    return guest_path("conformance")


def guest_path(name: str) -> Path:
    """Where a guest of the tests is."""
    variable = f"UNDERGO_{name.upper().replace('-', '_')}_WASM"
    given = os.environ.get(variable)
    path = Path(given) if given else ROOT / "build" / f"{name}.wasm"
    if not path.exists():
        raise FileNotFoundError(f"{path} is not there: 'make test' builds it, or set {variable}")
    return path


class Store:
    """The object `store` of conformance/README.md."""

    def __init__(self, **texts: str) -> None:
        self._texts = texts

    def get(self, key: str) -> str:
        if key not in self._texts:
            raise LookupError(f"no such key: {key}")
        return self._texts[key]

    def put(self, key: str, value: str) -> None:
        self._texts[key] = value

    def size(self) -> int:
        return len(self._texts)

    def child(self, name: str) -> Store:
        return Store(name=name)


class Host:
    """The module `host` of conformance/README.md."""

    def __init__(self) -> None:
        self.instance: undergo.Instance | undergo.Pool | None = None
        self.kept: list[str] = []
        self.store = Store()

    def __getattr__(self, name: str) -> Callable[[Any], Any]:
        if name.startswith("echo_"):
            return lambda value: value
        raise AttributeError(name)

    def many(self, *args: Any) -> str:
        a, b, c, d, e, f, *texts = args
        return f"{a} {b} {c} {d} {e} {str(f).lower()} " + "|".join(texts)

    def bundle(self, *args: Any) -> tuple[Any, ...]:
        return args

    def divmod(self, a: int, b: int) -> tuple[int, int]:
        return divmod(a, b)

    def note(self, s: str) -> None:
        self.kept.append(s)

    def notes(self) -> list[str]:
        kept, self.kept = self.kept, []
        return kept

    def fail(self, msg: str) -> str:
        raise ValueError(msg)

    def check(self, msg: str) -> None:
        if msg:
            raise ValueError(msg)

    def lookup(self, key: str) -> str:
        if not key:
            return ""
        assert self.instance is not None
        not_found = self.instance.plugin.types.NotFound(f"not found: {key}", key=key, code=404)
        raise LookupError(f"looking up: not found: {key}") from not_found

    def crash(self, msg: str) -> None:
        raise ValueError(msg)

    def wrong_type(self) -> str:
        return "not a number"

    def wrong_result(self) -> str:
        return "not a list"

    def open_store(self, name: str) -> Store:
        if not name:
            raise ValueError("no name")
        return Store(name=name)

    def reenter(self, depth: int) -> int:
        assert self.instance is not None
        return int(self.instance.reenter(depth - 1)) + 1


@pytest.fixture(scope="session")
def plugin() -> undergo.Plugin:
    return undergo.Plugin(conformance_path())


@pytest.fixture
def start(plugin: undergo.Plugin) -> Callable[..., Any]:
    """Make an instance of the conformance plugin, quiet unless a sandbox is given."""

    def make(host: Any = None, **options: Any) -> undergo.Instance:
        host = host or Host()
        options.setdefault("sandbox", undergo.Sandbox(stdout="discard", stderr="discard"))
        instance = plugin.instantiate(imports={"host": host}, **options)
        if isinstance(host, Host):
            host.instance = instance
        return instance

    return make


@pytest.fixture
def start_pool(plugin: undergo.Plugin) -> Iterator[Callable[..., Any]]:
    """Make a pool of the conformance plugin, quiet, and closed at the end of the test."""
    pools: list[undergo.Pool] = []

    def make(size: int, host: Any = None, **options: Any) -> undergo.Pool:
        quiet = undergo.Sandbox(stdout="discard", stderr="discard")
        pool = plugin.pool(size, imports={"host": host or Host()}, sandbox=quiet, **options)
        if isinstance(host, Host):
            host.instance = pool
        pools.append(pool)
        return pool

    yield make
    for pool in pools:
        pool.close(10)


class Gate(Host):
    """A host whose `note` waits until the test lets it go on."""

    def __init__(self) -> None:
        super().__init__()
        self.inside = threading.Semaphore(0)
        self.go_on = threading.Event()

    def note(self, s: str) -> None:
        super().note(s)
        self.inside.release()
        assert self.go_on.wait(30)


class Caller(threading.Thread):
    """A thread that makes one call, and keeps what it gave or raised."""

    def __init__(self, function: Callable[..., Any], *args: Any) -> None:
        super().__init__()
        self.work = functools.partial(function, *args)
        self.result: Any = None
        self.raised: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            self.result = self.work()
        except BaseException as raised:
            self.raised = raised

    def wait(self) -> Any:
        """Give the result, or raise what the call raised."""
        self.join(30)
        assert not self.is_alive()
        if self.raised is not None:
            raised, self.raised = self.raised, None
            raise raised
        return self.result


def until(condition: Callable[[], bool]) -> None:
    """Wait for what another thread brings about."""
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


@pytest.fixture
def guest(start: Callable[..., Any]) -> Any:
    return start()


@pytest.fixture(scope="session")
def go_build(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Build a bare Go module from one file's text."""

    def build(text: str, mode: str = "c-shared") -> Path:
        folder = tmp_path_factory.mktemp("bare")
        (folder / "go.mod").write_text("module example.com/bare\n\ngo 1.24\n")
        (folder / "main.go").write_text(text)
        go = os.environ.get("UNDERGO_GO", "go")
        env = dict(os.environ, GOOS="wasip1", GOARCH="wasm", GOFLAGS="-buildvcs=false")
        subprocess.run([go, "build", f"-buildmode={mode}", "-o", "bare.wasm", "."], cwd=folder, env=env, check=True)
        return folder / "bare.wasm"

    return build
