"""Speaks with programs/driver.c: values as words, there and back."""

from __future__ import annotations

import json
import math
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any


def words(value: Any, wanted: str = "") -> list[str]:
    """Give the words for the JSON value of a case.

    `wanted` is its type in WIT, where that is known: a long list is not a long text.
    """
    if value is None:
        return ["n"]
    if isinstance(value, bool):
        return ["t" if value else "f"]
    if isinstance(value, int):
        return [f"i{value}" if value < 1 << 63 else f"u{value}"]
    if isinstance(value, float):
        return [f"d{value.hex()}"]
    if isinstance(value, str):
        return [hexed(value)]
    if isinstance(value, list):
        return [f"L{len(value)}", *(word for item in value for word in words(item))]
    if len(value) == 1:
        ((key, inner),) = value.items()
        if key == "$repeat":
            one, count = inner["value"], inner["count"]
            if isinstance(one, str) and not wanted.startswith("list"):
                return words(one * count)
            if isinstance(one, dict) and "$bytes" in one and wanted in ("", "list<u8>"):
                return ["b" + one["$bytes"] * count]
            return [f"L{count}", *(words(one) * count)]
        if key in SPECIAL:
            return SPECIAL[key](inner)
    if "$items" in value:
        return ["I", "f" if "then" in value else "-", *words(value["$items"], "list")]
    if "$reader" in value:
        return ["r" + plain(value["$reader"]).hex(), {"fail": "f", "repeat": "e"}.get(value.get("then", ""), "-")]
    if "$writer" in value:
        return ["w", hexed(value["$writer"]["as"]), str(value["$writer"].get("most", 0))]
    fields = [[hexed(name), *words(field)] for name, field in value.items()]
    return [f"R{len(fields)}", *(word for field in fields for word in field)]


def hexed(text: str) -> str:
    """Give the word for a text."""
    return "s" + text.encode().hex()


SPECIAL: dict[str, Any] = {
    "$int": lambda text: words(int(text)),
    "$float": lambda text: [f"d{float(text)!r}"],
    "$bytes": lambda text: ["b" + text],
    "$map": lambda pairs: [f"M{len(pairs)}", *(word for pair in pairs for part in pair for word in words(part))],
    "$duration": lambda text: [f"D{text}"],
    "$time": lambda time: [f"T{time['seconds']}", str(time["nanoseconds"]), str(time["offset"])],
    "$case": lambda case: [f"V{len(case) - 1}", hexed(case[0]), *(word for inner in case[1:] for word in words(inner))],
    "$handle": lambda number: [f"h{number}"],
    "$callback": lambda name: ["c" + name.encode().hex()],
    "$object": lambda _: ["o"],
    "$endless": lambda item: ["I", "e", "L1", *words(item)],
    "$json": lambda value: ["j" + json.dumps(value, ensure_ascii=False).encode().hex()],
}


class Handle(int):
    """The number of a handle that the driver keeps."""


class Json(str):
    """A text that holds a JSON value."""


class Duration(int):
    """Nanoseconds."""


class Time(tuple[int, int, int]):
    """Seconds, nanoseconds and offset."""


class Record(dict[str, Any]):
    """The fields of a record."""


class Case(tuple[Any, ...]):
    """The name of a case, and its value if it has one."""


class Map(list[tuple[Any, Any]]):
    """The entries of a map."""


def value(stream: Iterator[str]) -> Any:
    """Read a value from words, which are taken."""
    word = next(stream)
    letter, rest = word[0], word[1:]
    if letter in "ntf":
        return {"n": None, "t": True, "f": False}[letter]
    if letter in "iD":
        return int(rest) if letter == "i" else Duration(rest)
    if letter == "d":
        return float.fromhex(rest)
    if letter in "sjb":
        content = bytes.fromhex(rest)
        return content if letter == "b" else (Json if letter == "j" else str)(content.decode())
    if letter == "h":
        return Handle(rest)
    if letter == "T":
        return Time((int(rest), int(next(stream)), int(next(stream))))
    if letter == "L":
        return [value(stream) for _ in range(int(rest))]
    if letter == "M":
        return Map((value(stream), value(stream)) for _ in range(int(rest)))
    if letter == "V":
        return Case((value(stream), *(value(stream) for _ in range(int(rest)))))
    assert letter == "R", word
    return Record((value(stream), value(stream)) for _ in range(int(rest)))


