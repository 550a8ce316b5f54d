"""The conversions that Python itself does best.

Imported when the first such value comes: `json` and `datetime` take longer to import than a plugin
to load.
"""

from __future__ import annotations

import datetime
import json
import math
import re
from typing import Any

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
_SECOND = 1_000_000_000
_UNITS = {
    "ns": 1,
    "us": 1000,
    "ms": 1_000_000,
    "s": _SECOND,
    "m": 60 * _SECOND,
    "h": 3600 * _SECOND,
    "D": 86_400 * _SECOND,
    "W": 7 * 86_400 * _SECOND,
}


def time_parts(value: Any) -> tuple[int, int, int] | None:
    """Give the seconds since 1970, nanoseconds, and seconds east of UTC; None for what is no time.

    Raises ValueError for a naive one.
    """
    if not isinstance(value, datetime.datetime):
        if _is_numpy(value, "datetime64"):
            raise ValueError("a numpy.datetime64 has no time zone; give a datetime with one, such as tzinfo=datetime.timezone.utc")
        return None
    offset = value.utcoffset()
    if offset is None:
        raise ValueError("it has no time zone; give one, such as tzinfo=datetime.timezone.utc")
    since = value - _EPOCH
    # That of pandas has nanoseconds beyond its microseconds.
    finer = 0 if type(value) is datetime.datetime else int(getattr(value, "nanosecond", 0))
    return since.days * 86_400 + since.seconds, since.microseconds * 1000 + finer, int(offset.total_seconds())


def make_time(seconds: int, nanoseconds: int, offset: int) -> datetime.datetime:
    """Make an aware datetime.

    Nanoseconds are cut to microseconds. Raises OverflowError outside the years 1 to 9999.
    """
    zone = datetime.timezone(datetime.timedelta(seconds=offset)) if offset else datetime.timezone.utc
    return (_EPOCH + datetime.timedelta(seconds=seconds, microseconds=nanoseconds // 1000)).astimezone(zone)


def duration_nanoseconds(value: Any) -> int | None:
    """Give a timedelta's nanoseconds, those of NumPy's exactly; None for what is no duration.

    Raises ValueError for one of months.
    """
    if isinstance(value, datetime.timedelta):
        # That of pandas has nanoseconds beyond its microseconds.
        finer = 0 if type(value) is datetime.timedelta else int(getattr(value, "nanoseconds", 0))
        return (value.days * 86_400 + value.seconds) * _SECOND + value.microseconds * 1000 + finer
    if not _is_numpy(value, "timedelta64"):
        return None
    import numpy

    unit, count = numpy.datetime_data(value.dtype)
    if unit not in _UNITS or numpy.isnat(value):
        raise ValueError(f"the numpy.timedelta64 is {value}, which is no number of nanoseconds")
    return int(value.astype("int64")) * count * _UNITS[unit]


def _is_numpy(value: Any, name: str) -> bool:
    """Whether it is a scalar of NumPy of that type; NumPy need not be there."""
    return type(value).__module__ == "numpy" and type(value).__name__ == name


def make_duration(nanoseconds: int) -> datetime.timedelta:
    """Make a timedelta. Nanoseconds are cut to microseconds, towards negative infinity."""
    return datetime.timedelta(microseconds=nanoseconds // 1000)


def load_json(text: str) -> Any:
    """Make a value of JSON text. Raises ValueError for numbers that a float can't hold."""
    if _PERHAPS_HUGE.search(text) is None:
        return json.loads(text)
    return json.loads(text, parse_float=_finite)


# What a float above the range of floats has at the least.
_PERHAPS_HUGE = re.compile(r"[eE]\+?\d{2}|(?<!\d)\d{300}")


def _finite(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise ValueError(f"{digits[:40]} is out of range for a float")
    return value
