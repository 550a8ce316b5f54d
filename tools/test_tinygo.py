"""Plugins that TinyGo has made, as they are: the modules for Go that carry them were written for other hosts.

Their functions take and give numbers; texts are addresses and lengths. Most were built before TinyGo
had `-buildmode=c-shared`, so they are commands whose functions are called after `main`.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import go
import go_modules
import pytest
import undergo
from project import CLI, ROOT, environment

CASE = "internal/integration_test/bench/testdata/case.wasm"
GO = go.find()
ENV = environment(GO)
ASYNCIFY = "asyncify_start_unwind"
"""What a module exports whose goroutines are switched by Binaryen's pass of this name."""


def extism(name: str) -> Path:
    return go_modules.folder(go_modules.EXTISM) / "wasm" / f"{name}.wasm"


class Kernel:
    """The functions that plugins for Extism import: a memory beside the plugin's own, of which both copy words and bytes."""

    def __init__(self, **config: str) -> None:
        self.memory = bytearray(1 << 16)
        self.blocks: dict[int, int] = {}
        self.next = 8
        self.config = config
        self.variables: dict[str, bytes] = {}
        self.input = self.output = b""
        self.told: list[tuple[str, str]] = []

    def imports(self) -> dict[str, Callable[..., object]]:
        """Give the functions by their names."""
        names = "alloc free length load_u8 load_u64 store_u8 store_u64 input_length input_load_u8 input_load_u64 output_set config_get"
        functions: dict[str, Callable[..., object]] = {name: getattr(self, f"_{name}") for name in f"{names} var_get var_set".split()}
        for level in ("trace", "debug", "info", "warn", "error"):
            functions[f"log_{level}"] = lambda at, level=level: self.told.append((level, self.text(at)))
        return functions | {"get_log_level": lambda: 0}

    def block(self, contents: bytes) -> int:
        """Give the address of a new block with these contents."""
        at = self._alloc(len(contents))
        self.memory[at : at + len(contents)] = contents
        return at

    def contents(self, at: int) -> bytes:
        """Give what is in a block."""
        return bytes(self.memory[at : at + self.blocks[at]])

    def text(self, at: int) -> str:
        """Give the text in a block."""
        return self.contents(at).decode()

    def _alloc(self, size: int) -> int:
        at, self.next = self.next, self.next + size + 8
        self.blocks[at] = size
        return at

    def _free(self, at: int) -> None:
        del self.blocks[at]

    def _length(self, at: int) -> int:
        return self.blocks.get(at, 0)

    def _load_u8(self, at: int) -> int:
        return self.memory[at]

    def _load_u64(self, at: int) -> int:
        return int.from_bytes(self.memory[at : at + 8], "little")

    def _store_u8(self, at: int, byte: int) -> None:
        self.memory[at] = byte & 0xFF

    def _store_u64(self, at: int, word: int) -> None:
        self.memory[at : at + 8] = (word & (1 << 64) - 1).to_bytes(8, "little")

    def _input_length(self) -> int:
        return len(self.input)

    def _input_load_u8(self, at: int) -> int:
        return self.input[at]

    def _input_load_u64(self, at: int) -> int:
        return int.from_bytes(self.input[at : at + 8], "little")

    def _output_set(self, at: int, size: int) -> None:
        self.output = bytes(self.memory[at : at + size])

    def _config_get(self, key: int) -> int:
        value = self.config.get(self.text(key))
        return 0 if value is None else self.block(value.encode())

    def _var_get(self, key: int) -> int:
        value = self.variables.get(self.text(key))
        return 0 if value is None else self.block(value)

    def _var_set(self, key: int, value: int) -> None:
        self.variables[self.text(key)] = self.contents(value)


