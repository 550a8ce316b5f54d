"""Components of other languages are plugins, and ours run in the Wasmtime CLI: `make test-components` runs it.

What has to be installed for a language, and can't be, is said, and its tests are skipped.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import foreign
import go
import pytest
import undergo
from project import CLI, environment
from test_components import MAIN, PLUGIN

DIRECTORY = "test:greeter/directory"
"""What the components import."""

ENV = environment(go.find())
MEMORY = 256 << 20
OWN = {"python": {"init"}}
"""What a language's tool exports beside the world: by that, componentize-py has started Python before it wrote the component."""

MISTAKES = {"python": "IndexError", "javascript": "there is no number", "rust": "index out of bounds", "c": "there is no number"}
"""What is on the standard error, by language, of a component that ends by a mistake."""

HOSTS = ["python", "java", "rust"]
"""Languages that bindgen writes for, of which each has other words of its own."""


class Directory:
    """The host's side."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def lookup(self, name: str) -> list[str]:
        """Give somebody's friends."""
        self.asked.append(name)
        if name == "Eve":
            raise LookupError("nobody is called Eve")
        return [f"{name}'s friend", ""]


@pytest.fixture(scope="module", params=list(foreign.LANGUAGES))
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def component(language: str) -> Path:
    """Build the component of a language."""
    try:
        return foreign.component(language)
    except foreign.LackingError as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="module")
def plugin(language: str, component: Path) -> undergo.Plugin:
    return undergo.Plugin(component, bounds=foreign.BOUNDS.get(language))


@pytest.fixture
def directory() -> Directory:
    return Directory()


@pytest.fixture
def guest(plugin: undergo.Plugin, directory: Directory) -> Any:
    """Make an instance."""
    return plugin.instantiate(imports={DIRECTORY: directory}, limits=undergo.Limits(memory=MEMORY, timeout=60))


def person(name: str, **fields: object) -> dict[str, object]:
    return {"name": name, "email": None, "tags": ["dear", "ü"], **fields}


def test_its_interface_is_that_of_the_world(language: str, plugin: undergo.Plugin) -> None:
    assert set(plugin.exports) == {"greet", "turn", "areas", "names", "first", "press"} | OWN.get(language, set())
    assert list(plugin.imports[DIRECTORY]) == ["lookup"]


def test_records_options_and_imports(guest: Any, directory: Directory) -> None:
    assert guest.greet(person("Ada ✓")) == "Hello Ada ✓: dear, ü, Ada ✓'s friend, "
    assert guest.greet(person("Bob", email="b@c", tags=[])) == "Hello Bob <b@c>: Bob's friend, "
    assert directory.asked == ["Ada ✓", "Bob"]


def test_errors_are_answers(guest: Any) -> None:
    with pytest.raises(undergo.GuestError, match="nobody to greet"):
        guest.greet(person(""))
    with pytest.raises(undergo.GuestError, match="nobody is called Eve"):
        guest.greet(person("Eve"))
    assert guest.alive


def test_lists_and_variants(guest: Any) -> None:
    assert list(guest.turn([1.0, 2.5, -0.5])) == [-0.5, 2.5, 1.0]
    assert list(guest.turn([])) == []
    types = guest.plugin.types
    assert guest.areas([types.Circle(2.0), types.Label("ü"), types.Empty()]) == [12.0, None, None]


def test_results_within_values(guest: Any) -> None:
    types = guest.plugin.types
    assert guest.names([person("Ada"), person("", email="b@c"), person("ü")]) == [types.Ok("Ada"), types.Err(1), types.Ok("ü")]
    assert guest.names([]) == []


def test_a_mistake_ends_the_instance(language: str, guest: Any) -> None:
    assert guest.first([2.5, 1.0]) == 2.5
    with pytest.raises(undergo.TrapError) as ended:
        guest.first([])
    assert MISTAKES[language] in ended.value.stderr
    assert not guest.alive
    with pytest.raises(undergo.DeadInstanceError):
        guest.first([2.5])
    guest.reset()
    assert guest.first([2.5]) == 2.5


def test_a_failing_host_function_ends_no_more_than_the_call(plugin: undergo.Plugin) -> None:
    class Broken:
        def lookup(self, name: str) -> int:
            return len(name)

    guest = plugin.instantiate(imports={DIRECTORY: Broken()})
    with pytest.raises(undergo.TypeMismatchError, match="lookup"):
        guest.greet(person("Ada"))


def test_arguments_survive_garbage(guest: Any) -> None:
    for size in (0, 1, 10_000, 300_000):
        assert guest.press(30, bytes([7]) * size) == 7 * size
    for _ in range(20):
        assert guest.greet(person("Ada", tags=["x" * 1000] * 20)).count("x") == 20_000


def test_wrong_arguments_are_refused(guest: Any) -> None:
    with pytest.raises(undergo.TypeMismatchError, match="email"):
        guest.greet(person("Ada", email=3))
    assert guest.alive


