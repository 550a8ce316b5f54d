"""The classes that stand for a plugin's records, enums, variants and errors."""

from __future__ import annotations

import copyreg
import dataclasses
import enum
import functools
import inspect
import operator
import types
import typing
import weakref
from collections.abc import Sequence
from typing import Any

from ._errors import GuestError


class _RecordMeta(type):
    """The class of the classes of records, cases and errors, which are pickled with their definition."""


class _EnumMeta(enum.EnumMeta):
    """The same for enums."""


class _Record(metaclass=_RecordMeta):
    """What all classes are that are made for records and for cases."""

    __slots__ = ()


class _Error(GuestError, metaclass=_RecordMeta):
    """What all classes are that are made for errors with fields."""


class _Enum(enum.Enum, metaclass=_EnumMeta):
    """What all classes are that are made for enums."""


_made: weakref.WeakValueDictionary[tuple[Any, ...], type] = weakref.WeakValueDictionary()
"""The classes by their definitions, one for each, shared by all plugins and pickles."""


def make_class(digest: str, kind: str, name: str, doc: str, parts: Sequence[Sequence[Any]]) -> type:
    """Make the class of a record, a case, an error or an enum, or find it.

    The parts of a record, a case or an error are its fields: a name, an annotation, and whether it
    may be left out. Those of an enum are its cases: the member's name, and its WIT name, which is
    the member's value. `digest` is the interface's. A pickle has the same arguments, and may say
    anything.
    """
    key = (digest, kind, name, doc, tuple(map(tuple, parts)))
    if found := _made.get(key):
        return found
    texts = [digest, kind, name, doc, *(text for part in parts for text in part[:2])]
    if kind not in _MAKERS or not all(isinstance(text, str) for text in texts) or not name.isidentifier():
        raise ValueError("it is no definition of a record, a case, an error or an enum")
    cls = _MAKERS[kind](name, doc, key[4])
    cls.__undergo__ = key  # type: ignore[attr-defined]
    return _made.setdefault(key, cls)


def _record(name: str, doc: str, fields: Sequence[Sequence[Any]]) -> type:
    return _dataclass(name, doc, fields, kw_only=True)


def _case(name: str, doc: str, fields: Sequence[Sequence[Any]]) -> type:
    return _dataclass(name, doc, fields, kw_only=False)


def _dataclass(name: str, doc: str, fields: Sequence[Sequence[Any]], *, kw_only: bool) -> type:
    specs: list[Any] = [
        (field, annotation, dataclasses.field(default=None)) if optional else (field, annotation) for field, annotation, optional in fields
    ]
    cls = dataclasses.make_dataclass(name, specs, bases=(_Record,), kw_only=kw_only, slots=True, namespace={"__module__": "undergo"})
    cls.__doc__ = doc or f"{name}({', '.join(field for field, _, _ in fields)})"
    return cls


def _error(name: str, doc: str, fields: Sequence[Sequence[Any]]) -> type:
    parameter = inspect.Parameter
    given = [
        parameter(field, parameter.KEYWORD_ONLY, annotation=annotation, default=None if optional else parameter.empty)
        for field, annotation, optional in fields
    ]
    own = [
        parameter("self", parameter.POSITIONAL_ONLY),
        parameter("message", parameter.POSITIONAL_ONLY, annotation="str", default=""),
    ]
    signature = inspect.Signature([*own, *given])

    def __init__(*args: Any, **kwargs: Any) -> None:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        self, message, *values = bound.arguments.values()
        GuestError.__init__(self, message)
        for parameter, value in zip(given, values, strict=True):
            setattr(self, parameter.name, value)

    __init__.__signature__ = signature  # type: ignore[attr-defined]
    members = {
        "__module__": "undergo",
        "__doc__": doc or f"{name}({', '.join(field for field, _, _ in fields)})",
        "__annotations__": {field: annotation for field, annotation, _ in fields},
        "__match_args__": tuple(field for field, _, _ in fields),
        "__init__": __init__,
    }
    return _RecordMeta(name, (_Error,), members)


def _enum(name: str, doc: str, cases: Sequence[Sequence[Any]]) -> type[enum.Enum]:
    # The functional form, which type checkers know only with a literal name.
    make: Any = _Enum
    cls: type[enum.Enum] = make(name, [tuple(case) for case in cases], module="undergo")
    if doc:
        cls.__doc__ = doc
    return cls


_MAKERS = {"record": _record, "case": _case, "error": _error, "enum": _enum}


_MANY = 64
"""Up to so many classes a union is made of them one by one."""


def union(classes: Sequence[type]) -> Any:
    """Make what stands for a variant: any of the classes of its cases."""
    if len(classes) <= _MANY:
        return functools.reduce(operator.or_, classes)
    # The operator would take a time that grows with the third power of their number.
    return typing.Union[tuple(classes)]  # noqa: UP007


def check_error(cls: type, name: str) -> None:
    """Check the class that the user gave for an error.

    Raises TypeError for one that can't be raised, or that `except GuestError` would miss.
    """
    if not issubclass(cls, GuestError):
        raise TypeError(f"types[{name!r}] stands for an error, and must derive from undergo.GuestError")


def _reduce_class(cls: type) -> str | tuple[Any, ...]:
    """Tell pickle how to find the class: by its definition, or a derived class by its name."""
    key = vars(cls).get("__undergo__")
    return cls.__qualname__ if key is None else (make_class, key)


copyreg.pickle(_RecordMeta, _reduce_class)
copyreg.pickle(_EnumMeta, _reduce_class)


def is_plain(cls: type) -> bool:
    """Whether setting its fields makes an object of the class: no code of the user is skipped."""
    return (
        dataclasses.is_dataclass(cls)
        and cls.__new__ is object.__new__
        and not hasattr(cls, "__post_init__")
        and not any(f.init is False for f in dataclasses.fields(cls))
    )


def public_attribute(given: Any, name: str) -> Any:
    """Give an object's attribute of a public name, its own or its classes'; None if it has none.

    A class with `__getattr__` answers for any such name. What every object has is no function for a
    plugin, nor what a class keeps to itself. Of a module only what is its own counts, by `__all__`
    where it has that, and else by where it was defined: not what it imports.
    """
    if name.startswith("_"):
        return None
    if isinstance(given, types.ModuleType):
        found = vars(given).get(name)
        exported = getattr(given, "__all__", None)
        is_own = name in exported if exported is not None else getattr(found, "__module__", None) == given.__name__
        return found if is_own else None
    own = vars(given) if hasattr(type(given), "__dict__") and hasattr(given, "__dict__") else {}
    classes = (given, *given.__mro__) if isinstance(given, type) else type(given).__mro__
    public = {name, "__getattr__"}
    is_known = name in own or any(public & vars(cls).keys() for cls in classes if cls is not object and cls is not type)
    return getattr(given, name, None) if is_known else None


def make_signature(params: list[tuple[str, str, bool]], result: str) -> inspect.Signature:
    """Make what `inspect.signature` and `help` show.

    A parameter is its name, its annotation, and whether it may be left out.
    """
    parameter = inspect.Parameter
    made = [
        parameter(
            name,
            parameter.POSITIONAL_OR_KEYWORD,
            annotation=annotation,
            default=None if optional else parameter.empty,
        )
        for name, annotation, optional in params
    ]
    return inspect.Signature(made, return_annotation=result)


def make_resource(base: type, name: str, doc: str, methods: dict[str, Any]) -> type:
    """Make the class of a resource's objects."""
    return type(base)(name, (base,), {"__module__": "undergo", "__slots__": (), "__doc__": doc or None, **methods})
