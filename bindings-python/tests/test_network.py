"""What of the network a sandbox gives: rules, listeners of the host's, and what was denied."""

from __future__ import annotations

import asyncio
import base64
import socket
import time
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import undergo
from conftest import Caller, guest_path

NOTHING = "the sandbox denied the use of the network; it takes the rule any, or one for less, such as connect=example.org:443"


OPENS = base64.b64decode(
    "AGFzbQEAAAABDwNgA39/fwF/YAABf2AAAAIkARZ3YXNpX3NuYXBzaG90X3ByZXZpZXcxCXNvY2tfb3BlbgAAAwMCAQIFAwEAAQcfAwZtZW1vcnkC"
    "AARvcGVuAAELX2luaXRpYWxpemUAAgoPAgoAQQFBAkEAEAALAgAL"
)
"""A module whose export `open` opens a socket, and gives the number for what went wrong."""

PLAIN = base64.b64decode("AGFzbQEAAAABBAFgAAADAgEABQMBAAEHGAIGbWVtb3J5AgALX2luaXRpYWxpemUAAAoEAQIACw==")
"""One that has nothing to do with the network."""

TOO_MANY = 33


@pytest.fixture(scope="module")
def command() -> undergo.Plugin:
    return undergo.Plugin(guest_path("command"))


@pytest.fixture(scope="module")
def hostile() -> undergo.Plugin:
    return undergo.Plugin(guest_path("hostile"))


IMPORTS = {"host": {name: lambda *_: None for name in ("do", "echo", "fail")}}


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


def port_of(listener: socket.socket) -> int:
    return int(listener.getsockname()[1])


def test_a_command_reaches_what_a_rule_allows(command: undergo.Plugin, listener: socket.socket) -> None:
    port = port_of(listener)
    for rules in (f"127.0.0.1:{port}", ["10.0.0.0/8:*", "127.0.0.1:*"], iter(["127.0.0.1:*"])):
        sandbox = undergo.Sandbox(network=rules)  # type: ignore[arg-type]
        caller = Caller(lambda sandbox=sandbox: command.run(args=["dial", f"127.0.0.1:{port}"], sandbox=sandbox, timeout=60))
        with listener.accept()[0] as client:
            client.sendall(b"welcome")
        done = caller.wait()
        assert (done.code, done.stdout, done.denied) == (0, b"welcome", [])


def test_a_command_is_denied_the_rest(command: undergo.Plugin, listener: socket.socket) -> None:
    port = port_of(listener)
    done = command.run(args=["dial", f"127.0.0.1:{port}"])
    assert (done.code, done.stderr, done.denied) == (1, b"open: Permission denied\n", [NOTHING])
    sandbox = undergo.Sandbox(network="127.0.0.1:1")
    done = asyncio.run(asyncio.wait_for(command.run_async(args=["dial", f"127.0.0.1:{port}"], sandbox=sandbox), 60))
    wanted = f"the sandbox denied connecting to 127.0.0.1:{port}; it takes the rule connect=127.0.0.1:{port}"
    assert (done.code, done.stderr, done.denied) == (1, b"connect: Permission denied\n", [wanted])


def test_instances_and_errors_tell_what_was_denied(hostile: undergo.Plugin, listener: socket.socket) -> None:
    port = port_of(listener)
    instance = hostile.instantiate(imports=IMPORTS, sandbox=undergo.Sandbox(network=f"127.0.0.1:{port}"))
    instance.connect(f"127.0.0.1:{port}")
    assert instance.denied == []
    for _ in range(2):
        with pytest.raises(undergo.GuestError, match="Permission denied") as caught:
            instance.connect("127.0.0.1:1")
        assert [caught.value.denied] == instance.denied
    assert "it takes the rule connect=127.0.0.1:1" in instance.denied[0]
    with pytest.raises(undergo.GuestError) as caught:
        instance.files("read", "/nothing", "")
    assert caught.value.denied is None


def test_awaited_instances_tell_it_too(hostile: undergo.Plugin) -> None:
    async def main() -> None:
        instance = await hostile.instantiate_async(imports=IMPORTS)
        with pytest.raises(undergo.GuestError) as caught:
            await instance.connect("127.0.0.1:1")
        assert instance.denied == [caught.value.denied] == [NOTHING]

    asyncio.run(main())


