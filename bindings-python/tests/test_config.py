"""The sandbox and the limits, as a Python program writes them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import undergo


def test_nothing_is_given_by_default(start: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "hush")
    guest = start()
    assert guest.env("SECRET") is None
    assert guest.args() == []
    with pytest.raises(undergo.GuestError):
        guest.read_file("/etc/passwd")


def test_env_args_and_directories(start: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_bytes(b"hello")
    sandbox = undergo.Sandbox(
        env={"MODE": "prod"},
        args=["-v"],
        dirs={"/data": undergo.Dir(tmp_path, readonly=True), "/plain": tmp_path},
    )
    guest = start(sandbox=sandbox)
    assert guest.env("MODE") == "prod"
    assert guest.args() == ["-v"]
    assert guest.read_file("/data/note.txt") == b"hello"
    assert guest.read_file("/plain/note.txt") == b"hello"
    with pytest.raises(undergo.GuestError):
        guest.read_file("/data/../../etc/passwd")


def test_a_directory_that_is_not_there(start: Callable[..., Any]) -> None:
    with pytest.raises(undergo.DeniedError, match="can't be given to the guest as /data") as caught:
        start(sandbox=undergo.Sandbox(dirs={"/data": "/no/such/folder"}))
    assert isinstance(caught.value, PermissionError)


def test_output_is_captured_up_to_its_bound(start: Callable[..., Any]) -> None:
    guest = start(sandbox=undergo.Sandbox(stdout="capture", stderr="capture", capture_limit=5))
    guest.print("to stdout", "err")
    assert guest.take_stdout() == b"to st"
    assert guest.take_stdout() == b""
    assert guest.take_stderr() == b"err"


def test_output_is_inherited(plugin: undergo.Plugin, start: Callable[..., Any], capfd: pytest.CaptureFixture[str]) -> None:
    start(sandbox=undergo.Sandbox()).print("seen", "also seen")
    start(sandbox=undergo.Sandbox(stdout="discard", stderr="discard")).print("not seen", "nor this")
    out, err = capfd.readouterr()
    assert (out, err) == ("seen", "also seen")


@pytest.mark.parametrize(
    ("given", "size"),
    [
        (65536, 65536),
        ("64KiB", 65536),
        ("64 kb", 64000),
        ("1.5GiB", 3 << 29),
        ("10", 10),
        ("2m", 2 << 20),
        ("64 MiB", 64 << 20),
        ("1.5 GB", 1_500_000_000),
        (1.5, None),
        ("1.5", None),
        (-1, None),
        ("lots", None),
        (True, None),
    ],
)
def test_sizes(given: Any, size: int | None) -> None:
    if size is None:
        with pytest.raises(
            ValueError, match=r"Limits\.memory is '.*'; write a number of bytes, or a text such as '64 MiB', '1\.5 GB' or '64M'"
        ):
            undergo.Limits(memory=given)
    else:
        assert undergo.Limits(memory=given)._parts()[0] == size


@pytest.mark.parametrize("timeout", [-1, float("nan"), "1s", True])
def test_a_timeout_is_a_number_of_seconds(timeout: Any, guest: Any) -> None:
    with pytest.raises(ValueError, match="number of seconds"):
        undergo.Limits(timeout=timeout)
    with pytest.raises(ValueError, match="number of seconds"):
        guest.using(timeout=timeout)


def test_what_is_no_sandbox_or_limits(plugin: undergo.Plugin) -> None:
    with pytest.raises(TypeError, match=r"sandbox must be an undergo\.Sandbox, got dict"):
        plugin.instantiate(sandbox={})  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"limits must be an undergo\.Limits, got int"):
        plugin.instantiate(limits=5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="'capture'"):
        undergo.Sandbox(stdout="file")


def test_a_value_has_a_limit(start: Callable[..., Any]) -> None:
    guest = start(limits=undergo.Limits(value="1KiB"))
    with pytest.raises(undergo.OutOfMemoryError, match="1024 bytes"):
        guest.echo_bytes(bytes(2000))
    assert guest.alive
