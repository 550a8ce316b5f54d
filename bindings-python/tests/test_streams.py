"""Standard streams: functions that get lines, input from files, and what bounds them."""

from __future__ import annotations

import gc
import os
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import undergo

GO = """
package main

import (
	"bufio"
	"fmt"
	"os"
	"time"
)

var lines = bufio.NewScanner(os.Stdin)

// Line gives the length of the next line of the standard input, -1 at its end.
//
//go:wasmexport line
func Line() int32 {
	if !lines.Scan() {
		return -1
	}
	return int32(len(lines.Text()))
}

//go:wasmexport flood
func Flood() {
	for i := 0; ; i++ {
		fmt.Println("line", i)
	}
}

// Race gives the number of the goroutine that ends first: they sleep 300, 1 and 200 ms.
//
//go:wasmexport race
func Race() int32 {
	first := make(chan int32, 3)
	for i, ms := range []time.Duration{300, 1, 200} {
		go func() { time.Sleep(ms * time.Millisecond); first <- int32(i) }()
	}
	return <-first
}

// Ticks counts a ticker's ticks until a timer ends.
//
//go:wasmexport ticks
func Ticks() int32 {
	ticker, end, n := time.NewTicker(time.Millisecond), time.After(30*time.Millisecond), int32(0)
	for {
		select {
		case <-ticker.C:
			n++
		case <-end:
			return n
		}
	}
}

//go:wasmexport forever
func Forever() { select { case <-time.After(time.Hour): } }

func main() {}
"""


@pytest.fixture(scope="session")
def program(go_build: Callable[..., Path]) -> undergo.Plugin:
    return undergo.Plugin(go_build(GO))


def test_lines_go_to_a_function(start: Callable[..., Any]) -> None:
    out: list[str] = []
    err: list[str] = []
    guest = start(sandbox=undergo.Sandbox(stdout=out.append, stderr=err.append))
    guest.print("one\ntw\u00f6\n\nrest", "warning\n")
    assert out == ["one", "tw\u00f6", "", "rest"]
    assert err == ["warning"]


def test_an_exception_of_the_function_is_the_callers(start: Callable[..., Any]) -> None:
    raised = KeyError("no log")

    def fail(line: str) -> None:
        raise raised

    guest = start(sandbox=undergo.Sandbox(stdout=fail, stderr="discard"))
    with pytest.raises(KeyError) as caught:
        guest.print("one\n", "")
    assert caught.value is raised
    assert not guest.alive
    with pytest.raises(undergo.DeadInstanceError, match="no log"):
        guest.print("two\n", "")


def test_an_interrupt_in_the_function_ends_the_call(program: undergo.Plugin) -> None:
    def interrupt(line: str) -> None:
        raise KeyboardInterrupt

    guest: Any = program.instantiate(sandbox=undergo.Sandbox(stdout=interrupt, stderr="discard"))
    with pytest.raises(KeyboardInterrupt):
        guest.flood()


def test_a_function_that_refers_to_its_instance_is_collected(start: Callable[..., Any]) -> None:
    class Log:
        instance: Any

        def line(self, text: str) -> None:
            pass

    log = Log()
    log.instance = start(sandbox=undergo.Sandbox(stdout=log.line, stderr="discard"))
    log.instance.print("one\n", "")
    gone = weakref.ref(log)
    del log
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize("output", ["discard", "capture", [].append])
def test_a_flood_ends_with_the_call(program: undergo.Plugin, output: Any) -> None:
    sandbox = undergo.Sandbox(stdout=output, stderr="discard", capture_limit=100)
    guest: Any = program.instantiate(sandbox=sandbox, limits=undergo.Limits(output="1KiB"))
    with pytest.raises(undergo.TimeoutError):
        guest.using(timeout=0.1).flood()
    if isinstance(output, str):
        assert len(guest.take_stdout()) == (100 if output == "capture" else 0)
    else:
        assert sum(len(line) + 1 for line in output.__self__) in (1024, 1025)


def test_input_is_bytes_or_a_file(program: undergo.Plugin, tmp_path: Path) -> None:
    path = tmp_path / "in.txt"
    path.write_bytes(b"one\nthree\n")
    for given in (b"one\nthree\n", bytearray(b"one\nthree\n"), path):
        guest: Any = program.instantiate(sandbox=undergo.Sandbox(stdin=given))  # type: ignore[arg-type]
        assert [guest.line() for _ in range(3)] == [3, 5, -1]


def test_a_fifo_is_waited_for(program: undergo.Plugin, tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    sandbox = undergo.Sandbox(stdin=path)
    late: Any = program.instantiate(sandbox=sandbox, limits=undergo.Limits(timeout=0.1))
    with pytest.raises(undergo.TimeoutError):
        late.line()
    guest: Any = program.instantiate(sandbox=sandbox)
    before = threading.active_count()
    writer = threading.Thread(target=path.write_bytes, args=(b"hello\n",))
    writer.start()
    assert guest.line() == 5
    writer.join()
    assert guest.line() == -1
    assert threading.active_count() == before


def test_timers_of_goroutines(program: undergo.Plugin) -> None:
    guest: Any = program.instantiate()
    assert guest.race() == 1
    assert 1 <= guest.ticks() <= 31
    with pytest.raises(undergo.TimeoutError):
        guest.using(timeout=0.1).forever()


def test_what_can_be_no_stream(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"the str 'text'; give content as bytes, a file as a pathlib\.Path"):
        undergo.Sandbox(stdin="text")
    with pytest.raises(TypeError, match=r"must be bytes, a pathlib\.Path or 'inherit', got int"):
        undergo.Sandbox(stdin=5)  # type: ignore[arg-type]

    async def line(text: str) -> None: ...

    with pytest.raises(ValueError, match="coroutine"):
        undergo.Sandbox(stdout=line)
    with pytest.raises(ValueError, match=r"Limits\.output is 'lots'; write a number of bytes, or a text such as '64 MiB'"):
        undergo.Limits(output="lots")


def test_a_file_that_is_not_there(start: Callable[..., Any], tmp_path: Path) -> None:
    with pytest.raises(undergo.DeniedError, match="standard input"):
        start(sandbox=undergo.Sandbox(stdin=tmp_path / "none"))
