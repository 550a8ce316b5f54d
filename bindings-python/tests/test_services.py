"""Services under standard names: keys and values, configuration, logs."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import undergo
from conftest import guest_path


@pytest.fixture(scope="module", params=["services", "services_component"])
def plugin(request: pytest.FixtureRequest) -> undergo.Plugin:
    """The guest, as a module and as a component."""
    return undergo.Plugin(guest_path(request.param))


@pytest.fixture(scope="module")
def start(plugin: undergo.Plugin) -> Callable[..., Any]:
    """Make an instance with all services, of which some are given."""

    def make(imports: Any = None, **options: Any) -> undergo.Instance:
        all_of_them = undergo.keyvalue() | undergo.config({}) | undergo.logging()
        return plugin.instantiate(imports=all_of_them | (imports or {}), **options)

    return make


def test_values_are_kept_by_their_keys(start: Callable[..., Any]) -> None:
    guest = start()
    assert guest.get("default", "k") is None
    guest.set("default", "k", "a value")
    assert guest.get("default", "k") == "a value"
    assert guest.keys("default") == (["k"], 1)
    assert guest.delete("default", "k") is True
    assert guest.delete("default", "k") is False


def test_instances_share_the_stores_that_they_were_given(start: Callable[..., Any]) -> None:
    stores = undergo.keyvalue(stores=["a", "b"])
    one, other = start(stores), start(stores)
    one.set("a", "k", "1")
    assert (other.get("a", "k"), other.get("b", "k"), start(undergo.keyvalue(stores=["a"])).get("a", "k")) == ("1", None, None)
    found = stores["wasi:keyvalue/store"]
    assert found.get("a", "k") == b"1"
    found.set("b", "k", b"2")
    assert one.get("b", "k") == "2"
    with pytest.raises(undergo.HostError, match="no such store"):
        found.get("c", "k")


def test_errors_are_the_cases_of_their_type(start: Callable[..., Any]) -> None:
    guest = start()
    assert [guest.failure(name) for name in ("default", "other", "../default", "")] == ["", *["no-such-store"] * 3]
    assert guest.failure("x" * 5000).startswith("other: the key, or the name, has 5000 bytes")
    with pytest.raises(undergo.GuestError, match=r"^no such store$"):
        guest.get("other", "k")


def test_numbers_and_swaps_are_atomic(start: Callable[..., Any]) -> None:
    guest = start()
    assert (guest.increment("default", "n", 5), guest.increment("default", "n", -7)) == (5, -2)
    guest.set("default", "n", "text")
    with pytest.raises(undergo.GuestError, match="no number"):
        guest.increment("default", "n", 1)
    assert guest.swap("default", "s", "1", "") == ""
    assert guest.swap("default", "s", "3", "2") == "2"
    assert guest.get("default", "s") == "3"


def test_stores_are_bounded(start: Callable[..., Any]) -> None:
    guest = start(undergo.keyvalue(entries=10_000, bytes="1 MiB"))
    assert guest.fill("default", 9000) == 9000
    with pytest.raises(undergo.GuestError, match="as many entries as they may"):
        guest.fill("default", 10_001)
    with pytest.raises(undergo.GuestError, match="the key, or the name, has 1073741824 bytes"):
        guest.large("default", 1 << 30, 0)
    with pytest.raises(undergo.GuestError, match="2097152 bytes or more, and may have 1048576"):
        guest.large("default", 1, 2 << 20)
    guest.large("default", 1, 600_000)
    with pytest.raises(undergo.GuestError, match="as many bytes as they may"):
        guest.large("default", 2, 600_000)
    with pytest.raises(undergo.GuestError, match="bytes or more"):
        guest.again("default", "k", 1_000_000)
    assert guest.keys("default") == (["k"], 1)


def test_a_million_keys(start: Callable[..., Any]) -> None:
    guest = start(undergo.keyvalue(entries=1_000_000))
    assert guest.fill("default", 1_000_000) == 1_000_000
    assert guest.keys("default") == ([], 1)


def test_keys_come_in_pages(start: Callable[..., Any]) -> None:
    stores = undergo.keyvalue()
    guest = start(stores)
    for i in range(2500):
        stores["wasi:keyvalue/store"].set("default", f"{i}", b"")
    keys, pages = guest.keys("default")
    assert (len(set(keys)), pages) == (2500, 3)


def test_objects_are_the_hosts_own_and_limited(start: Callable[..., Any]) -> None:
    assert start().many(100) == 100
    with pytest.raises(undergo.OutOfMemoryError, match="handles"):
        start(limits=undergo.Limits(handles=50)).many(100)
    with pytest.raises(undergo.PanicError, match=r"takes a store\.Bucket only if it has given it itself"):
        start().forge()


def test_the_configuration_is_a_mapping(start: Callable[..., Any]) -> None:
    values = {"a": "1", "ü": ""}
    guest = start(undergo.config(values))
    assert (guest.config("a"), guest.config("ü"), guest.config("b"), dict(guest.configs())) == ("1", "", None, values)
    values["b"] = "2"
    assert guest.config("b") == "2"


def test_lines_go_to_a_logger(start: Callable[..., Any], caplog: pytest.LogCaptureFixture) -> None:
    guest = start(undergo.logging("services"))
    caplog.set_level(1, "services")
    for level in range(6):
        guest.log(level, "from", "100% {}")
    guest.log(2, "", "alone")
    assert [record.levelno for record in caplog.records] == [5, 10, 20, 30, 40, 50, 20]
    assert [record.getMessage() for record in caplog.records][-2:] == ["from: 100% {}", "alone"]
    assert caplog.records[0].__dict__["context"] == "from"
    caplog.clear()
    caplog.set_level(logging.WARNING, "services")
    guest.log(2, "from", "quiet")
    assert not caplog.records


def test_lines_are_plain_and_bounded(start: Callable[..., Any], caplog: pytest.LogCaptureFixture) -> None:
    guest = start(undergo.logging("services"))
    caplog.set_level(logging.INFO, "services")
    guest.log(2, "a\nb", "\x1b[31mred\r\nINFO: forged\u2028\u202ex\tend")
    guest.log(2, "", "x" * 1_000_000)
    first, second = (record.getMessage() for record in caplog.records)
    assert first == "a\\u{a}b: \\u{1b}[31mred\\u{d}\\u{a}INFO: forged\\u{2028}\\u{202e}x\tend"
    assert len(second) < 70_000
    assert second.endswith("more characters)")


def test_what_is_not_given_is_missing(plugin: undergo.Plugin) -> None:
    with pytest.raises(undergo.MissingImportError, match=r"wasi:keyvalue/store@0\.2\.0-draft2\.open"):
        plugin.instantiate(imports=undergo.config({}) | undergo.logging())


class Bucket:
    """A store of Python's own."""

    def __init__(self) -> None:
        self.values: dict[str, bytes] = {}

    def get(self, key: str) -> bytes | None:
        return self.values.get(key)

    def set(self, key: str, value: bytes) -> None:
        if key == "refused":
            raise ValueError("not this key")
        self.values[key] = value

    def delete(self, key: str) -> None:
        self.values.pop(key, None)

    def exists(self, key: str) -> bool:
        return key in self.values

    def list_keys(self, cursor: str | None) -> dict[str, Any]:
        return {"keys": list(self.values), "cursor": None}


