"""The conversions that Python itself does best.

Imported when the first such value comes: `json` and `datetime` take longer to import than a plugin to load.
"""

from __future__ import annotations

import datetime
import json
import math
import re
from typing import Any

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
_SECOND = 1_000_000_000


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


def load_json(text: str) -> Any:
    """Make a value of JSON text. Raises ValueError for numbers that a float can't hold."""
    if _PERHAPS_HUGE.search(text) is None:
        return json.loads(text)
    return json.loads(text, parse_float=_finite)


# What a float above the range of floats has at the least.
_PERHAPS_HUGE = re.compile(r"[eE]\+?\d{2}|\d{300}")


def _finite(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise ValueError(f"{digits[:40]} is out of range for a float")
    return value
