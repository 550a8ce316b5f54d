"""Arguments with code of their own, which may do anything while they are read."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import undergo
from wasm import Export, const, module

WIT = """package go:t;

world t {
  use undergo:go/types.{duration, time, json};
  record point { x: s64, y: option<f64> }
  enum color { red, green }
  export integer: func(x: s64) -> s32;
  export unsigned: func(x: u64) -> s32;
  export number: func(x: f64) -> s32;
  export flag: func(x: bool) -> s32;
  export text: func(x: string) -> s32;
  export bytes: func(x: list<u8>) -> s32;
  export integers: func(x: list<s64>) -> s32;
  export switches: func(x: list<bool>) -> s32;
  export texts: func(x: list<string>) -> s32;
  export point: func(x: point) -> s32;
  export table: func(x: map<string, s64>) -> s32;
  export color: func(x: color) -> s32;
  export pair: func(x: list<u8>, y: s64) -> s32;
  export wait: func(x: duration) -> duration;
  export at: func(x: time) -> s32;
  export json: func(x: json) -> s32;
}

package undergo:go {
  interface types {
    type duration = s64;
    type json = string;
    record time { seconds: s64, nanoseconds: u32, offset: s32 }
  }
}
"""
PARAMS = {
    "integer": "I",
    "unsigned": "I",
    "number": "d",
    "flag": "i",
    "color": "i",
    "pair": "iiI",
    "point": "IId",
    "at": "Iii",
}


@pytest.fixture(scope="module")
def plugin() -> undergo.Plugin:
    from wasm import _TYPES

    _TYPES["d"] = b"\x7c"
    names = [
        "integer",
        "unsigned",
        "number",
        "flag",
        "text",
        "bytes",
        "integers",
        "switches",
        "texts",
        "point",
        "table",
        "color",
        "pair",
        "at",
        "json",
    ]
    exports = [Export(name, PARAMS.get(name, "ii").replace("IId", "Iid"), "i", const(7)) for name in names]
    exports.append(Export("wait", "I", "I", b"\x20\x00"))
    return undergo.Plugin(module(WIT, exports))


@pytest.fixture
def guest(plugin: undergo.Plugin) -> Any:
    return plugin.instantiate()


def raising(raised: BaseException, *methods: str) -> Any:
    """An object whose methods of these names raise."""

    def method(*_: Any) -> Any:
        raise raised

    return type("Raising", (), dict.fromkeys(methods, method))()


class Items(Mapping[str, int]):
    def __init__(self, raised: BaseException) -> None:
        self.raised = raised

    def __getitem__(self, key: str) -> int:
        raise self.raised

    def __iter__(self) -> Iterator[str]:
        raise self.raised

    def __len__(self) -> int:
        return 1


class Attributes:
    def __init__(self, raised: BaseException) -> None:
        self.raised = raised

    @property
    def x(self) -> int:
        raise self.raised


def generator(raised: BaseException) -> Iterator[int]:
    yield 1
    raise raised


class Zone(datetime.tzinfo):
    def __init__(self, raised: BaseException) -> None:
        self.raised = raised

    def utcoffset(self, _: Any) -> datetime.timedelta:
        raise self.raised


PLACES: list[tuple[str, Callable[[BaseException], Any]]] = [
    ("integer", lambda raised: raising(raised, "__index__")),
    ("unsigned", lambda raised: raising(raised, "__index__")),
    ("number", lambda raised: raising(raised, "__float__")),
    ("number", lambda raised: raising(raised, "__index__")),
    ("integers", lambda raised: raising(raised, "__iter__")),
    ("integers", lambda raised: raising(raised, "__getitem__", "__len__")),
    ("integers", lambda raised: [1, raising(raised, "__index__")]),
    ("integers", generator),
    ("point", lambda raised: raising(raised, "__getattr__")),
    ("point", lambda raised: raising(raised, "__getattribute__")),
    ("point", Attributes),
    ("point", Items),
    ("point", lambda raised: {"x": raising(raised, "__index__")}),
    ("table", Items),
    ("table", lambda raised: {"a": raising(raised, "__index__")}),
    ("at", lambda raised: datetime.datetime(2020, 1, 1, tzinfo=Zone(raised))),
    ("json", lambda raised: [Items(raised), generator(raised)]),
]


@pytest.mark.parametrize("ending", [SystemExit(3), KeyboardInterrupt(), GeneratorExit()], ids=lambda ending: type(ending).__name__)
@pytest.mark.parametrize(("name", "make"), PLACES)
def test_what_asks_the_program_to_end_arrives_as_the_same_object(guest: Any, name: str, make: Any, ending: BaseException) -> None:
    if name == "json":
        pytest.skip("what JSON takes is asked nothing")
    with pytest.raises(type(ending)) as caught:
        getattr(guest, name)(make(ending))
    assert caught.value is ending
    assert guest.integer(1) == 7


@pytest.mark.parametrize(("name", "make"), PLACES)
def test_an_exception_is_the_cause_of_the_mismatch(guest: Any, name: str, make: Any) -> None:
    raised = ZeroDivisionError("no such number")
    with pytest.raises(undergo.TypeMismatchError) as caught:
        getattr(guest, name)(make(raised))
    if name != "json":
        assert caught.value.__cause__ is raised
        assert "no such number" in str(caught.value)
        assert str(caught.value).startswith(f"{name}(x")
    assert guest.integer(1) == 7


def test_what_is_of_another_type_says_so(guest: Any) -> None:
    for name, value in [("integer", "1"), ("integer", 1.0), ("number", "1"), ("integers", 1), ("point", 1), ("flag", 1), ("number", True)]:
        with pytest.raises(undergo.TypeMismatchError, match="expected"):
            getattr(guest, name)(value)


def test_a_list_may_change_while_it_is_read(guest: Any) -> None:
    class Clears:
        def __index__(self) -> int:
            given.clear()
            return 1

    class Grows:
        def __index__(self) -> int:
            given.append(2)
            return 1

    given: list[Any] = [Clears(), 2, 3]
    with pytest.raises(undergo.TypeMismatchError, match="changed its size"):
        guest.integers(given)
    given = [Grows(), 2]
    assert guest.integers(given) == 7


def test_keywords_may_be_changed_while_they_are_read(guest: Any) -> None:
    class Clears:
        def __index__(self) -> int:
            given.clear()
            return 1

    given: dict[str, Any] = {"y": Clears(), "x": b"1"}
    assert guest.pair(**given) == 7


def test_an_argument_may_call_the_instance(guest: Any) -> None:
    class Calls:
        def __index__(self) -> int:
            return int(guest.integer(5))

    assert guest.integers([Calls(), Calls()]) == 7


def test_an_argument_may_call_itself(guest: Any) -> None:
    class Recurses:
        def __index__(self) -> int:
            return self.__index__()

    with pytest.raises(undergo.TypeMismatchError) as caught:
        guest.integer(Recurses())
    assert isinstance(caught.value.__cause__, RecursionError)
    assert guest.integer(1) == 7


def test_answers_that_can_not_be_are_refused(guest: Any) -> None:
    class Says:
        def __init__(self, what: Any) -> None:
            self.what = what

        def __index__(self) -> Any:
            return self.what

        def __length_hint__(self) -> Any:
            return self.what

        def __iter__(self) -> Any:
            return iter(())

    for what in ("1", None, 1.5, 10**5000):
        with pytest.raises(undergo.TypeMismatchError):
            guest.integer(Says(what))
        # Nobody reserves room by what an iterable only says.
        assert guest.integers(Says(what)) == 7
    assert guest.integers(Says(2**62)) == 7
    assert guest.integer(Says(3)) == 7


def test_a_buffer_that_other_threads_write_is_copied(guest: Any) -> None:
    assert guest.bytes(bytearray(b"x" * 5000)) == 7
    assert guest.bytes(memoryview(bytearray(100_000))) == 7


def test_scalars_of_numpy_are_taken(guest: Any) -> None:
    np = pytest.importorskip("numpy")
    for flag in (np.bool_(True), np.array([False])[0]):
        assert guest.flag(flag) == 7
        for name in ("integer", "unsigned", "number"):
            with pytest.raises(undergo.TypeMismatchError, match="expected"):
                getattr(guest, name)(flag)
    assert guest.switches(np.array([True, False])) == 7
    assert guest.switches(np.array([[True, False]])[0]) == 7
    assert guest.switches([np.bool_(True), False]) == 7
    with pytest.raises(undergo.TypeMismatchError):
        guest.switches(np.array([1, 0]))
    assert guest.integer(np.int8(3)) == guest.unsigned(np.uint64(2**64 - 1)) == 7
    assert guest.number(np.float32(0.5)) == guest.number(np.float64(0.5)) == guest.number(np.int16(2)) == 7
    assert guest.text(np.str_("a")) == guest.texts(np.array(["a", "bc"])) == 7
    assert guest.color(np.str_("red")) == 7
    with pytest.raises(undergo.TypeMismatchError):
        guest.integer(np.float32(1))


def test_durations_of_numpy_are_exact_and_its_times_have_no_zone(guest: Any) -> None:
    np = pytest.importorskip("numpy")
    assert guest.wait(np.timedelta64(1_000_001_000, "ns")) == datetime.timedelta(seconds=1, microseconds=1)
    assert guest.wait(np.timedelta64(3, "h")) == datetime.timedelta(hours=3)
    for wrong in (np.timedelta64(1, "M"), np.timedelta64("NaT"), np.timedelta64(400, "W") * 1000):
        with pytest.raises(undergo.TypeMismatchError):
            guest.wait(wrong)
    with pytest.raises(undergo.TypeMismatchError, match="time zone"):
        guest.at(np.datetime64("2020-01-01"))
    with pytest.raises(undergo.TypeMismatchError, match=r"expected datetime\.timedelta, got int"):
        guest.wait(3)
    with pytest.raises(undergo.TypeMismatchError, match=r"expected datetime\.datetime, got date"):
        guest.at(datetime.date(2020, 1, 1))