def check(actual: Any, expected: Any, take: Callable[[str, Handle, Any], None] | None = None) -> None:
    """Compare a result with the JSON value that stands for it.

    `take` gets the handles, each with the key of what stands for it: `$keep`, `$items` or `$reader`.
    """
    if isinstance(expected, dict):
        ((key, inner), *more) = expected.items() or [("", None)]
        if key in ("$keep", "$items", "$reader"):
            assert isinstance(actual, Handle)
            assert take is not None
            take(key, actual, inner)
        elif key == "$between":
            assert inner[0] <= actual <= inner[1]
        elif key == "$json":
            assert isinstance(actual, Json)
            assert json.loads(actual) == inner
        elif key == "$map":
            # A component's maps are lists of pairs.
            assert type(actual) in (Map, list)
            assert len(actual) == len(inner)
            for wanted_key, wanted in inner:
                (found,) = [entry for entry in actual if entry[0] == plain(wanted_key)]
                check(found[1], wanted, take)
        elif key == "$case":
            assert isinstance(actual, Case)
            check(list(actual), inner, take)
        elif key == "$time":
            assert actual == Time((inner["seconds"], inner["nanoseconds"], inner["offset"]))
        elif key == "$duration":
            assert isinstance(actual, Duration)
            assert actual == int(inner)
        elif key == "$repeat" and isinstance(actual, list):
            check(actual, [inner["value"]] * inner["count"], take)
        elif key.startswith("$") and not more:
            same(actual, plain(expected))
        else:
            assert isinstance(actual, Record)
            assert set(actual) == set(expected)
            for name, wanted in expected.items():
                check(actual[name], wanted, take)
    elif isinstance(expected, list):
        assert isinstance(actual, list)
        assert len(actual) == len(expected)
        for got, wanted in zip(actual, expected, strict=True):
            check(got, wanted, take)
    else:
        same(actual, expected)


def plain(expected: Any) -> Any:
    """Give the value of a JSON one that has no parts."""
    if not isinstance(expected, dict):
        return expected
    ((key, inner),) = expected.items()
    if key == "$repeat":
        return plain(inner["value"]) * inner["count"]
    return {"$int": int, "$float": float, "$bytes": bytes.fromhex}[key](inner)


def same(actual: Any, wanted: Any) -> None:
    """Compare values without parts; 0.0 is not -0.0 here."""
    if isinstance(actual, float):
        wanted = float(wanted)
        assert math.isnan(actual) == math.isnan(wanted)
        assert math.isnan(wanted) or (actual == wanted and math.copysign(1, actual) == math.copysign(1, wanted))
        return
    assert type(actual) is type(wanted)
    assert actual == wanted


class Failed(Exception):
    """An error of the library."""

    def __init__(self, parts: list[str]) -> None:
        stream = iter(parts)
        self.kind = next(stream)
        self.path = value(stream)
        self.message = value(stream)
        code = next(stream)
        self.exit_code = None if code == "-" else int(code)
        self.chain = [(value(stream), value(stream), value(stream)) for _ in range(int(next(stream)))]
        rest = list(stream)
        stream = iter(rest)
        self.origin = (value(stream), value(stream), int(next(stream))) if rest else None
        super().__init__(f"{self.kind}: {self.path} {self.message}")


class Driver:
    """A running driver."""

    def __init__(self, command: list[str | Path], env: dict[str, str] | None = None) -> None:
        self.process = subprocess.Popen([*map(str, command)], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="ascii")

    def ask(self, *parts: object) -> list[str]:
        """Have it do something; give the words of the answer, or raise what failed."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(" ".join(map(str, parts)) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer.endswith("\n"), f"the driver ended with {self.process.wait()}"
        found = answer.split()
        if found[:1] == ["error"]:
            raise Failed(found[1:])
        return found

    def start(
        self, memory: int = 0, timeout: int = 0, args: list[str] | None = None, env: dict[str, str] | None = None, handles: int = 0
    ) -> None:
        """Make an instance."""
        pairs = [hexed(part) for pair in (env or {}).items() for part in pair]
        given = [hexed(arg) for arg in args or []]
        assert self.ask("new", memory, timeout, handles, len(given), *given, len(pairs) // 2, *pairs) == ["made"]

    def call(self, name: str, args: list[list[str]], timeout: int = 0) -> Any:
        """Call an export of the instance."""
        _, *found = self.ask("call", hexed(name), timeout, len(args), *(word for arg in args for word in arg))
        return value(iter(found))

    def value(self, *parts: object) -> Any:
        """Have it do something; give the value of the answer."""
        _, *found = self.ask(*parts)
        return value(iter(found))

    def other(self, name: str, *args: Any) -> Any:
        """Call an export of the bystander."""
        _, *found = self.ask("other", hexed(name), len(args), *(word for arg in args for word in words(arg)))
        return value(iter(found))

    def alive(self) -> bool:
        """Whether the instance answers."""
        return self.ask("alive") == ["yes"]

    def parameters(self, name: str) -> list[str]:
        """Give the types of an export's parameters, as far as a comma in them lets tell."""
        text = " ".join(self.ask("signature", hexed(name))).rpartition(" -> ")[0] or " ".join(self.ask("signature", hexed(name)))
        return [part.partition(": ")[2] for part in text[text.find("(") + 1 : text.rfind(")")].split(", ") if ": " in part]

    def close(self) -> int:
        """End it, and give its exit code."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.stdout.close()
        return self.process.wait(120)
