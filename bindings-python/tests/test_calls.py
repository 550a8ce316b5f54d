"""How calls, signatures and classes look to a Python user."""

from __future__ import annotations

import datetime
import enum
import inspect
import math
import pydoc
from dataclasses import FrozenInstanceError, dataclass
from typing import Any

import pytest
import undergo
from conftest import Host, conformance_path


def test_arguments_by_position_and_by_name(guest: Any) -> None:
    assert guest.divmod(7, 2) == (3, 1)
    assert guest.divmod(b=2, a=7) == (3, 1)
    assert guest.divmod(7, b=2) == (3, 1)


@pytest.mark.parametrize(
    ("args", "kwargs", "text"),
    [
        ((), {}, "divmod() needs a value for 'a', 'b': divmod(a: int, b: int) -> tuple[int, int]"),
        ((1,), {}, "needs a value for 'b'"),
        ((), {"b": 1}, "needs a value for 'a'"),
        ((1, 2, 3), {}, "takes 2 arguments, got 3"),
        ((1, 2), {"a": 1}, "got two values for 'a'"),
        ((1,), {"bb": 2}, "has no parameter 'bb'; did you mean 'b'"),
    ],
)
def test_wrong_arguments_show_the_signature(guest: Any, args: tuple[int, ...], kwargs: dict[str, int], text: str) -> None:
    with pytest.raises(undergo.TypeMismatchError) as caught:
        guest.divmod(*args, **kwargs)
    assert text in str(caught.value)
    assert isinstance(caught.value, TypeError)
    assert guest.alive


def test_trailing_options_may_be_left_out(guest: Any) -> None:
    assert guest.maybe_int() is None
    assert guest.maybe_int(3) == 3


def test_help_and_signature_come_from_go(guest: Any) -> None:
    assert str(inspect.signature(guest.divmod)) == "(a: 'int', b: 'int') -> 'tuple[int, int]'"
    text = pydoc.plain(pydoc.render_doc(guest.echo_string))
    assert "echo_string(s: 'str') -> 'str'" in text
    assert "EchoString returns s." in text
    assert guest.echo_string.__name__ == "echo_string"
    assert guest.echo_string.wit_name == "echo-string"
    assert repr(guest.echo_string) == "<undergo function echo_string(s: str) -> str>"


def test_plugin_and_instance_can_be_printed(plugin: undergo.Plugin, guest: Any) -> None:
    assert repr(plugin).startswith("<undergo.Plugin conformance.wasm: ")
    text = str(plugin)
    assert text.startswith("conformance.wasm (reactor, go1.")
    assert "  echo_string(s: str) -> str\n" in text
    assert "  needs host.echo_string(s: str) -> str\n" in text
    assert repr(guest) == "<undergo.Instance of conformance.wasm>"
    with pytest.raises(undergo.ExitError):
        guest.exit(3)
    assert "ended: " in repr(guest)


def test_plugin_describes_itself(plugin: undergo.Plugin) -> None:
    assert plugin.kind == "reactor"
    assert plugin.interface is not None
    assert "world " in plugin.interface
    assert plugin.exports["echo_int8"] == "echo_int8(v: int) -> int"
    assert plugin.imports["host"]["note"] == "note(s: str) -> None"


def test_names_that_are_taken_are_in_exports(guest: Any) -> None:
    assert guest.exports["exports"](4) == guest.exports.exports(4)
    assert guest.pass_(5) == guest.exports["pass"](5)
    assert guest.exports["echo-string"]("x") == "x"
    assert set(guest.exports) == set(guest.plugin.exports)
    assert len(guest.exports) == len(guest.plugin.exports)
    assert "divmod" in guest.exports


def test_an_unknown_export_is_an_attribute_error(guest: Any) -> None:
    with pytest.raises(AttributeError, match="did you mean 'echo_string'"):
        _ = guest.echo_strin
    assert not hasattr(guest, "nothing_like_it")
    with pytest.raises(undergo.UnknownExportError):
        guest.exports["nothing like it"]()