def load(
    name: str,
    kernel: Kernel,
    *,
    dirs: dict[str, Path] | None = None,
    timeout: float | None = None,
    **more: Mapping[str, Callable[..., object]],
) -> undergo.Instance:
    """Start a plugin for Extism; `more` is what it imports besides, by the modules' names."""
    plugin = undergo.Plugin(extism(name))
    wanted = plugin.imports.get("extism:host/env", {})
    functions = {name: function for name, function in kernel.imports().items() if name in wanted}
    imports: dict[str, Mapping[str, Callable[..., object]]] = {"extism:host/env": functions} if functions else {}
    imports |= {module.replace("extism__host__", "extism:host/"): given for module, given in more.items()}
    return plugin.instantiate(imports=imports, sandbox=undergo.Sandbox(dirs=dirs or {}), limits=undergo.Limits(timeout=timeout))


def test_a_host_function_calls_the_guest_that_calls_it() -> None:
    given: list[int] = []

    def get_random_string(address: int, size: int) -> None:
        text = b"random text of the host"
        at = guest.allocate_buffer(len(text))
        guest.memory.write(at, text)
        guest.memory.write(address, at.to_bytes(4, "little"))
        guest.memory.write(size, len(text).to_bytes(4, "little"))
        given.append(at)

    plugin = undergo.Plugin(go_modules.folder(go_modules.WAZERO) / CASE)
    assert plugin.kind == "command"
    guest = plugin.instantiate(imports={"env": {"get_random_string": get_random_string}})
    guest.base64(3)
    assert len(given) == 3
    assert guest.fibonacci(20) == 6765
    guest.string_manipulation(100)
    guest.reverse_array(1000)
    guest.random_mat_mul(20)
    # Its collector works.
    before = guest.memory.size
    for _ in range(200):
        guest.reverse_array(100_000)
    assert guest.memory.size <= before + (16 << 20)


def test_texts_by_a_memory_of_the_host() -> None:
    kernel = Kernel()
    guest = load("replace", kernel)
    for given in (b"", b"Hello, benjamin", b"x" * 1000):
        kernel.input = given
        assert guest.run_test() == 0
        assert len(kernel.output) >= len(given)
    assert guest.plugin.exports.keys() >= {"run_test", ASYNCIFY}


def test_configuration_variables_and_logs() -> None:
    kernel = Kernel(thing="the value")
    assert load("config", kernel).run_test() == 0
    assert b"the value" in kernel.output
    kernel.variables["a"] = (10).to_bytes(4, "little")
    counter = load("var", kernel)
    for expected in (20, 40):
        counter.run_test()
        assert int.from_bytes(kernel.variables["a"], "little") == expected
    load("log", kernel).run_test()
    assert [level for level, _ in kernel.told] == ["trace", "debug", "info", "warn", "error"]


def test_functions_of_the_host() -> None:
    kernel = Kernel()
    guest = load("host", kernel, extism__host__user={"mult": lambda a, b: a * b})
    guest.run_test()
    assert kernel.output == b"42 x 2 = 84"

    def upper(at: int) -> int:
        text = kernel.contents(at)
        return kernel.block(text.upper())

    kernel.input = b"Frodo"
    load("host_memory", kernel, host={"to_upper": upper}).run_test()
    assert kernel.output == b"HELLO FRODO!"

    def message(colour: str) -> Callable[[int], int]:
        return lambda at: kernel.block(f"{colour}: {kernel.text(at)}".encode())

    colours = {"hostGreenMessage": message("green"), "hostPurpleMessage": message("purple")}
    guest = load("host_multiple", kernel, extism__host__user=colours)
    guest.say_green()
    assert kernel.output == "green: \N{RIGHTWARDS HAND} Hey from say_green Frodo".encode()
    guest.say_purple()
    assert kernel.output.startswith(b"purple: ")


def test_files(tmp_path: Path) -> None:
    (tmp_path / "test.txt").write_text("hello world!")
    kernel = Kernel()
    plugin = undergo.Plugin(extism("fs"))
    # It has `_initialize` too, which wins: it is a plugin, and its main does not run.
    assert plugin.kind == "reactor"
    load("fs", kernel, dirs={"/mnt": tmp_path}).run_test()
    assert kernel.output == b"hello world!"


