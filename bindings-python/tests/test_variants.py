"""Variants: a class for each case, and the union of them."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import struct
from typing import Any

import pytest
import undergo
from undergo import _types
from wasm import Export, const, module, param, store

WIT = """package undergo:t;

interface types {
  /// A circle is round.
  record circle { radius: f64 }
  enum color { red, green }
  /// A shape is drawn.
  variant shape {
    circle(circle),
    /// a label has a text
    label(string),
    empty,
    color(color),
  }
  variant word { label(string), none, class(u8), empty, tag, val(bool) }
}

world t {
  use types.{shape, word};
  export echo: func(s: shape) -> shape;
  export words: func(a: word, b: option<word>) -> s32;
}
"""

# The cases share an i64 and an i32; those of a word two i32.
_ECHO = store(1024, param(0)) + const(1032) + param(1) + b"\x37\x03\x00"
_ECHO += param(0) + const(1) + b"\x46\x04\x40" + store(1036, param(2)) + b"\x0b" + const(1024)


def build(wit: str = WIT, echo: bytes = _ECHO) -> bytes:
    return module(wit, [Export("echo", "iIi", "i", echo), Export("words", 7 * "i", "i", param(0))])


def load(wit: str = WIT, echo: bytes = _ECHO, **options: Any) -> undergo.Plugin:
    return undergo.Plugin(build(wit, echo), **options)


@pytest.fixture
def types() -> Any:
    return load().types


@pytest.fixture
def drawn() -> Any:
    return load().instantiate()


def values(types: Any) -> list[Any]:
    return [types.Circle(radius=1.5), types.Label("hello"), types.Label(""), types.Empty(), types.ShapeColor(types.Color.GREEN)]


def test_each_case_comes_as_it_went(types: Any, drawn: Any) -> None:
    for value in values(types):
        again = drawn.echo(value)
        assert again == value
        assert type(again) is type(value)
        assert isinstance(again, types.Shape)
    assert not isinstance("hello", types.Shape)
    assert not isinstance(types.Class(3), types.Shape)


def test_a_case_can_be_matched(types: Any, drawn: Any) -> None:
    def told(shape: Any) -> str:
        match shape:
            case types.Circle(radius=radius):
                return f"circle of {radius}"
            case types.Label(text):
                return f"label {text}"
            case types.ShapeColor(value=types.Color.GREEN):
                return "green"
            case types.Empty():
                return "nothing"
        raise AssertionError(shape)

    assert [told(drawn.echo(value)) for value in values(types)] == ["circle of 1.5", "label hello", "label ", "nothing", "green"]


def test_names_are_apart(types: Any) -> None:
    assert set(vars(types)) == {
        *("Circle", "Color", "Shape", "Label", "Empty", "ShapeColor"),
        *("Word", "None_", "Class", "Tag", "Val"),
    }
    # The case of the same name with the same value is one in both.
    assert isinstance(types.Label("x"), types.Word)
    assert isinstance(types.Label("x"), types.Shape)
    guest: Any = load().instantiate()
    numbers = [types.Label("x"), types.None_(), types.Class(255), types.Empty(), types.Tag(), types.Val(value=True)]
    assert [guest.words(word) for word in numbers] == [0, 1, 2, 3, 4, 5]
    assert guest.words(types.Tag(), types.Tag()) == 4


def test_two_cases_of_one_name_with_different_values_have_two_classes() -> None:
    wit = WIT.replace("val(bool)", "val(bool), color(u8), circle(string)")
    types: Any = load(wit).types
    assert types.ShapeColor is not types.WordColor
    assert types.WordCircle("x").value == "x"
    assert types.Circle(radius=1.0).radius == 1.0


@pytest.mark.parametrize(
    ("make", "path", "said"),
    [
        (lambda types: "circle", "echo(s)", "expected shape (Circle, Label, Empty, ShapeColor), got str"),
        (lambda types: {"radius": 1.0}, "echo(s)", "got dict"),
        (lambda types: None, "echo(s)", "got NoneType"),
        (lambda types: object, "echo(s)", "got type"),
        (lambda types: types.Class(3), "echo(s)", "got Class"),
        (lambda types: types.Label(5), "echo(s.label)", "expected string, got int"),
        (lambda types: types.Label("\ud800"), "echo(s.label)", "lone surrogate"),
        (lambda types: types.Circle(radius="big"), "echo(s.circle.radius)", "expected f64, got str"),
        (lambda types: types.ShapeColor("blue"), "echo(s.color)", '"blue" is not a case of color'),
        (lambda types: types.ShapeColor(None), "echo(s.color)", "expected color, got NoneType"),
    ],
)
def test_what_fits_no_case_is_refused_with_its_path(types: Any, drawn: Any, make: Any, path: str, said: str) -> None:
    with pytest.raises(undergo.TypeMismatchError) as caught:
        drawn.echo(make(types))
    assert caught.value.path == path
    assert said in str(caught.value)
    assert drawn.alive
    assert drawn.echo(types.Empty()) == types.Empty()


def test_a_case_takes_its_value_and_no_other(types: Any) -> None:
    for wrong in (types.Label, lambda: types.Empty("x"), lambda: types.Label("x", "y"), lambda: types.Label(val="x")):
        with pytest.raises(TypeError):
            wrong()
    gone = types.Label("x")
    del gone.value
    with pytest.raises(undergo.TypeMismatchError) as caught:
        load().instantiate().echo(gone)  # type: ignore[attr-defined]
    assert isinstance(caught.value.__cause__, AttributeError)


@pytest.mark.parametrize("number", [4, 200, 255])
def test_a_discriminant_without_a_case_is_a_trap(number: int) -> None:
    guest: Any = load(echo=store(1024, const(number)) + const(1024)).instantiate()
    with pytest.raises(undergo.TrapError, match=f"discriminant {number}, which has no case"):
        guest.echo(guest.plugin.types.Empty())


def test_a_misfit_of_the_guest_has_the_path_of_its_case() -> None:
    guest: Any = load(echo=store(1024, const(1)) + store(1032, const(0)) + store(1036, const(1 << 30)) + const(1024)).instantiate()
    with pytest.raises(undergo.TrapError) as caught:
        guest.echo(guest.plugin.types.Empty())
    assert caught.value.path == "echo -> result.label"


def test_signatures_have_the_name_of_the_variant(drawn: Any) -> None:
    assert drawn.plugin.exports == {"echo": "echo(s: Shape) -> Shape", "words": "words(a: Word, b: Word | None = None) -> int"}


def test_classes_say_what_they_are(types: Any) -> None:
    assert types.Label.__doc__ == "a label has a text"
    assert types.Class.__doc__ == "Class(value)"
    assert types.Circle.__doc__ == "A circle is round."
    assert repr(types.Label("x")) == "Label(value='x')"
    assert repr(types.Empty()) == "Empty()"
    assert str(types.Shape) == "undergo.Circle | undergo.Label | undergo.Empty | undergo.ShapeColor"
    assert types.Label.__match_args__ == ("value",)
    with pytest.raises(TypeError, match="unhashable"):
        hash(types.Label("x"))
    assert dataclasses.replace(types.Label("x"), value="y") == types.Label("y")


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_values_and_classes_pickle(types: Any, protocol: int) -> None:
    for value in [*values(types), types.Label, types.Empty, types.Shape]:
        again = pickle.loads(pickle.dumps(value, protocol))
        assert again == value
        assert type(again) is type(value)
    for value in values(types):
        assert copy.copy(value) == copy.deepcopy(value) == value


def test_a_class_may_derive_from_that_of_a_case(types: Any, drawn: Any) -> None:
    class Loud(types.Label):  # type: ignore[misc]
        pass

    class Round(types.Circle):  # type: ignore[misc]
        pass

    assert drawn.echo(Loud("x")) == types.Label("x")
    assert drawn.echo(Round(radius=2.0)) == types.Circle(radius=2.0)


def test_classes_may_be_given() -> None:
    class Label:
        __match_args__ = ("value",)

        def __init__(self, value: str) -> None:
            self.value = value

    class Short(Label):
        pass

    @dataclasses.dataclass(frozen=True, slots=True)
    class Empty:
        pass

    @dataclasses.dataclass
    class Disc:
        radius: float

    given = {"label": Label, "word.empty": Empty, "shape.empty": Empty, "circle": Disc, "ShapeColor": Short}
    guest: Any = load(types=given).instantiate()
    types = guest.plugin.types
    assert (types.Label, types.Empty, types.Circle) == (Label, Empty, Disc)
    assert guest.echo(Label("x")).value == "x"
    assert type(guest.echo(Short("green"))) is Short
    assert guest.echo(Empty()) == Empty()
    assert guest.echo(Disc(2.0)) == Disc(2.0)
    assert isinstance(Label("x"), types.Shape)
    for wrong, error in (
        ({"label": Label, "empty": Label}, "one class for the cases label and empty of shape"),
        ({"circle": Disc, "label": Disc}, "one class for the cases circle and label of shape"),
        ({"shape": Disc}, r"types has \['shape'\] which the plugin does not; its types are Circle, Color, Label, "),
        ({"color-": Disc}, "which the plugin does not"),
        ({"shape.circle": Disc}, "which the plugin does not"),
        ({"label": Label, "nope.label": Label}, "which the plugin does not"),
    ):
        with pytest.raises(ValueError, match=error):
            load(types=wrong)
    with pytest.raises(TypeError, match="is not a class"):
        load(types={"label": "x"})


def test_a_constructor_that_fails_does_so_in_the_call() -> None:
    class Label:
        def __init__(self, value: str) -> None:
            self.value = value
            if value == "x":
                raise LookupError(value)

    guest: Any = load(types={"label": Label}).instantiate()
    value = Label("")
    value.value = "x"
    with pytest.raises(LookupError, match="x"):
        guest.echo(value)
    assert guest.alive


def test_nothing_is_called_to_find_the_case(types: Any, drawn: Any) -> None:
    class Sly:
        @property
        def __class__(self) -> Any:
            raise AssertionError("nobody asks")

        @__class__.setter
        def __class__(self, value: Any) -> None: ...

    with pytest.raises(undergo.TypeMismatchError):
        drawn.echo(Sly())


def test_a_variant_of_many_cases() -> None:
    cases = ", ".join(f"c{i}" for i in range(299))
    wit = f"package undergo:t; world t {{ variant many {{ {cases}, last(u8) }} export echo: func(m: many) -> many; }}"
    code = const(1024) + param(0) + b"\x3b\x01\x00" + const(1026) + param(1) + b"\x3a\x00\x00" + const(1024)
    guest: Any = undergo.Plugin(module(wit, [Export("echo", "ii", "i", code)])).instantiate()
    types = guest.plugin.types
    for value in (types.C0(), types.C255(), types.C256(), types.C298(), types.Last(255)):
        assert guest.echo(value) == value
    with pytest.raises(undergo.TypeMismatchError, match="C19, and 280 more"):
        guest.echo(3)


@pytest.mark.parametrize("kind", ["case", "error"])
def test_a_definition_that_can_not_be_is_refused(kind: str) -> None:
    for parts in (
        [("a; import os", "str", False)],
        [("class", "str", False)],
        [("a", "str", False), ("a", "str", False)],
        [(object(), "str", False)],
        [("a", object(), False)],
        [("__init__ = print", "str", False)],
    ):
        with pytest.raises((TypeError, ValueError)):
            _types.make_class("0", kind, "Hostile", "", parts)
    with pytest.raises(ValueError, match="no definition"):
        _types.make_class("0", kind, "not a name", "", [])


def test_a_given_double_is_exact(types: Any, drawn: Any) -> None:
    for radius in (0.0, -0.0, 5e-324, float("inf"), 1.7976931348623157e308):
        assert struct.pack("d", drawn.echo(types.Circle(radius=radius)).radius) == struct.pack("d", radius)
