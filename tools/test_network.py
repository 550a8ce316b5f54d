"""Go programs with the standard library's own network, on WebAssembly: the tests of conformance/network, and a busy server."""

from __future__ import annotations

import concurrent.futures
import contextlib
import datetime
import functools
import json
import re
import resource
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import go
import pytest
import servers
import undergo
from project import CLI, ROOT, environment

NETWORK = ROOT / "conformance" / "network"
GO = go.find()
ENV = environment(GO) | {"GOWORK": "off"}
WASM = {"GOOS": "wasip1", "GOARCH": "wasm"}
CLIENTS = 1_000

# Each client and each connection of the server is a descriptor, and 1024 is what some systems begin
# with.
SOFT, HARD = resource.getrlimit(resource.RLIMIT_NOFILE)
MANY = 8 * CLIENTS if HARD == resource.RLIM_INFINITY else min(HARD, 8 * CLIENTS)
resource.setrlimit(resource.RLIMIT_NOFILE, (max(SOFT, MANY), HARD))


def go_tests(package: str) -> list[str]:
    """Name the tests of a package."""
    sources = "".join(path.read_text(encoding="utf-8") for path in sorted((NETWORK / package).glob("*_test.go")))
    return re.findall(r"^func (Test\w+)\(", sources, re.MULTILINE)


@functools.cache
def outcomes(package: str, rules: tuple[str, ...], *arguments: str) -> dict[str, tuple[str, str]]:
    """Run the tests of a package, and give for each what became of it, and what it said."""
    overlay = run([CLI, "overlay", NETWORK]).strip()
    runner = " ".join([f"{CLI} exec", *(f"--net {rule}" for rule in rules)])
    command: list[str | Path] = [GO, "test", "-json", "-count=1", "-timeout=5m", "-overlay", overlay, "-exec", runner, f"./{package}"]
    done = subprocess.run([*command, "-args", *arguments], cwd=NETWORK, env=ENV | WASM, capture_output=True, text=True, timeout=600)
    said: dict[str, str] = {}
    became: dict[str, str] = {}
    for line in done.stdout.splitlines():
        event = json.loads(line)
        test = event.get("Test", "").partition("/")[0]
        if event["Action"] == "output":
            said[test] = said.get(test, "") + event["Output"]
        elif event["Action"] in ("pass", "fail", "skip") and event.get("Test") == test:
            became[test] = event["Action"]
    assert became, done.stdout + done.stderr
    return {test: (action, said.get(test, "") + (said.get("", "") if action == "fail" else "")) for test, action in became.items()}


def run(command: list[str | Path], cwd: Path = NETWORK, **env: str) -> str:
    """Run a command, which must succeed, and give what it printed."""
    done = subprocess.run(command, cwd=cwd, env=ENV | env, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def check(outcome: tuple[str, str] | None) -> None:
    """Pass on what became of a Go test."""
    assert outcome, "it was not run: the ones before it ended the program"
    action, said = outcome
    if action == "skip":
        pytest.skip(said.strip())
    assert action == "pass", said


@pytest.fixture(scope="module")
def folder() -> Iterator[str]:
    """Give an empty folder whose path is short enough for that of a socket."""
    with tempfile.TemporaryDirectory(prefix="undergo-", dir="/tmp") as path:
        yield path


@pytest.mark.parametrize("test", [test for test in go_tests("plain") if test != "TestDenied"])
def test_plain(test: str, folder: str) -> None:
    sockets = [f"{action}=unix:{folder}/{name}" for name in ("one", "two") for action in ("listen", "connect")]
    check(outcomes("plain", ("any", *sockets), f"-folder={folder}").get(test))


def test_denials_are_errors_of_go() -> None:
    check(outcomes("plain", ("connect=127.0.0.1:1",), "-test.run=Denied", "-denied").get("TestDenied"))


@pytest.fixture(scope="module")
def database_flags() -> Iterator[tuple[str, ...]]:
    """Give the flags that name the servers that there are."""

    def place(stack: contextlib.ExitStack) -> Path:
        return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="undergo-", dir="/tmp")))

    with contextlib.ExitStack() as stack:
        flags = []
        if servers.find("initdb", servers.POSTGRES):
            flags.append(f"-postgres={stack.enter_context(servers.postgres(place(stack)))}")
        if servers.find("redis-server"):
            flags.append(f"-redis={stack.enter_context(servers.redis(place(stack)))}")
        yield tuple(flags)


@pytest.mark.parametrize("test", go_tests("databases"))
def test_databases(test: str, database_flags: tuple[str, ...]) -> None:
    server = "postgres" if "Postgres" in test else "redis"
    if not any(flag.startswith(f"-{server}=") for flag in database_flags):
        pytest.skip(f"{server} is not there: install Debian's packages postgresql and redis-server")
    check(outcomes("databases", ("connect=127.0.0.1:*",), *database_flags).get(test))