def test_a_plugin_that_computes_is_ended_by_its_deadline() -> None:
    # Built without a way to sleep, it looks at the clock until three seconds have gone.
    guest = load("sleep", Kernel(duration="3"), timeout=0.2)
    start = time.monotonic()
    with pytest.raises(undergo.TimeoutError):
        guest.run_test()
    assert time.monotonic() - start < 2.5
    with pytest.raises(undergo.DeadInstanceError):
        guest.run_test()
    guest.reset()
    kernel = Kernel(duration="0")
    assert load("sleep", kernel).run_test() == 0
    assert kernel.output


def test_a_pool_runs_main_in_each_instance() -> None:
    plugin = undergo.Plugin(extism("noop"))
    with plugin.pool(2) as pool:
        assert [pool.run_test() for _ in range(4)] == [0] * 4


def test_awaited_calls() -> None:
    async def main() -> object:
        guest = await undergo.Plugin(extism("noop")).instantiate_async()
        return await guest.run_test()

    assert asyncio.run(main()) == 0


def test_what_is_only_a_program_is_no_plugin() -> None:
    for program in (extism("exit"), go_modules.folder(go_modules.DAPR) / "common/wasm/testdata/args/main.wasm"):
        with pytest.raises(undergo.InvalidPluginError, match="is a command"):
            undergo.Plugin(program).instantiate()


def test_a_program_that_sleeps() -> None:
    program = go_modules.folder(go_modules.DAPR) / "common/wasm/testdata/strict/main.wasm"
    start = time.monotonic()
    done = subprocess.run([CLI, "run", program], env=ENV, capture_output=True, text=True, timeout=60)
    # TinyGo's print goes to the standard output.
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert time.monotonic() - start >= 0.05
    lines = done.stdout.split()
    assert len(lines) == 3
    assert len(bytes.fromhex(lines[-1])) == 5


@pytest.mark.parametrize("name", ["noop", "replace", "lib"])
def test_a_module_says_what_it_is(name: str) -> None:
    shown = subprocess.run([CLI, "inspect", "--json", extism(name)], env=ENV, capture_output=True, text=True, timeout=60, check=True)
    said = json.loads(shown.stdout)
    assert (said["kind"], said["callable"], said["go"], said["world"]) == ("command", True, None, None)
    subprocess.run([CLI, "inspect", "--check", extism(name)], env=ENV, timeout=60, check=True)


@pytest.mark.skipif(shutil.which("tinygo") is None, reason="tinygo is not on PATH, so the SDK's glue was not compiled with it")
def test_the_glue_is_compiled_by_tinygo(tmp_path: Path) -> None:
    folder = tmp_path / "greeter"
    shutil.copytree(ROOT / "examples" / "greeter" / "plugin", folder)
    sdk = "github.com/undergo-dev/undergo/go-guest-sdk"

    def run(*command: str | Path) -> None:
        done = subprocess.run(command, cwd=folder, env=ENV | {"GOWORK": "off"}, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stdout + done.stderr

    run(GO, "mod", "edit", f"-require={sdk}@v0.0.0", f"-replace={sdk}={ROOT / 'go-guest-sdk'}")
    run(GO, "run", f"{sdk}/cmd/undergo-gen")
    run("tinygo", "build", "-target=wasip1", "-buildmode=c-shared", "-o", tmp_path / "tinygo.wasm", ".")
    subprocess.run([CLI, "build", ROOT / "examples" / "greeter" / "plugin", "-o", tmp_path / "go.wasm"], env=ENV, check=True, timeout=600)
    made, expected = undergo.Plugin(tmp_path / "tinygo.wasm"), undergo.Plugin(tmp_path / "go.wasm")
    assert made.imports == expected.imports
    assert made.exports.items() >= expected.exports.items()


def test_a_plugin_that_calls_a_plugin() -> None:
    kernel = Kernel()
    library = load("lib", kernel)
    guest = load("main", kernel, lib={"capitalize": library.capitalize})
    kernel.input = b"benjamin"
    assert guest.run_test() == 0
    assert kernel.output == b"Hello, BENJAMIN"
