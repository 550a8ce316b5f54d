"""A plugin of Go as a component, and programs that became one, in an engine that is not Undergo's: wasmtime-py.

CALLS=… presses harder on Go's collector.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import go
import pytest
from project import CLI, ROOT
from wasmtime import Config, Engine, ExitTrap, Store, WasiConfig, WasmtimeError
from wasmtime.component import Component, Instance, Linker, Variant

CALLS = int(os.environ.get("CALLS") or 400)
PLUGIN = ROOT / "tools" / "component"
DIRECTORY = {"ada": ["math", "engines"], "bob": []}


class Guest:
    """An instance of a component, and calls of its functions."""

    def __init__(self, engine: Engine, component: Component) -> None:
        """Instantiate it with WASI, and a directory for its import."""
        linker = Linker(engine)
        linker.add_wasip2()
        with linker.root() as root, root.add_instance("directory") as directory:
            directory.add_func("lookup", self.lookup)
        self.store = Store(engine)
        wasi = WasiConfig()
        wasi.env = [("COLOR", "blue")]
        self.store.set_wasi(wasi)
        self.instance: Instance = linker.instantiate(self.store, component)

    @staticmethod
    def lookup(_: object, name: str) -> list[str] | str:
        """Answer the guest: a value, or the text of an error."""
        return DIRECTORY.get(name, f"nobody is called {name}")

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Give an export by its name, with underscores. A result is its value or its error's text."""

        def call(*args: object) -> Any:
            function = self.instance.get_func(self.store, name.replace("_", "-"))
            assert function is not None, name
            result = function(self.store, *args)
            function.post_return(self.store)
            return result

        return call


def build(made: Path, *flags: str) -> Path:
    """Build the plugin as a component."""
    subprocess.run([CLI, "build", PLUGIN, "--component", "-o", made, *flags], check=True, env={**os.environ, "UNDERGO_GO": str(go.find())})
    return made


@pytest.fixture(scope="module", params=["optimized", "plain"])
def component(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Engine, Component]:
    """Build the component, with its code as Go's compiler wrote it, and as it is by default."""
    flags = ["--no-optimize"] if request.param == "plain" else []
    engine = Engine()
    return engine, Component.from_file(engine, build(tmp_path_factory.mktemp("component") / "component.wasm", *flags))


@pytest.fixture
def guest(component: tuple[Engine, Component]) -> Guest:
    """Make an instance."""
    return Guest(*component)


def person(name: str, **fields: object) -> SimpleNamespace:
    """Make a record, whose fields have the names of WIT."""
    born = SimpleNamespace(seconds=1, nanoseconds=2, offset=3600)
    return SimpleNamespace(**{"name": name, "email": None, "tags": ["a", ""], "color": "blue", "born": born, "wait": -5, **fields})


def test_values_cross(guest: Guest) -> None:
    assert guest.greet("Ada ✓") == "hello Ada ✓"
    assert guest.greet("") == "hello "
    for email in [None, "a@b"]:
        got = guest.echo_person(person("Ada", email=email))
        assert (got.name, got.email, got.tags, got.color, got.wait) == ("Ada", email, ["a", ""], "blue", -5)
        assert (got.born.seconds, got.born.nanoseconds, got.born.offset) == (1, 2, 3600)
    assert guest.echo_person(person("")) == "nobody"
    assert guest.turn([1.0, 2.0, 3.0]) == [3.0, 2.0, 1.0]
    shapes = [Variant("circle", SimpleNamespace(radius=2.0)), Variant("square", SimpleNamespace(side=3.0))]
    assert guest.areas(shapes) == [12.0, 9.0]


def test_a_map_is_a_list_of_pairs(guest: Guest) -> None:
    assert sorted(guest.count(["b", "a", "b"])) == [("a", 1), ("b", 2)]
    assert guest.total([("a", 1), ("b", 2), ("b", 5)]) == 6


def test_imports_are_called(guest: Guest) -> None:
    assert guest.ask(["ada", "bob", "ada"]) == ["math", "engines"] * 2
    assert guest.ask(["eve"]) == "eve: nobody is called eve"


def test_wasi_is_there(guest: Guest) -> None:
    assert guest.environment("COLOR") == "blue"


def test_an_array_of_another_length_ends_the_instance(guest: Guest) -> None:
    with pytest.raises(WasmtimeError):
        guest.turn([1.0])


def test_arguments_survive_the_collector(guest: Guest) -> None:
    for n in range(CALLS):
        # Small ones and large ones in turn, up to 2 MiB; texts are quicker to pass than lists here.
        size = (n * n * 7919) % (2 << 20) + 1
        text, data = chr(97 + n % 26) * size, bytes([n % 250]) * (1 + n * 37 % 1000)
        words = [chr(97 + n % 26) * 50] * (1 + n % 50)
        expected = sum(data) + size + len(words)
        assert guest.press(n, data, text, words) == expected, n
        if n % 3 == 0:
            assert guest.ask(["ada"] * 20) == ["math", "engines"] * 20


def test_a_mebibyte_as_a_list(guest: Guest) -> None:
    assert guest.press(0, bytes([1]) * (1 << 20), "a", ["a"]) == (1 << 20) + 2


def run_program(file: Path, *arguments: str) -> int:
    """Run a component that exports wasi:cli/run; give its exit code."""
    engine = Engine(Config())
    linker = Linker(engine)
    linker.add_wasip2()
    store = Store(engine)
    wasi = WasiConfig()
    wasi.argv = ["program", *arguments]
    store.set_wasi(wasi)
    component = Component.from_file(engine, file)
    name = next(name for name in component.type.exports(engine) if name.startswith("wasi:cli/run@0.2."))
    instance = linker.instantiate(store, component)
    index = instance.get_export_index(store, "run", instance.get_export_index(store, name))
    assert index is not None
    run = instance.get_func(store, index)
    assert run is not None
    try:
        return 0 if run(store).tag == "ok" else 1
    except ExitTrap as ended:
        return ended.code


MAIN = """package main

import (
	"os"
	"strings"
)

func main() {
	var all []string
	for range 100_000 {
		all = append(all, strings.Repeat("x", 200))
	}
	if len(strings.Join(all, "")) != 20_000_000 || len(os.Args) != 2 {
		os.Exit(1)
	}
}
"""


def test_a_program_of_go_becomes_a_component(tmp_path: Path) -> None:
    (tmp_path / "go.mod").write_text("module program\n\ngo 1.24\n")
    (tmp_path / "main.go").write_text(MAIN)
    environment = {**os.environ, "GOOS": "wasip1", "GOARCH": "wasm", "GOFLAGS": "", "GOPROXY": "off"}
    module, component = tmp_path / "program.wasm", tmp_path / "component.wasm"
    subprocess.run([go.find(), "build", "-o", module, "."], cwd=tmp_path, check=True, env=environment)
    subprocess.run([CLI, "component", module, "-o", component], check=True)
    assert run_program(component, "one") == 0
    assert run_program(component) == 1
