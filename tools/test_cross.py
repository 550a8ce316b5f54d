"""The packages of other platforms than this machine's, as far as they run here; platforms.py builds them, and makes a table of these tests.

The first word of a test's name is its column in that table.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tarfile
import zipfile
from pathlib import Path

import cases
import cross
import go
import native
import npm
import pytest
import versions
from cross import ARM, MUSL, WINDOWS, Platform
from project import BUILD, CLI, COMMAND, ROOT, environment
from runtimes import PROBES, Runtime
from systems import Arm, Musl, System, Wine

GREETER = ROOT / "examples" / "greeter"
SYSTEMS: dict[str, System] = {MUSL.target: Musl(), ARM.target: Arm(), WINDOWS.target: Wine()}
LONGEST = 3600
"""Seconds for a list of cases: an emulator is slow."""

LISTS = {"conformance": 500, "hostile": 20, "command": 20}
"""The lists that hosts run, with a number of tests below which one has not been run."""


@pytest.fixture(params=cross.BUILT, ids=lambda platform: platform.target, scope="module")
def platform(request: pytest.FixtureRequest) -> Platform:
    found: Platform = request.param
    if not found.packages.is_dir():
        pytest.skip(f"tools/cross.py has not built for {found.target}")
    if reason := SYSTEMS[found.target].missing():
        pytest.skip(reason)
    return found


@pytest.fixture(scope="module")
def system(platform: Platform) -> System:
    return SYSTEMS[platform.target]


@pytest.fixture(scope="module")
def tool(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpacked(platform, "undergo-0*", tmp_path_factory.mktemp("tool")) / platform.program.name


@pytest.fixture(scope="module")
def greeter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    wasm = tmp_path_factory.mktemp("greeter") / "greeter.wasm"
    subprocess.run([CLI, "build", GREETER / "plugin", "-o", wasm], env=environment(go.find()), check=True)
    return wasm


@pytest.fixture(scope="module")
def probe() -> Path:
    return versions.plugin()


@pytest.fixture(scope="module")
def cache(platform: Platform) -> Path:
    """Give the folder for compiled code; an emulated compiler takes its time."""
    return BUILD / "cache" / platform.target


def unpacked(platform: Platform, name: str, folder: Path) -> Path:
    """Unpack the archive of a platform, and give its folder."""
    (archive,) = platform.packages.glob(f"{name}.tar.gz")
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    (made,) = folder.iterdir()
    return made


def told(system: System, program: Path, *arguments: str, cache: Path, code: int = 0, cwd: Path | None = None) -> str:
    """Run the command line tool, and give what it printed: its errors, unless the code is 0."""
    env = environment() | dict(system.environment) | {"UNDERGO_CACHE_DIR": system.path(cache)}
    command = [*system.command(program), *arguments]
    done = subprocess.run(command, env=env, cwd=cwd, capture_output=True, encoding="utf-8", errors="replace", timeout=LONGEST)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stderr if code else done.stdout.replace("\r\n", "\n")


def test_packages_are_all_there(platform: Platform) -> None:
    names = sorted(file.name for file in platform.packages.iterdir())
    version = json.loads((npm.SOURCE / "package.json").read_text())["version"]
    assert f"undergo-{version}-{platform.label}.tar.gz" in names
    assert f"undergo-{platform.node}-{version}.tgz" in names
    assert "SHA256SUMS" in names
    if platform.system == "linux":
        assert f"undergo-c-{version}-{platform.label}.tar.gz" in names
    if platform.wheel:
        assert any(f"-{platform.wheel}_" in name for name in names if name.endswith(".whl"))


def test_packages_ask_for_no_later_glibc(platform: Platform) -> None:
    if platform.system != "linux":
        pytest.skip("there is no glibc")
    floor = tuple(map(int, native.FLOOR.split("."))) if platform is ARM else (0,)
    for file in (platform.program, *platform.folder.rglob("*.node"), *platform.folder.rglob("libundergo.so")):
        assert native.needed_glibc(file) <= floor, file


def test_tool_calls(tool: Path, system: System, probe: Path, cache: Path) -> None:
    assert told(system, tool, "--version", cache=cache).startswith("undergo ")
    plugin, lookup = system.path(probe), ["--import", 'host.lookup="here"']
    call = ["call", *lookup, plugin]
    assert told(system, tool, *call, "add", "20", "22", cache=cache) == "42\n"
    assert told(system, tool, *call, "ask", "Ada", cache=cache) == '"here"\n'
    assert json.loads(told(system, tool, *call, "move", '{"x": 1, "y": 2, "name": "p"}', "0.5", cache=cache)) == {
        "x": 1.5,
        "y": 2.5,
        "name": "p'",
    }


def test_limits_and_errors(tool: Path, system: System, probe: Path, cache: Path) -> None:
    plugin, call = system.path(probe), ["call", "--import", 'host.lookup="here"']
    assert "as told" in told(system, tool, *call, plugin, "fail", "as told", cache=cache, code=1)
    panic = told(system, tool, *call, plugin, "first", "[]", cache=cache, code=2)
    assert "index out of range" in panic
    assert "main.go" in panic
    assert "error[timeout]" in told(system, tool, *call, "--timeout", "5s", plugin, "spin", cache=cache, code=2)
    assert "error[out-of-memory]" in told(system, tool, *call, "--memory", "1MiB", plugin, "add", "1", "2", cache=cache, code=2)


def test_files_and_cache(tool: Path, system: System, cache: Path, tmp_path: Path) -> None:
    program = system.path(COMMAND)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "text").write_bytes("äöü €\n".encode())
    read = ["run", "--dir", "data::/data:ro", program, "read", "/data/text"]
    assert told(system, tool, *read, cache=cache, cwd=tmp_path) == "äöü €\n"
    assert any(cache.rglob("*")), "nothing was kept"
    assert told(system, tool, *read, cache=cache, cwd=tmp_path) == "äöü €\n"
    missing = ["run", "--dir", "data::/data:ro", program, "read", "/data/other"]
    assert "no such file" in told(system, tool, *missing, cache=cache, cwd=tmp_path, code=1).lower()
    outside = ["run", "--dir", "data::/data:ro", program, "read", "/data/../../x"]
    assert told(system, tool, *outside, cache=cache, cwd=tmp_path, code=1)
    assert told(system, tool, "run", "--temp", program, "temp", cache=cache) == "/tmp"
    assert "err" in told(system, tool, "run", program, "exit", "7", cache=cache, code=7)


def test_tool_for_musl_needs_nothing(platform: Platform, tool: Path) -> None:
    if platform is not MUSL:
        pytest.skip("its libc can't be linked into a program")
    assert native.is_static(tool)
    # As it is, by this machine's own system.
    assert subprocess.run([tool, "--version"], capture_output=True, text=True, check=True).stdout.startswith("undergo ")


@pytest.mark.parametrize("kind", ["static", "shared"])
def test_c(platform: Platform, system: System, greeter: Path, cache: Path, tmp_path: Path, kind: str) -> None:
    if platform.system != "linux":
        pytest.skip("there is no archive for C")
    library = unpacked(platform, "undergo-c-*", tmp_path)
    program = tmp_path / "greeter"
    linked: list[str | Path] = [library / "lib" / "libundergo.a", "-lunwind", "-lm", "-lpthread", "-ldl"]
    if kind == "shared":
        linked = [f"-L{library / 'lib'}", "-lundergo"]
        if platform is MUSL:
            linked.append("-dynamic")
    files: list[str | Path] = [GREETER / "main.c", f"-I{library / 'include'}", f"-I{GREETER}", *linked]
    subprocess.run([native.compiler(platform.zig), *files, "-o", program], check=True)
    env = environment() | dict(system.environment) | {"UNDERGO_CACHE_DIR": str(cache)}
    env["LD_LIBRARY_PATH"] = f"{library / 'lib'}:{env.get('LD_LIBRARY_PATH', '')}"
    done = subprocess.run([*system.command(program), greeter], env=env, capture_output=True, encoding="utf-8", timeout=LONGEST)
    assert done.stdout == (GREETER / "expected.txt").read_text(encoding="utf-8"), done.stderr


@pytest.mark.parametrize("name", ["node", "bun"])
def test_javascript(platform: Platform, system: System, probe: Path, cache: Path, name: str) -> None:
    if name not in system.javascript:
        pytest.skip(f"there is no {name} for it")
    program = Path(shutil.copy2(PROBES / "probe.mjs", platform.folder / "node"))
    command = [*system.javascript[name], "--expose-gc", system.path(program)]
    tries(system, Runtime(name, command), probe, cache)


def test_python(platform: Platform, system: System, probe: Path, cache: Path, tmp_path: Path) -> None:
    found = system.python
    if not platform.wheel or not found:
        pytest.skip("there is no Python for it, or no wheel")
    (wheel,) = platform.packages.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(tmp_path)
    command, home = found
    env = {"PYTHONHOME": str(home), "PYTHONPATH": str(tmp_path)}
    tries(system, Runtime("python", [*command, PROBES / "probe.py"], env), probe, cache)


def tries(system: System, runtime: Runtime, probe: Path, cache: Path) -> None:
    """Run the probe of a runtime, of which nothing may fail."""
    env = dict(system.environment) | {"UNDERGO_CACHE_DIR": system.path(cache)} | dict(runtime.env)
    results = versions.tried(Runtime(runtime.name, runtime.command, env), system.path(probe), LONGEST)
    assert {check: why for check, (said, why) in results.items() if said == "not ok"} == {}


@pytest.mark.parametrize("name", LISTS)
def test_lists(platform: Platform, system: System, cache: Path, name: str) -> None:
    register = platform.folder / "node" / "register.mjs"
    program = ROOT / "bindings-node" / "tests" / f"{name}.test.mjs"
    env = environment() | dict(system.environment) | {"UNDERGO_CACHE_DIR": system.path(cache)}
    for variable in env:
        if variable.startswith("UNDERGO_") and variable.endswith("_WASM"):
            env[variable] = system.path(Path(env[variable]))
    imported = register.as_uri() if platform.system == "linux" else f"file:///Z:{register}"
    command = [*system.javascript["node"], "--import", imported, "--test-reporter=tap", system.path(program)]
    done = subprocess.run(command, env=env, capture_output=True, encoding="utf-8", errors="replace", timeout=LONGEST)
    log = platform.folder / f"{name}.log"
    log.write_text(done.stdout + done.stderr, encoding="utf-8")
    found = cases.of_tap(done.stdout)
    print(f"{name} for {platform.target}: {found}")
    assert found.failed == 0, [case.name for case in found.all if case.outcome == "failed"]
    assert found.passed >= LISTS[name], f"exit code {done.returncode}\n{done.stderr}"
