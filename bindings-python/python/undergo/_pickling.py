"""Plugins as pickles: the digest with the module's bytes, or with its path."""

from __future__ import annotations

import copyreg
import os
import sys
from collections.abc import Hashable, Mapping
from pickle import PickleBuffer, PicklingError, UnpicklingError
from types import FunctionType
from typing import Any

from ._kept import Kept
from ._undergo import AsyncFunction, AsyncInstance, AsyncPool, CancelToken, Exports, Function, Instance, Plugin, Pool, View

_plugins: Kept[Plugin] = Kept(16)
"""The plugins that arrived, and those of this process that were sent."""


def reduce_plugin(plugin: Plugin, protocol: int, source: bytes | str, options: dict[str, Any]) -> tuple[Any, ...]:
    """Tell pickle how a plugin is made again: of the module's bytes, or of the file at a path."""
    _plugins.note(_key(plugin.digest, source, options), plugin)
    if protocol >= 5 and isinstance(source, bytes):
        # Engines pass such a buffer on without copying it.
        return restore_plugin, (plugin.digest, PickleBuffer(source), options)
    return restore_plugin, (plugin.digest, source, options)


def restore_plugin(digest: str, source: bytes | bytearray | memoryview | str, options: dict[str, Any]) -> Plugin:
    """Give the plugin of that digest and those options, which is made once.

    Raises:
        UnpicklingError: if the bytes, or the file, have another digest.
    """
    key = _key(digest, source, options)
    if found := _plugins.find(key):
        return found
    if isinstance(source, str):
        if not os.path.exists(source):
            text = "is not there: with pickle='path', each process needs the module at the path where it was loaded"
            raise UnpicklingError(f"{source} {text}")
        plugin = Plugin(source, pickle="path", **options)
    else:
        plugin = Plugin(bytes(source), **options)
    if plugin.digest != digest:
        what = (
            f"{source} has changed since the plugin was pickled"
            if isinstance(source, str)
            else "the pickle's module is not the one it names"
        )
        raise UnpicklingError(f"{what}: its digest is {plugin.digest[:16]}… and not {digest[:16]}…")
    return _plugins.add(key, plugin)


def _key(digest: str, source: object, options: dict[str, Any]) -> Hashable:
    known = dict(options, source=source if isinstance(source, str) else None)
    if known["types"] is not None:
        known["types"] = tuple(sorted(known["types"].items()))
    if isinstance(known.get("cache"), os.PathLike):
        known["cache"] = os.fspath(known["cache"])
    return digest, tuple(sorted(known.items()))


def _refuse(given: Any) -> Any:
    """Say what can be sent in place of what runs in this process."""
    name = type(given).__name__
    if name == "CancelToken":
        raise TypeError("a CancelToken can't be pickled, because it ends calls of its own process: send a timeout, Limits(timeout=…)")
    raise TypeError(
        f"{'an' if name[0] in 'AEI' else 'a'} {name} can't be pickled, because its guests run in this process: "
        "send the Plugin, or plugin.bind(…) and its functions, which run where they arrive"
    )


for _class in (AsyncFunction, AsyncInstance, AsyncPool, CancelToken, Exports, Function, Instance, Pool, View):
    copyreg.pickle(_class, _refuse)


def check_functions(given: Any, place: str) -> None:
    """Name the function among an option's that pickle can't find again where it arrives.

    Raises:
        PicklingError: that names the option. pickle's own error names only the function.
    """
    if isinstance(given, Mapping):
        for name, value in given.items():
            check_functions(value, f"{place}[{name!r}]")
    elif isinstance(given, FunctionType):
        module = sys.modules.get(given.__module__)
        found: Any = module
        for part in given.__qualname__.split("."):
            found = getattr(found, part, None)
        if found is not given:
            kind = "a lambda" if given.__name__ == "<lambda>" else f"the function {given.__qualname__}"
            raise PicklingError(
                f"{place} is {kind}, which can't be pickled: pickle finds a function by its name in its module; "
                "define it with def in a module, or let cloudpickle send it"
            )


def is_by_value() -> bool:
    """Whether the pickler that is running is a cloudpickle, which sends functions by value.

    Engines bring copies of their own, and nothing else tells an object which pickler it is for.
    """
    frame = sys._getframe(1)
    while frame is not None:
        if "cloudpickle" in frame.f_globals.get("__name__", ""):
            return True
        frame = frame.f_back  # type: ignore[assignment]
    return False