def test_time_is_limited(plugin: undergo.Plugin, directory: Directory) -> None:
    guest = plugin.instantiate(imports={DIRECTORY: directory}, limits=undergo.Limits(timeout=0.3))
    with pytest.raises(undergo.TimeoutError):
        guest.press(4_000_000_000, b"x")
    assert not guest.alive


def test_memory_is_limited(plugin: undergo.Plugin, directory: Directory) -> None:
    guest = plugin.instantiate(imports={DIRECTORY: directory}, limits=undergo.Limits(memory="64MB"))
    with pytest.raises((undergo.TrapError, undergo.OutOfMemoryError)):
        guest.press(10, bytes(60_000_000))
    assert not guest.alive


def test_a_pool_of_them(plugin: undergo.Plugin, directory: Directory) -> None:
    with plugin.pool(2, imports={DIRECTORY: directory}) as pool:
        for _ in range(20):
            assert list(pool.turn([1.0, 2.0])) == [2.0, 1.0]


def test_the_command_line_calls_it(language: str, component: Path) -> None:
    friends = f'{DIRECTORY}.lookup=["Charles"]'
    bounds = str(foreign.BOUNDS.get(language, 1))
    call: list[str | Path] = [CLI, "call", component, "greet", json.dumps(person("Ada")), "--import", friends, "--bounds", bounds]
    done = subprocess.run(call, env=ENV, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == "Hello Ada: dear, ü, Charles"


@pytest.mark.parametrize("host", HOSTS)
def test_bindings_for_it_are_written(host: str, language: str, component: Path, tmp_path: Path) -> None:
    written, bounds = tmp_path / "Bindings", str(foreign.BOUNDS.get(language, 1))
    command: list[str | Path] = [CLI, "bindgen", component, "--lang", host, "--bounds", bounds, "-o", written]
    done = subprocess.run(command, env=ENV, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    assert written.exists()


@pytest.fixture(scope="module")
def wasmtime() -> Path:
    """Find the Wasmtime CLI, or install it."""
    try:
        return foreign.wasmtime()
    except foreign.LackingError as reason:
        pytest.skip(str(reason))


def invoked(wasmtime: Path, component: Path, call: str) -> str:
    """Call a function in a process of its own; what is printed is its result in the notation of values, which is near to JSON."""
    command: list[str | Path] = [wasmtime, "run", "--env", "COLOR=blue", "--invoke", call, component]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return str(done.stdout).strip()


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the plugin of tools/component without its import, which the Wasmtime CLI can't give it."""
    folder = tmp_path_factory.mktemp("ours")
    shutil.copy2(PLUGIN / "go.mod", folder)
    before, _, rest = (PLUGIN / "main.go").read_text().replace('\t"fmt"\n', "").partition("// Lookup asks the host.")
    (folder / "main.go").write_text(before + rest[rest.index("// Environment is") :])
    made = folder / "component.wasm"
    subprocess.run([CLI, "build", folder, "--component", "-o", made], check=True, env=ENV)
    return made


def test_the_wasmtime_cli_calls_our_component(wasmtime: Path, ours: Path) -> None:
    assert invoked(wasmtime, ours, 'greet("Ada ✓")') == '"hello Ada ✓"'
    assert invoked(wasmtime, ours, "turn([1, 2.5, 3])") == "[3, 2.5, 1]"
    assert invoked(wasmtime, ours, "areas([circle({radius: 2}), square({side: 3})])") == "[12, 9]"
    assert invoked(wasmtime, ours, 'total([("a", 1), ("b", 2)])') == "3"
    assert invoked(wasmtime, ours, 'environment("COLOR")') == '"blue"'


@pytest.mark.parametrize("number", [0, 5, 11, 55])
def test_the_wasmtime_cli_places_arguments_while_the_collector_works(wasmtime: Path, ours: Path, number: int) -> None:
    text, data, words = "b" * 100_000, [3] * 5_000, ["c" * 50] * 40
    call = f"press({number}, {data}, {json.dumps(text)}, {json.dumps(words)})"
    assert invoked(wasmtime, ours, call) == f"ok({len(text) + sum(data) + len(words)})"


def test_the_wasmtime_cli_runs_our_programs(wasmtime: Path, tmp_path: Path) -> None:
    (tmp_path / "go.mod").write_text("module program\n\ngo 1.24\n")
    (tmp_path / "main.go").write_text(MAIN)
    component = tmp_path / "program.wasm"
    subprocess.run([CLI, "build", "--command", "--component", tmp_path, "-o", component], check=True, env=dict(os.environ, **ENV))
    assert subprocess.run([wasmtime, "run", component, "one"], timeout=600).returncode == 0
    assert subprocess.run([wasmtime, "run", component], timeout=600).returncode == 1