def person(**changes: Any) -> dict[str, Any]:
    return {
        "name": "Ada",
        "age": 36,
        "tags": ["a"],
        "home": {"street": "Main"},
        "others": [],
        "scores": {"chess": 1.5},
        "favorite": "red",
        "born": datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc),
        "nap": datetime.timedelta(minutes=5),
        "user_id": 1,
        **changes,
    }


def test_records_are_classes(plugin: undergo.Plugin, guest: Any) -> None:
    person_class = plugin.types.Person
    made = guest.echo_person(person())
    assert type(made) is person_class
    assert made == person_class(
        **{**person(), "email": None, "level": None, "home": plugin.types.Address(street="Main"), "favorite": plugin.types.Color.RED}
    )
    assert "name='Ada'" in repr(made)
    made.name = "Grace"
    assert guest.echo_person(made).name == "Grace"
    assert made.email is None
    with pytest.raises(TypeError):
        person_class("Ada")


def test_dicts_may_use_python_or_wit_names(guest: Any) -> None:
    price = {"minor-units": 5, "iso_code": "EUR", "type": "x"}
    assert guest.echo_price(price).minor_units == 5


def test_a_misspelt_key_is_an_error(guest: Any) -> None:
    with pytest.raises(undergo.TypeMismatchError) as caught:
        guest.echo_person(person(emial="x"))
    assert "person has no field 'emial'; did you mean 'email'?" in str(caught.value)
    assert caught.value.path == "echo-person(p)"


def test_any_object_with_the_attributes_will_do(guest: Any) -> None:
    class Thing:
        x, y, tag = 1.0, 2.0, 3

    assert guest.echo_point(Thing()).y == 2.0
    with pytest.raises(undergo.TypeMismatchError, match="expected point, got object"):
        guest.echo_point(object())
    with pytest.raises(undergo.TypeMismatchError, match="expected point, got str"):
        guest.echo_point("x")


def test_enums_take_members_and_names(plugin: undergo.Plugin, guest: Any) -> None:
    color = plugin.types.Color
    assert issubclass(color, enum.Enum)
    assert guest.echo_color(color.DARK_BLUE) is color.DARK_BLUE
    assert guest.echo_color("dark-blue") is color.DARK_BLUE
    with pytest.raises(undergo.TypeMismatchError, match='"blue" is not a case of color: red, green, dark-blue'):
        guest.echo_color("blue")


def test_classes_of_the_user_stand_for_records() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Point:
        x: float
        y: float
        tag: int = 0

        def length(self) -> float:
            return math.hypot(self.x, self.y)

    checked = []

    @dataclass(kw_only=True)
    class Address:
        street: str
        zip: int | None

        def __post_init__(self) -> None:
            checked.append(self.street)

    plugin = undergo.Plugin(conformance_path(), types={"point": Point, "Address": Address})
    guest = plugin.instantiate(imports={"host": Host()})
    made = guest.echo_point(Point(x=3, y=4))
    assert made.length() == 5
    assert type(made) is Point
    with pytest.raises(FrozenInstanceError):
        made.x = 1  # type: ignore[misc]
    assert guest.maybe_address({"street": "Main"}) == Address(street="Main", zip=None)
    assert checked == ["Main", "Main"]
    with pytest.raises(ValueError, match="nope"):
        undergo.Plugin(conformance_path(), types={"nope": Point})


def test_using_gives_other_options_to_the_same_instance(guest: Any) -> None:
    assert guest.using(timeout=5).counter() == 1
    assert guest.counter() == 2
    view = guest.using(timeout=0.05)
    assert view.exports["echo_string"]("x") == "x"
    with pytest.raises(undergo.TimeoutError):
        view.spin()
    assert not guest.alive


def test_a_plugin_loads_from_bytes_and_from_a_path() -> None:
    path = conformance_path()
    assert undergo.Plugin(path.read_bytes()).name == "plugin.wasm"
    assert undergo.load(str(path), imports={"host": Host()}).echo_string("x") == "x"
    with pytest.raises(undergo.InvalidPluginError, match="can't be read"):
        undergo.Plugin("nowhere.wasm")


def test_background_goroutines_run_when_they_are_polled(guest: Any) -> None:
    guest.start_background()
    before = guest.background()
    for _ in range(3):
        guest.poll(timeout=5)
    assert guest.background() > before
