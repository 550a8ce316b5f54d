"""The classes that stand for a plugin's records and enums."""

from __future__ import annotations

import dataclasses
import enum
import inspect
from typing import Any


def make_record(name: str, doc: str, fields: list[tuple[str, str, bool]]) -> type:
    """Make the class of a record. A field is its name, its annotation, and whether it may be left out."""
    specs: list[Any] = [
        (field, annotation, dataclasses.field(default=None)) if optional else (field, annotation) for field, annotation, optional in fields
    ]
    cls = dataclasses.make_dataclass(name, specs, kw_only=True, slots=True, namespace={"__module__": "undergo"})
    cls.__doc__ = doc or f"{name}({', '.join(field for field, _, _ in fields)})"
    return cls


def make_enum(name: str, doc: str, cases: list[tuple[str, str]]) -> type[enum.Enum]:
    """Make the class of an enum. A case is its member's name and its WIT name, which is the member's value."""
    # The functional form, which type checkers know only with a literal name.
    make: Any = enum.Enum
    cls: type[enum.Enum] = make(name, cases, module="undergo")
    if doc:
        cls.__doc__ = doc
    return cls


def is_plain(cls: type) -> bool:
    """Whether an object of the class can be made by setting its fields: no code of the user would be left out."""
    return (
        dataclasses.is_dataclass(cls)
        and cls.__new__ is object.__new__
        and not hasattr(cls, "__post_init__")
        and not any(f.init is False for f in dataclasses.fields(cls))
    )


def make_signature(params: list[tuple[str, str, bool]], result: str) -> inspect.Signature:
    """Make what `inspect.signature` and `help` show. A parameter is its name, its annotation, and whether it may be left out."""
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
