"""What a plugin may import of what a program gives."""

from __future__ import annotations

import math
import types
from collections.abc import Callable
from typing import Any

import pytest
import undergo
from wasm import Export, Import, call, module


def plugin(*names: str) -> undergo.Plugin:
    """A bare module that imports functions of `store`, each of which gives an integer, and exports what calls them."""
    imports = [Import("store", name, "", "I") for name in names]
    exports = [Export(f"call{i}", "", "I", call(i)) for i in range(len(names))]
    return undergo.Plugin(module(None, exports, imports=imports))


def reached(given: Any, name: str) -> Any:
    """What the plugin gets when it calls the import of that name; None when it finds none."""
    try:
        guest: Any = plugin(name).instantiate(imports={"store": given})
    except undergo.MissingImportError:
        return None
    return guest.call0()


class Base:
    def inherited(self) -> int:
        return 1


class Store(Base):
    static = staticmethod(lambda: 2)
    __slots__ = ("slot",)

    def __init__(self) -> None:
        self.mine = lambda: 3
        self._mine = lambda: 4
        self.slot = lambda: 5

    def get(self) -> int:
        return 6

    def get_class(self) -> int:
        return 7

    @property
    def made(self) -> Callable[[], int]:
        return lambda: 8

    @classmethod
    def of_class(cls) -> int:
        return 9

    def _private(self) -> int:
        raise AssertionError("it is the class's own")

    __mangled = _private


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("inherited", 1),
        ("static", 2),
        ("mine", 3),
        ("slot", 5),
        ("get", 6),
        ("get-class", 7),
        ("made", 8),
        ("of-class", 9),
    ],
)
def test_public_names_of_an_object_and_its_classes_are_found(name: str, value: int) -> None:
    assert reached(Store(), name) == value


@pytest.mark.parametrize(
    "name",
    [
        "_mine",
        "_private",
        "_Store__mangled",
        "__hash__",
        "__class__",
        "__init__",
        "__sizeof__",
        "__reduce__",
        "__dir__",
        "__subclasshook__",
        "nothing",
    ],
)
def test_what_every_object_has_or_a_class_keeps_to_itself_is_not(name: str) -> None:
    assert reached(Store(), name) is None


def test_only_what_is_asked_for_is_looked_at() -> None:
    class Watched:
        @property
        def trap(self) -> Any:
            raise AssertionError("nobody asked for it")

        def get(self) -> int:
            return 1

    assert reached(Watched(), "get") == 1
    assert reached(Watched(), "other") is None


def test_a_class_may_answer_for_any_public_name() -> None:
    class Any_:
        def __getattr__(self, name: str) -> Any:
            assert not name.startswith("_"), name
            return (lambda: 1) if name != "other" else super().__getattribute__(name)

    assert reached(Any_(), "get") == 1
    assert reached(Any_(), "other") is None
    for name in ("_get", "__hash__", "_ipython_display_", "__wrapped__"):
        assert reached(Any_(), name) is None


def test_a_mapping_gives_its_keys_alone() -> None:
    assert reached({"get": lambda: 1}, "get") == 1
    # Whoever writes a name gives it.
    assert reached({"_get": lambda: 2}, "_get") == 2
    for name in ("clear", "pop", "keys", "__len__"):
        assert reached({"get": lambda: 1}, name) is None


def test_a_class_gives_its_own_names_and_not_those_of_all_classes() -> None:
    assert reached(Store, "static") == 2
    assert reached(Store, "of-class") == 9
    for name in ("mro", "__subclasses__", "__call__"):
        assert reached(Store, name) is None


def test_a_module_gives_what_it_defines_and_not_what_it_imports() -> None:
    given = types.ModuleType("given")
    exec("from os import system\ndef get(): return 1\ndef _get(): return 2\n", vars(given))
    assert reached(given, "get") == 1
    assert reached(given, "system") is None
    assert reached(given, "_get") is None
    given.__all__ = ["system"]  # type: ignore[attr-defined]
    assert reached(given, "get") is None
    assert reached(types.SimpleNamespace(get=lambda: 3), "get") == 3
    # One written in C says of its functions, too, that they are its own.
    with pytest.raises(TypeError):
        reached(math, "sqrt")
