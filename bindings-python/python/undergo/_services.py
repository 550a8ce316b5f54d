"""Services under standard names: what a host switches on for plugins that import them.

Each function gives imports, to be merged with others by `|`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from logging import CRITICAL, DEBUG, ERROR, INFO, WARNING, Logger, getLogger
from typing import Any

from ._undergo import KeyValue, parse_size

# Below `DEBUG`, as users of `logging` have it.
_TRACE = 5
_LEVELS = {"trace": _TRACE, "debug": DEBUG, "info": INFO, "warn": WARNING, "error": ERROR, "critical": CRITICAL}

# What would change the terminal, or begin another line.
_UNPLAIN = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
_LONGEST = 64 << 10


def keyvalue(
    redis: str | None = None,
    *,
    stores: Iterable[str] = ("default",),
    entries: int = 100_000,
    bytes: int | str = "64MiB",
) -> dict[str, KeyValue]:
    """Give imports to plugins that keep keys and values: `wasi:keyvalue/store`, `/batch`, `/atomics`.

    Instances that get the same imports have the same stores.

    Args:
        redis: where they are: `redis://[user:password@]host[:port][/database]`. Otherwise they are
            in this process's memory.
        stores: the names of the stores that a plugin can open.
        entries: how many keys there may be in memory, in all stores together.
        bytes: how many bytes these and their values may have, and an answer of Redis.

    Example:
        >>> counter = undergo.load("counter.wasm", imports=undergo.keyvalue())
    """
    most = parse_size(bytes, "bytes") if isinstance(bytes, str) else bytes
    found = KeyValue(redis, stores=list(stores), entries=entries, bytes=most)
    return {f"wasi:keyvalue/{name}": found for name in ("store", "batch", "atomics")}


class _Config:
    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def get(self, key: str) -> str | None:
        return self._values.get(key)

    def get_all(self) -> list[tuple[str, str]]:
        return list(self._values.items())


def config(values: Mapping[str, str]) -> dict[str, Any]:
    """Give imports to plugins that read a configuration: `wasi:config/store`, once called `/runtime`.

    Args:
        values: the configuration. What is changed in it later, plugins see.

    Example:
        >>> counter = undergo.load("counter.wasm", imports=undergo.config({"greeting": "Hello"}))
    """
    found = _Config(values)
    return {"wasi:config/store": found, "wasi:config/runtime": found}


class _Logging:
    def __init__(self, logger: Logger) -> None:
        self._logger = logger

    def log(self, level: Any, context: str, message: str) -> None:
        number = _LEVELS.get(getattr(level, "value", level), INFO)
        if not self._logger.isEnabledFor(number):
            return
        context, message = _plain(context), _plain(message)
        self._logger.log(number, "%s: %s" if context else "%s%s", context, message, extra={"context": context})


def _plain(text: str) -> str:
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]}… ({len(text) - _LONGEST} more characters)"
    return _UNPLAIN.sub(lambda found: f"\\u{{{ord(found[0]):x}}}", text)


def logging(logger: Logger | str | None = None) -> dict[str, Any]:
    """Give imports to plugins that log: `wasi:logging/logging`.

    Control characters, and those that begin a line, are escaped, and of a longer text the first
    64 Ki characters are logged. `trace` is level 5. A record has the plugin's context in its
    attribute `context`, too.

    Args:
        logger: where it logs to, or its name; that of the name `undergo` otherwise.

    Example:
        >>> counter = undergo.load("counter.wasm", imports=undergo.logging("counter"))
    """
    if not isinstance(logger, Logger):
        logger = getLogger("undergo" if logger is None else logger)
    return {"wasi:logging/logging": _Logging(logger)}
