"""Servers of HTTP. What they do for clients that mean no good is tested in core/tests/http."""

from __future__ import annotations

import contextlib
import gc
import http.client
import logging
import socket
import threading
from collections.abc import Iterator

import pytest
import undergo
from conftest import ROOT, until

PATH = ROOT / "conformance" / "http" / "server.wasm"
ASKING = ROOT / "conformance" / "http" / "asking.wasm"
"""It answers `/aX` with the status that a function of the host gives for the character X."""
QUIET = undergo.Sandbox(stdout="discard", stderr="discard")


@pytest.fixture(scope="module")
def plugin() -> undergo.Plugin:
    return undergo.Plugin(PATH)


@pytest.fixture
def server(plugin: undergo.Plugin) -> Iterator[undergo.Server]:
    with plugin.serve("127.0.0.1:0", instances=2, sandbox=QUIET, limits=undergo.Limits(timeout=0.5)) as server:
        yield server


def get(server: undergo.Server, path: str, body: bytes | None = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(server.address, timeout=30)
    try:
        connection.request("GET" if body is None else "POST", path, body)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_requests_are_answered(server: undergo.Server, plugin: undergo.Plugin) -> None:
    assert get(server, "/") == (200, b"hello\n")
    body = bytes(range(256)) * 1000
    assert get(server, "/x", body) == (200, body)
    stats = server.stats
    assert (stats.requests, stats.refused, stats.failed, stats.pool.died) == (2, 0, 0, 0)
    assert server.plugin is plugin
    assert repr(server) == f"<undergo.Server at {server.address}>"


def test_many_threads_are_answered(server: undergo.Server) -> None:
    found: list[tuple[int, bytes]] = []
    threads = [threading.Thread(target=lambda: found.extend(get(server, "/") for _ in range(20))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [(200, b"hello\n")] * 160


def test_a_request_that_fails_is_logged(server: undergo.Server, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "undergo.serve"):
        assert get(server, "/trap")[0] == 500
        assert get(server, "/spin")[0] == 504
        assert get(server, "/") == (200, b"hello\n")
    assert ["unreachable" in caplog.messages[0], "timeout" in caplog.messages[1], len(caplog.messages)] == [True, True, 2]
    assert server.stats.failed == 2


def test_the_sandbox_has_rules_for_its_requests(plugin: undergo.Plugin, server: undergo.Server) -> None:
    assert get(server, f"/proxy?{server.address}") == (502, b"P")
    sandbox = undergo.Sandbox(network=["127.0.0.1:*"], stdout="discard", stderr="discard")
    with plugin.serve("127.0.0.1:0", instances=1, sandbox=sandbox) as allowed:
        assert get(allowed, f"/proxy?{server.address}") == (200, b"hello\n")


def test_it_ends(plugin: undergo.Plugin) -> None:
    server = plugin.serve("127.0.0.1:0", sandbox=QUIET)
    host, port = server.address.split(":")
    assert not server.closed
    server.close(timeout=5)
    server.close()
    assert server.closed
    with pytest.raises(ConnectionError):
        socket.create_connection((host, int(port)), timeout=5).close()
    # One that nobody has any more ends as well.
    server = plugin.serve("127.0.0.1:0", sandbox=QUIET)
    address = server.address
    del server
    gc.collect()

    def is_gone() -> bool:
        try:
            socket.create_connection(("127.0.0.1", int(address.split(":")[1])), timeout=5).close()
        except OSError:
            return True
        return False

    until(is_gone)


def test_functions_of_the_host_hold_up_their_own_request_alone() -> None:
    plugin, inside, go_on = undergo.Plugin(ASKING), threading.Semaphore(0), threading.Event()
    closed: list[str] = []

    def ask(what: int) -> int:
        if chr(what) == "w":
            inside.release()
            go_on.wait(30)
        if chr(what) == "c":
            try:
                server.close()
            except undergo.BusyError as error:
                closed.append(error.message)
        return 203

    server = plugin.serve("127.0.0.1:0", instances=40, imports={"test:host/ask": {"ask": ask}}, sandbox=QUIET)
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(get(server, "/aw")[0])) for _ in range(30)]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert inside.acquire(timeout=30)
    assert (get(server, "/")[0], get(server, "/a1")[0], found) == (200, 203, [])
    # A request that ends its server does not wait for itself, but for nothing.
    assert get(server, "/ac")[0] == 203
    assert server.closed
    assert "can't be waited for" in closed[0]
    go_on.set()
    server.close(timeout=20)
    for thread in threads:
        thread.join()
    assert found == [203] * 30


def test_what_runs_too_long_is_ended(plugin: undergo.Plugin) -> None:
    server = plugin.serve("127.0.0.1:0", instances=1, sandbox=QUIET)

    def spin() -> None:
        with contextlib.suppress(http.client.HTTPException, OSError):
            get(server, "/spin")

    thread = threading.Thread(target=spin)
    thread.start()
    until(lambda: server.stats.pool.busy == 1)
    with pytest.raises(undergo.TimeoutError, match="still running"):
        server.close(timeout=0.05)
    thread.join()


def test_wrong_options_are_refused(plugin: undergo.Plugin) -> None:
    with pytest.raises(undergo.TypeMismatchError, match="no address"):
        plugin.serve("localhost")
    with pytest.raises(ValueError, match="instances"):
        plugin.serve("127.0.0.1:0", instances=0)
    with pytest.raises(undergo.InvalidPluginError, match="incoming-handler"):
        plugin.instantiate()
    with plugin.serve("127.0.0.1:0") as server, pytest.raises(undergo.DeniedError):
        plugin.serve(server.address)
