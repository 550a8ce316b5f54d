"""Servers of others, for tests of the network: each on a free port of this machine, with all its files in a folder of its own."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

PATIENCE = 60
"""Seconds in which a server has to be there."""

POSTGRES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
"""Where Debian puts the programs of PostgreSQL, one folder for each version; others have them on PATH."""


def find(program: str, folders: list[Path] | None = None) -> Path | None:
    """Give the path of a program, None when it is not there."""
    found = shutil.which(program) or next((str(path / program) for path in reversed(folders or []) if (path / program).is_file()), None)
    return Path(found) if found else None


@contextlib.contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """Run PostgreSQL, and give the URL of a database of it.

    Args:
        folder: an empty one, within folders that everybody may enter: when this is root, the server
            runs as another user.
    """
    initdb, server = find("initdb", POSTGRES), find("postgres", POSTGRES)
    assert initdb, "PostgreSQL is not there"
    assert server, "PostgreSQL is not there"
    # It refuses to run as root.
    prefix: list[str] = []
    if os.getuid() == 0:
        user = "postgres" if subprocess.run(["id", "postgres"], capture_output=True).returncode == 0 else "nobody"
        shutil.chown(folder, user)
        prefix = ["setpriv", f"--reuid={user}", f"--regid={_group(user)}", "--clear-groups"]
    data = folder / "data"
    made = subprocess.run(
        [*prefix, initdb, "--pgdata", data, "--username=tester", "--auth=trust", "--no-sync", "--encoding=UTF8", "--no-locale"],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    port = free_port()
    settings = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off"}
    options = [f"--{name}={value}" for name, value in settings.items()]
    command: list[str | Path] = [*prefix, server, "-D", data, "-p", str(port), *options]
    with running(command, folder, port):
        url = f"postgres://tester@127.0.0.1:{port}/postgres?sslmode=disable"
        _until_it_answers(["psql", "--no-psqlrc", "--command=select 1", url])
        yield url


def _group(user: str) -> str:
    return subprocess.run(["id", "-g", user], capture_output=True, text=True, check=True).stdout.strip()


def _until_it_answers(command: list[str]) -> None:
    """Run a command again and again until it succeeds: a server that listens may yet say that it is starting."""
    if not shutil.which(command[0]):
        return
    end = time.monotonic() + PATIENCE
    while True:
        asked = subprocess.run(command, capture_output=True, text=True)
        if asked.returncode == 0:
            return
        assert time.monotonic() < end, asked.stderr
        time.sleep(0.1)


@contextlib.contextmanager
def redis(folder: Path) -> Iterator[str]:
    """Run Redis, and give its address."""
    server = find("redis-server")
    assert server, "Redis is not there"
    port = free_port()
    command: list[str | Path] = [server, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder]
    with running(command, folder, port):
        yield f"127.0.0.1:{port}"


@contextlib.contextmanager
def running(command: list[str | Path], folder: Path, port: int) -> Iterator[None]:
    """Run a server until the block ends, which begins when somebody listens at its port."""
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
    try:
        end = time.monotonic() + PATIENCE
        while not _listens(port):
            assert process.poll() is None, log.read_text(errors="replace")
            assert time.monotonic() < end, log.read_text(errors="replace")
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    """Give a port at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
