"""Values of a plugin's classes, and errors, as pickles and copies."""

from __future__ import annotations

import copy
import gc
import multiprocessing
import pickle
import pickletools
import subprocess
import sys
from typing import Any

import pytest
import undergo
from undergo import _errors, _types
from wasm import Export, const, module

WIT = """package undergo:t;

interface types {
  /// A person.
  record person { name: string, age: option<s32>, friends: list<string> }
  enum color { red, dark-green }
  record empty-handed { it: color, who: person }
}

world t {
  use types.{person, color, empty-handed};
  export f: func(p: person, c: color, e: empty-handed) -> s32;
}
"""


def load(wit: str = WIT, params: str = 14 * "i") -> undergo.Plugin:
    return undergo.Plugin(module(wit, [Export("f", params, "i", const(7))]))


@pytest.fixture
def types() -> Any:
    return load().types


def values(types: Any) -> list[Any]:
    ada = types.Person(name="Ada", age=None, friends=["Bob"])
    return [ada, types.Color.DARK_GREEN, types.EmptyHanded(it=types.Color.RED, who=ada), types.Person, types.Color]


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_values_and_classes_pickle(types: Any, protocol: int) -> None:
    for value in values(types):
        again = pickle.loads(pickle.dumps(value, protocol))
        assert again == value
        assert type(again) is type(value)
    assert pickle.loads(pickle.dumps(types.Color.RED, protocol)) is types.Color.RED


def test_values_are_copied(types: Any) -> None:
    person = values(types)[0]
    shallow, deep = copy.copy(person), copy.deepcopy(person)
    assert shallow == deep == person
    assert shallow.friends is person.friends
    assert deep.friends is not person.friends
    assert copy.deepcopy(types.Color.RED) is copy.copy(types.Color.RED) is types.Color.RED
    person.friends.append(person)
    again = pickle.loads(pickle.dumps(person))
    assert again.friends[1] is again
    assert copy.deepcopy(person).friends[1] is not person


def test_a_class_that_derives_from_one_is_pickled_by_its_name(types: Any) -> None:
    derived = type("Derived", (types.Person,), {"__module__": "nowhere"})
    with pytest.raises(pickle.PicklingError):
        pickle.dumps(derived(name="", age=None, friends=[]))


def test_there_is_one_class_for_one_definition_while_it_is_used() -> None:
    first, second = load(), load()
    assert first.types.Person is second.types.Person
    other = load(WIT.replace("age: option<s32>", "age: s32"), 12 * "i")
    assert other.types.Person is not first.types.Person
    told = pickle.dumps(first.types.Person(name="Ada", age=1, friends=[]))
    del first, second, other
    gc.collect()
    # From the definition that travels along: then a plugin that is loaded has the same.
    again = pickle.loads(told)
    assert (type(again).__name__, again.name, again.age) == ("Person", "Ada", 1)
    assert type(again).__doc__ == "A person."
    assert load().types.Person is type(again)


def test_another_process_makes_the_classes(types: Any) -> None:
    told = pickle.dumps(values(types))
    program = "import pickle, sys; found = pickle.load(sys.stdin.buffer); sys.stdout.buffer.write(pickle.dumps((repr(found[:3]), found)))"
    done = subprocess.run([sys.executable, "-c", program], input=told, capture_output=True, check=True)
    shown, again = pickle.loads(done.stdout)
    assert shown == repr(values(types)[:3])
    assert again == values(types)


def echo(value: Any) -> Any:
    return value


def test_values_go_to_a_process_that_is_spawned(types: Any) -> None:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.map(echo, values(types)) == values(types)


@pytest.mark.parametrize(
    "parts",
    [
        [("a; import os", "str", False)],
        [("class", "str", False)],
        [("a", "str", False), ("a", "str", False)],
        [(object(), "str", False)],
        [("a", object(), False)],
        [("__init__ = print", "str", False)],
    ],
)
@pytest.mark.parametrize("kind", ["record", "enum", "other"])
def test_a_definition_that_can_not_be_is_refused(parts: Any, kind: str) -> None:
    with pytest.raises((TypeError, ValueError)):
        _types.make_class("0", kind, "Hostile", "", parts)
    with pytest.raises((TypeError, ValueError)):
        _types.make_class("0", "record", "not a name", "", [])


def test_a_pickle_names_nothing_but_what_makes_a_class(types: Any) -> None:
    told = pickle.dumps(values(types), 4)
    texts = [argument for code, argument, _ in pickletools.genops(told) if code.name == "SHORT_BINUNICODE"]
    assert {text for text in texts if text in ("undergo._types", "make_class", "undergo", "os")} == {"undergo._types", "make_class"}


@pytest.mark.parametrize("kind", sorted(_errors.BY_KIND))
def test_errors_pickle(kind: str) -> None:
    made = _errors.BY_KIND[kind](
        "f: it failed",
        message="it failed",
        path="f",
        frames=(undergo.Frame("main.f", "main.go", 3),),
        origin=0,
        exit_code=2,
        stderr="oh no\n",
        denied="net: x",
    )
    for again in (pickle.loads(pickle.dumps(made)), copy.copy(made), copy.deepcopy(made)):
        assert type(again) is type(made)
        assert str(again) == str(made)
        assert vars(again) == vars(made)
        assert again.origin == undergo.Frame("main.f", "main.go", 3)
