"""A server of Go as a component, under whatever runs such components: jco in Node, and `undergo serve`.

CALLS=… presses harder on Go's collector.
"""

from __future__ import annotations

import contextlib
import http.client
import http.server
import json
import os
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import go
import pytest
from project import BUILD, CLI, ROOT, Stamp

CALLS = int(os.environ.get("CALLS") or 40)
PROGRAMS = ROOT / "tools" / "serve"
PLACE = BUILD / "serve"
PATIENCE = 60
"""Seconds in which a server has to answer."""
COMPILING = 600
"""Seconds in which it has to be there, on a machine that has other things to do."""


class Server:
    """A server, and what it wrote."""

    def __init__(self, host: str, port: int, log: Path) -> None:
        """Know where it is."""
        self.host, self.port, self.log = host, port, log

    def connect(self) -> http.client.HTTPConnection:
        """Open a connection."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)

    def ask(self, method: str, path: str, body: bytes | Iterator[bytes] | None = None, **headers: str) -> http.client.HTTPResponse:
        """Send a request, and give the response, whose body is still to be read."""
        connection = self.connect()
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        return connection.getresponse()

    def text(self, method: str, path: str, body: bytes | Iterator[bytes] | None = None, **headers: str) -> str:
        """Send a request, and give the body of the response."""
        return self.ask(method, path, body, **headers).read().decode()

    def logged(self, text: str) -> bool:
        """Whether it wrote this, sooner or later."""
        end = time.monotonic() + 10
        while text not in self.log.read_text(errors="replace"):
            if time.monotonic() > end:
                return False
            time.sleep(0.05)
        return True


@pytest.fixture(scope="module")
def app() -> Path:
    """Build the component."""
    PLACE.mkdir(parents=True, exist_ok=True)
    made = PLACE / "app.wasm"
    subprocess.run(
        [CLI, "build", PROGRAMS / "app", "--component", "-o", made], check=True, env={**os.environ, "UNDERGO_GO": str(go.find())}
    )
    return made


def jco(app: Path) -> list[str | Path]:
    """Install jco from npm, unless it is there; give the command that serves."""
    for tool in ("node", "npm"):
        if not shutil.which(tool):
            pytest.skip(f"there is no {tool}")
    stamp = Stamp("serve", [PROGRAMS / "package.json"])
    for file in ("package.json", "serve.mjs"):
        shutil.copy2(PROGRAMS / file, PLACE)
    if not stamp.fresh() or not (PLACE / "node_modules").is_dir():
        command = ["npm", "install", "--silent", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock"]
        if subprocess.run(command, cwd=PLACE).returncode:
            pytest.skip("npm has not installed jco")
        stamp.set()
    return ["node", "serve.mjs", app, PLACE / "made"]


def undergo(app: Path) -> list[str | Path]:
    """Give the command that serves, if this build has it."""
    if subprocess.run([CLI, "serve", "--help"], capture_output=True).returncode:
        pytest.skip("this build of the command has no 'undergo serve'")
    return [CLI, "serve", app, "--addr", "127.0.0.1:0", "--net", "127.0.0.1:*"]


@contextlib.contextmanager
def running(name: str, command: list[str | Path]) -> Iterator[Server]:
    """Run a server that says its port."""
    log = PLACE / f"{name}.log"
    with log.open("wb") as written, subprocess.Popen(command, cwd=PLACE, stdout=written, stderr=subprocess.STDOUT) as process:
        try:
            end = time.monotonic() + COMPILING
            while not (found := re.search(r"(\d+)/?\s*$", log.read_text(errors="replace"), re.MULTILINE)):
                assert process.poll() is None, log.read_text(errors="replace")
                assert time.monotonic() < end, "the server does not begin"
                time.sleep(0.05)
            yield Server(name, int(found[1]), log)
        finally:
            process.kill()


@pytest.fixture(scope="module", params=["jco", "undergo"])
def server(request: pytest.FixtureRequest, app: Path) -> Iterator[Server]:
    """Run a server of each kind."""
    command = jco(app) if request.param == "jco" else undergo(app)
    with running(request.param, command) as started:
        yield started


def not_by(server: Server, host: str, why: str) -> None:
    """Skip what a host does not do."""
    if server.host == host:
        pytest.skip(f"{host} {why}")


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "REPORT"])
def test_a_request_arrives_as_it_was_sent(server: Server, method: str) -> None:
    if method == "REPORT":
        not_by(server, "jco", "passes other methods in lower case")
    response = server.ask(method, "/request/a%20b/c?q=1&q=2&r=", X_One="1", Cookie="a=1")
    got = json.load(response)
    # jco's server has one header of each name.
    assert (response.status, response.headers.get_all("X-Two")) == (202, ["b"] if server.host == "jco" else ["a", "b"])
    assert response.headers["Content-Type"] == "application/json"
    assert (got["method"], got["path"], got["rest"], got["query"]) == (method, "/request/a b/c", "a b/c", {"q": ["1", "2"], "r": [""]})
    assert (got["host"], got["header"]["X-One"], got["header"]["Cookie"]) == (f"127.0.0.1:{server.port}", ["1"], ["a=1"])
    assert "Host" not in got["header"]


def test_short_responses_have_a_length(server: Server) -> None:
    response = server.ask("HEAD", "/request/")
    assert response.status == 202
    assert int(response.headers["Content-Length"]) > 50
    assert response.read() == b""
    assert server.ask("GET", "/nowhere").status == 404
    response = server.ask("DELETE", "/echo")
    assert (response.status, response.headers["Allow"]) == (405, "POST")


@pytest.mark.parametrize("size", [0, 1, 2048, 2049, 300_000, 5_000_000])
def test_bodies_of_any_size_are_streamed(server: Server, size: int) -> None:
    body = os.urandom(size)
    assert server.ask("POST", "/echo", body).read() == body


def test_a_body_is_read_as_it_comes(server: Server) -> None:
    def parts() -> Iterator[bytes]:
        for n in range(3):
            yield str(n).encode() * 10
            time.sleep(0.1)

    assert server.text("POST", "/sum", parts()) == "30 <nil> "


def test_a_response_comes_as_it_is_written(server: Server) -> None:
    started = time.monotonic()
    response = server.ask("GET", "/lines")
    assert response.readline() == b"0\n"
    first = time.monotonic() - started
    assert response.read() == b"1\n2\n"
    assert time.monotonic() - started - first > 0.2


def test_trailers_come_after_the_response(server: Server) -> None:
    not_by(server, "jco", "sends no trailers")
    with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as raw:
        raw.sendall(b"POST /echo HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: close\r\nContent-Length: 2\r\n\r\nab")
        got = b""
        while part := raw.recv(10_000):
            got += part
    assert b"\r\nx-copied: 2 <nil>\r\n" in got.lower(), got


def test_trailers_come_after_the_request(server: Server) -> None:
    not_by(server, "jco", "passes no trailers")
    with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as raw:
        head = b"POST /sum HTTP/1.1\r\nHost: a\r\nTrailer: X-Sum\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
        raw.sendall(head + b"2\r\nab\r\n0\r\nX-Sum: seven\r\n\r\n")
        got = b""
        while part := raw.recv(10_000):
            got += part
    assert got.rstrip().endswith(b"2 <nil> seven") or b"2 <nil> seven" in got, got


def test_goroutines_run_while_a_handler_waits(server: Server) -> None:
    def late() -> Iterator[bytes]:
        # More than a host may want to have before it calls.
        yield b"a" * 200_000
        time.sleep(0.5)
        yield b"b"

    # Each takes 5 ms, and some more on a busy machine.
    assert int(server.text("POST", "/goroutines", late())) > 8


def test_timers_end_a_handler(server: Server) -> None:
    response = server.ask("GET", "/late")
    assert (response.status, response.read()) == (503, b"too late\n")


@pytest.mark.parametrize(("path", "text"), [("/panic", "panic: on purpose"), ("/exit", "the handler ended its goroutine")])
def test_a_handler_that_does_not_return_is_answered_with_500(server: Server, path: str, text: str) -> None:
    response = server.ask("GET", path)
    assert (response.status, response.read()) == (500, b"Internal Server Error\n")
    assert server.logged(f"wasihttp: GET {path}: {text}")
    assert server.ask("GET", "/request/").status == 202


def test_a_response_may_be_cut_off(server: Server) -> None:
    not_by(server, "jco", "ends it as if it were complete")
    response = server.ask("GET", "/cut")
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        response.read()
    assert server.ask("GET", "/request/").status == 202


def test_what_a_handler_leaves_behind_has_ended(server: Server) -> None:
    server.text("POST", "/leave", b"abc")
    assert server.text("GET", "/left") in ("true context canceled", "nothing")


def test_connections_are_not_hijacked(server: Server) -> None:
    assert server.text("GET", "/hijack") == "true"


def test_many_requests_at_once(server: Server) -> None:
    failures = []

    def work(n: int) -> None:
        body = bytes([n]) * (n * 5000 + 1)
        for _ in range(3):
            got = server.ask("POST", "/echo", body).read()
            if got != body:
                failures.append((n, len(got)))

    threads = [threading.Thread(target=work, args=[n]) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_bodies_survive_the_collector(server: Server) -> None:
    for n in range(CALLS):
        body = os.urandom(1 + n * 7919 % 50_000)
        assert server.ask("POST", "/press", body).read() == body, n


class Upstream(http.server.BaseHTTPRequestHandler):
    """A server that handlers send requests to."""

    def do_POST(self) -> None:
        """Give the body back, after a while."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        time.sleep(0.2)
        self.send_response(201)
        self.send_header("Content-Length", str(len(body) + 4))
        self.send_header("X-Path", self.path)
        self.end_headers()
        self.wfile.write(b"got " + body)

    def log_message(self, *_: object) -> None:
        """Be quiet."""


@pytest.fixture(scope="module")
def upstream() -> Iterator[str]:
    """Run such a server; give its URL."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Upstream) as served:
        thread = threading.Thread(target=served.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{served.server_port}"
        served.shutdown()
        thread.join()


def test_handlers_send_requests(server: Server, upstream: str) -> None:
    expected = "\n".join(f"201 got body {n} <nil>" for n in range(4))
    assert server.text("GET", f"/fetch?url={upstream}/x") == expected
    # One that is not there is an error, and no end.
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    assert server.text("GET", f"/fetch?url=http://127.0.0.1:{port}/").count("outgoing: ") == 4


def test_a_reverse_proxy_is_one(server: Server, upstream: str) -> None:
    response = server.ask("POST", "/proxy/here", b"through", X_Into=upstream)
    assert (response.status, response.headers["X-Path"], response.read()) == (201, "/proxy/here", b"got through")
