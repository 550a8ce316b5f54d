"""What the tests share: the conformance plugin, compiled once, and modules of Go built as they are needed."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import undergo

ROOT = Path(__file__).resolve().parents[2]


def conformance_path() -> Path:
    """Where the conformance guest is; `make test` builds it."""
    given = os.environ.get("UNDERGO_CONFORMANCE_WASM")
    path = Path(given) if given else ROOT / "build" / "conformance.wasm"
    if not path.exists():
        raise FileNotFoundError(f"{path} is not there: 'make test' builds it, or set UNDERGO_CONFORMANCE_WASM")
    return path


class Host:
    """The module `host` of conformance/README.md."""

    def __init__(self) -> None:
        self.instance: undergo.Instance | None = None
        self.kept: list[str] = []

    def __getattr__(self, name: str) -> Callable[[Any], Any]:
        if name.startswith("echo_"):
            return lambda value: value
        raise AttributeError(name)

    def many(self, *args: Any) -> str:
        a, b, c, d, e, f, *texts = args
        return f"{a} {b} {c} {d} {e} {str(f).lower()} " + "|".join(texts)

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

    def crash(self, msg: str) -> None:
        raise ValueError(msg)

    def wrong_type(self) -> str:
        return "not a number"

    def wrong_result(self) -> str:
        return "not a list"

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
