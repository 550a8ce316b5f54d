"""The classes that stand for a plugin's records and enums, and the conversions that Python itself does best."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import inspect
import json
from typing import Any

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
_SECOND = 1_000_000_000


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


def time_parts(value: datetime.datetime) -> tuple[int, int, int]:
    """Give the seconds since 1970, nanoseconds, and seconds east of UTC. Raises ValueError for a naive datetime."""
    offset = value.utcoffset()
    if offset is None:
        raise ValueError("it has no time zone; give one, such as tzinfo=datetime.timezone.utc")
    since = value - _EPOCH
    return since.days * 86_400 + since.seconds, since.microseconds * 1000, int(offset.total_seconds())


def make_time(seconds: int, nanoseconds: int, offset: int) -> datetime.datetime:
    """Make an aware datetime. Nanoseconds are cut to microseconds. Raises OverflowError outside the years 1 to 9999."""
    zone = datetime.timezone(datetime.timedelta(seconds=offset)) if offset else datetime.timezone.utc
    return (_EPOCH + datetime.timedelta(seconds=seconds, microseconds=nanoseconds // 1000)).astimezone(zone)


def duration_nanoseconds(value: datetime.timedelta) -> int:
    """Give a timedelta's nanoseconds."""
    return (value.days * 86_400 + value.seconds) * _SECOND + value.microseconds * 1000


def make_duration(nanoseconds: int) -> datetime.timedelta:
    """Make a timedelta. Nanoseconds are cut to microseconds, towards negative infinity."""
    return datetime.timedelta(microseconds=nanoseconds // 1000)


def dump_json(value: Any) -> str:
    """Give a value as JSON text. Raises ValueError or TypeError for what JSON can't hold."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


load_json = json.loads