def test_a_program_may_implement_an_interface_itself(start: Callable[..., Any]) -> None:
    bucket = Bucket()
    guest = start({"wasi:keyvalue/store": {"open": lambda name: bucket}})
    guest.set("any", "k", "v")
    assert (guest.get("any", "k"), bucket.values, guest.keys("any")) == ("v", {"k": b"v"}, (["k"], 1))

    def refuse(name: str) -> Bucket:
        raise LookupError(f"no {name} here")

    # What Python raises is the case that has a text.
    assert start({"wasi:keyvalue/store": {"open": refuse}}).failure("x") == "other: no x here"
    with pytest.raises(undergo.GuestError, match=r"^other: not this key$"):
        guest.set("any", "refused", "v")


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


class Server:
    """What a Redis answers, as far as the stores ask for it."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.values: dict[bytes, bytes] = {}
        self.commands: list[bytes] = []
        self.delay = 0.0
        threading.Thread(target=self.serve, daemon=True).start()

    @property
    def url(self) -> str:
        return f"redis://:secret@127.0.0.1:{self.listener.getsockname()[1]}/2"

    def close(self) -> None:
        self.listener.close()

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(connection,), daemon=True).start()

    def talk(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as lines:
            while line := lines.readline():
                words = []
                for _ in range(int(line[1:])):
                    length = int(lines.readline()[1:])
                    words.append(lines.read(length))
                    lines.read(2)
                self.commands.append(words[0])
                time.sleep(self.delay)
                connection.sendall(self.answer(words))

    def answer(self, words: list[bytes]) -> bytes:
        def bulk(value: bytes | None) -> bytes:
            return b"$-1\r\n" if value is None else b"$%d\r\n%s\r\n" % (len(value), value)

        def many(all_of_them: list[bytes]) -> bytes:
            return b"*%d\r\n" % len(all_of_them) + b"".join(all_of_them)

        match words:
            case [b"MGET", *keys]:
                return many([bulk(self.values.get(key)) for key in keys])
            case [b"GET", key]:
                return bulk(self.values.get(key))
            case [b"MSET", *pairs]:
                self.values.update(zip(pairs[::2], pairs[1::2], strict=True))
            case [b"SET", key, value]:
                self.values[key] = value
            case [b"DEL", *keys]:
                return b":%d\r\n" % sum(self.values.pop(key, None) is not None for key in keys)
            case [b"EXISTS", key]:
                return b":%d\r\n" % (key in self.values)
            case [b"INCRBY", key, delta]:
                if not self.values.get(key, b"0").isdigit():
                    return b"-ERR value is not an integer or out of range\r\n"
                self.values[key] = b"%d" % (int(self.values.get(key, b"0")) + int(delta))
                return b":%s\r\n" % self.values[key]
            case [b"SCAN", b"0", *_]:
                return many([bulk(b"7"), many([])])
            case [b"SCAN", *_]:
                return many([bulk(b"0"), many([bulk(key) for key in self.values])])
            case [b"EXEC"]:
                return many([b"+OK\r\n"])
        return b"+OK\r\n"


def test_stores_may_be_in_redis(start: Callable[..., Any], server: Server) -> None:
    guest = start(undergo.keyvalue(server.url))
    guest.set("default", "k", "v")
    assert server.values == {b"default:k": b"v"}
    assert (guest.get("default", "k"), guest.get("default", "x")) == ("v", None)
    assert guest.increment("default", "n", 2) == 2
    assert guest.keys("default") == (["k", "n"], 1)
    assert guest.swap("default", "k", "2", "") == ""
    assert guest.fill("default", 300) == 300
    assert guest.delete("default", "k") is True
    guest.set("default", "n", "x")
    with pytest.raises(undergo.GuestError, match="Redis: ERR value is not an integer"):
        guest.increment("default", "n", 1)
    assert guest.failure("other") == "no-such-store"
    assert server.commands[:2] == [b"AUTH", b"SELECT"]
    # One connection served all of it, but for the one that failed.
    assert server.commands.count(b"AUTH") == 1


def test_a_slow_redis_ends_with_the_call(start: Callable[..., Any], server: Server) -> None:
    guest = start(undergo.keyvalue(server.url))
    server.delay = 30
    began = time.monotonic()
    with pytest.raises(undergo.TimeoutError):
        guest.using(timeout=0.3).get("default", "k")
    assert time.monotonic() - began < 5


def test_a_redis_that_is_none_is_an_error(start: Callable[..., Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        guest = start(undergo.keyvalue(f"redis://127.0.0.1:{listener.getsockname()[1]}"))

        def garble() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n")

        threading.Thread(target=garble, daemon=True).start()
        with pytest.raises(undergo.GuestError, match="does not speak the protocol of Redis"):
            guest.get("default", "k")
    with pytest.raises(undergo.GuestError, match="Redis: "):
        guest.get("default", "k")
    for url in ("http://x", "redis://", "redis://h:port", "redis://h/name"):
        with pytest.raises(undergo.TypeMismatchError, match="the address of Redis is"):
            undergo.keyvalue(url)


async def count(pool: undergo.AsyncPool) -> list[Any]:
    return await asyncio.gather(*(pool.increment("default", "n", 1) for _ in range(20)))


def test_asynchronous_pools_have_them_too(plugin: undergo.Plugin) -> None:
    async def run() -> list[Any]:
        imports = undergo.keyvalue() | undergo.config({}) | undergo.logging()
        async with plugin.async_pool(2, imports=imports) as pool:
            return await count(pool)

    assert sorted(asyncio.run(run())) == list(range(1, 21))