def answered(command: undergo.Plugin, sandbox: undergo.Sandbox, address: tuple[str, int]) -> bytes:
    """Connect to a command that accepts, and give what it says."""
    caller = Caller(lambda: command.run(args=["answer"], sandbox=sandbox, timeout=60))
    while caller.is_alive():
        try:
            with socket.create_connection(address, timeout=30) as client:
                said = client.makefile("rb").read()
        except ConnectionRefusedError:
            # It is not open yet.
            time.sleep(0.01)
        else:
            done = caller.wait()
            assert (done.code, done.denied) == (0, [])
            return said
    raise AssertionError(caller.wait())


def test_a_listener_is_handed_in(command: undergo.Plugin, listener: socket.socket) -> None:
    for _ in range(2):
        sandbox = undergo.Sandbox(listeners=[listener])
        assert answered(command, sandbox, ("127.0.0.1", port_of(listener))) == b"hello"
    # It is as open as it was.
    assert listener.fileno() >= 0
    port = port_of(listener)
    listener.close()
    assert answered(command, undergo.Sandbox(listeners=[f"127.0.0.1:{port}"]), ("127.0.0.1", port)) == b"hello"


def test_a_listener_that_is_taken(command: undergo.Plugin, listener: socket.socket) -> None:
    with pytest.raises(undergo.DeniedError, match="refuses to listen at"):
        command.run(args=["answer"], sandbox=undergo.Sandbox(listeners=[f"127.0.0.1:{port_of(listener)}"]))


@pytest.mark.parametrize(
    ("given", "error", "says"),
    [
        ({"network": [80]}, TypeError, "a rule is a str"),
        ({"listeners": "127.0.0.1:80"}, TypeError, "write a list"),
        ({"listeners": [80]}, TypeError, "write an address"),
        ({"listeners": ["127.0.0.1:0"]}, ValueError, "nobody would know the port"),
    ],
    ids=str,
)
def test_what_is_no_network(given: dict[str, Any], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        undergo.Sandbox(**given)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams, pytest.raises(ValueError, match="only sockets of TCP"):
        undergo.Sandbox(listeners=[datagrams])
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as idle, pytest.raises(ValueError, match="does not listen"):
        undergo.Sandbox(listeners=[idle])


def test_the_core_tells_what_is_no_rule(command: undergo.Plugin) -> None:
    with pytest.raises(undergo.TypeMismatchError, match=r"example\.org"):
        command.run(sandbox=undergo.Sandbox(network="example.org"))
    with pytest.raises(undergo.TypeMismatchError, match="no address to listen at"):
        command.run(sandbox=undergo.Sandbox(listeners=["here"]))
    closed = socket.create_server(("127.0.0.1", 0))
    sandbox = undergo.Sandbox(listeners=[closed])
    closed.close()
    with pytest.raises(ValueError, match="closed"):
        command.run(sandbox=sandbox)


@pytest.mark.parametrize("most", [0, 1, 5])
def test_a_guest_holds_so_many_descriptors(most: int) -> None:
    limits, sandbox = undergo.Limits(descriptors=most), undergo.Sandbox(network="any")
    instance = undergo.Plugin(OPENS).instantiate(sandbox=sandbox, limits=limits)
    assert [instance.exports.open() for _ in range(most + 2)] == [0] * most + [TOO_MANY] * 2


def test_descriptors_have_a_default_and_bounds() -> None:
    instance = undergo.Plugin(OPENS).instantiate(sandbox=undergo.Sandbox(network="any"))
    assert [instance.exports.open() for _ in range(129)] == [0] * 128 + [TOO_MANY]
    for wrong in (-1, 1 << 32, "many", True):
        with pytest.raises((TypeError, ValueError), match=r"Limits\.descriptors"):
            undergo.Limits(descriptors=wrong)  # type: ignore[arg-type]


def test_what_is_given_in_vain_is_warned_of() -> None:
    plugin, network = undergo.Plugin(PLAIN), undergo.Sandbox(network="example.org:443")
    with pytest.warns(RuntimeWarning, match="opens no sockets"):
        plugin.instantiate(sandbox=network)
    with pytest.warns(RuntimeWarning, match="opens no sockets"):
        plugin.pool(1, sandbox=network)
    with pytest.warns(RuntimeWarning, match="opens no sockets"):
        asyncio.run(plugin.instantiate_async(sandbox=network))
    with socket.create_server(("127.0.0.1", 0)) as given, pytest.warns(RuntimeWarning, match="accepts no connections"):
        plugin.instantiate(sandbox=undergo.Sandbox(listeners=[given]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plugin.instantiate()
        undergo.Plugin(OPENS).instantiate(sandbox=network)