@contextlib.contextmanager
def server(command: list[str | Path], last: str = "", *, on_stderr: bool = False) -> Iterator[str]:
    """Run the server, and give its URL; it must end by itself when it is asked to, and print the text then."""
    process = subprocess.Popen(command, env=ENV, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        stream = process.stderr if on_stderr else process.stdout
        assert stream
        address = stream.readline().strip()
        if not re.fullmatch(r"[\d.]+:\d+", address):
            raise AssertionError(address + "".join(process.communicate()))
        yield f"http://{address}"
        output, errors = process.communicate(timeout=60)
        assert (process.returncode, output, errors) == (0, last, "")
    finally:
        process.kill()
        process.wait()


def ask(url: str, body: bytes | None = None) -> str:
    """Send a request, and give the answer."""
    with urllib.request.urlopen(url, data=body, timeout=60) as answer:
        text: bytes = answer.read()
    return text.decode()


def ask_much(url: str, folder: Path) -> None:
    """Ask a server for much at once, of which nothing may be lost, and then to stop."""
    load = folder / "load"
    run([GO, "build", "-o", load, "./load"])
    body = bytes(range(256)) * 4096
    with urllib.request.urlopen(f"{url}/echo", data=body, timeout=60) as answer:
        assert answer.read() == body
    said: dict[str, Any] = json.loads(run([load, "-url", url, "-clients", str(CLIENTS), "-requests", str(10 * CLIENTS)]))
    assert (said["lost"], said["why"], said["requests"]) == (0, None, 10 * CLIENTS)
    assert ask(f"{url}/stop", b"") == f"{10 * CLIENTS + 1}\n"


def test_a_server_loses_no_request(tmp_path: Path) -> None:
    wasm = tmp_path / "server.wasm"
    run([CLI, "build", "--net", "--command", NETWORK / "server", "-o", wasm])
    with server([CLI, "run", "--net", "listen=127.0.0.1:0", "--descriptors", "4096", wasm]) as url:
        ask_much(url, tmp_path)


def test_a_server_in_a_plugin_loses_no_request(tmp_path: Path) -> None:
    wasm = tmp_path / "plugin.wasm"
    run([CLI, "build", "--net", NETWORK / "plugin", "-o", wasm])
    command: list[str | Path] = [CLI, "call", "--net", "listen=127.0.0.1:0", "--descriptors", "4096", wasm, "Serve", "127.0.0.1:0"]
    # What a plugin prints is not the result.
    with server(command, f"{10 * CLIENTS + 1}\n", on_stderr=True) as url:
        ask_much(url, tmp_path)


@pytest.mark.parametrize("turn", ["poll", "rest"])
def test_a_server_in_a_plugin_answers_between_calls(turn: str, tmp_path: Path) -> None:
    wasm = tmp_path / "plugin.wasm"
    run([CLI, "build", "--net", NETWORK / "plugin", "-o", wasm])
    plugin = undergo.load(wasm, sandbox=undergo.Sandbox(network="listen=127.0.0.1:0"))
    url = f"http://{plugin.start('127.0.0.1:0')}"

    def wait(*paths: str, body: bytes | None = None) -> list[str]:
        """Ask for all of these at once, and give the plugin turns until there are answers."""
        with concurrent.futures.ThreadPoolExecutor(len(paths)) as threads:
            asked = [threads.submit(ask, url + path, body) for path in paths]
            while not all(one.done() for one in asked):
                plugin.poll() if turn == "poll" else plugin.rest(datetime.timedelta(milliseconds=1))
            return [one.result() for one in asked]

    assert wait("/hello/Ada") == ["hello Ada\n"]
    # In between it is called as any plugin is.
    assert plugin.ended() is None
    names = [f"/hello/{number}" for number in range(20)]
    assert wait(*names) == [f"hello {number}\n" for number in range(20)]
    # Without a turn there is no answer.
    with pytest.raises(TimeoutError):
        urllib.request.urlopen(f"{url}/hello/nobody", timeout=0.2)
    assert wait("/stop", body=b"") in (["21\n"], ["22\n"])
    end = time.monotonic() + 60
    while plugin.ended() is None and time.monotonic() < end:
        plugin.poll() if turn == "poll" else plugin.rest(datetime.timedelta(milliseconds=1))
    assert plugin.ended() in (21, 22)


def test_a_plugin_uses_the_network(tmp_path: Path) -> None:
    wasm = tmp_path / "plugin.wasm"
    run([CLI, "build", "--net", NETWORK / "plugin", "-o", wasm])
    assert "it opens sockets" in run([CLI, "inspect", wasm])
    native = tmp_path / "server"
    run([GO, "build", "-o", native, "./server"])
    with server([native]) as url:
        host, port = url.removeprefix("http://").split(":")
        fetch: list[str | Path] = [wasm, "Get", f"{url}/hello/Ada"]
        assert run([CLI, "call", "--net", f"connect={host}:{port}", "--raw", *fetch]) == "hello Ada\n"
        denied = subprocess.run([CLI, "call", "--net", "connect=127.0.0.1:1", *fetch], env=ENV, capture_output=True, text=True, timeout=60)
        assert denied.returncode == 1
        assert f"dial tcp {host}:{port}: connect: Permission denied" in denied.stderr
        assert ask(f"{url}/stop", b"") == "1\n"
    assert run([CLI, "call", "--net", "any", "--timeout", "60s", "--descriptors", "1000", wasm, "Exchange", "200"]) == "200\n"


def test_a_server_takes_a_listener_of_its_host(tmp_path: Path) -> None:
    wasm = tmp_path / "server.wasm"
    run([CLI, "build", "--net", "--command", NETWORK / "server", "-o", wasm])
    with server([CLI, "run", "--listener", "127.0.0.1:0", wasm, "-fd", "3"]) as url:
        assert not url.endswith(":0")
        assert [ask(f"{url}/hello/{name}") for name in ("Ada", "Grace")] == ["hello Ada\n", "hello Grace\n"]
        assert ask(f"{url}/stop", b"") == "2\n"


def test_what_is_not_allowed_is_denied(tmp_path: Path) -> None:
    wasm = tmp_path / "server.wasm"
    run([CLI, "build", "--net", "--command", NETWORK / "server", "-o", wasm])
    done = subprocess.run([CLI, "run", wasm], env=ENV, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "listen tcp 127.0.0.1:0: " in done.stderr
    assert "Permission denied" in done.stderr
