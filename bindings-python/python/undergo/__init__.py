"""Load Go plugins as typed, sandboxed Python functions.

Example:
    >>> import undergo
    >>> greeter = undergo.load("greeter.wasm")
    >>> greeter.greet({"name": "Ada", "tags": []}, shout=True)
    'HELLO ADA'
"""

from __future__ import annotations

from os import PathLike
from typing import Any, Literal

from ._bound import Bound, BoundFunction
from ._config import Dir, Limits, Sandbox
from ._errors import (
    BusyError,
    CancelledError,
    DeadInstanceError,
    DeniedError,
    Error,
    ExitError,
    Frame,
    GuestError,
    HostError,
    InvalidPluginError,
    MissingImportError,
    OutOfFuelError,
    OutOfMemoryError,
    PanicError,
    SignatureMismatchError,
    TimeoutError,
    TrapError,
    TypeMismatchError,
    UnknownExportError,
)
from ._handles import AsyncItems, AsyncReader, AsyncWriter, Items, Reader, Writer
from ._records import Completed, PoolStats, ServerStats, Usage
from ._services import config, keyvalue, logging
from ._undergo import (
    AsyncFunction,
    AsyncInstance,
    AsyncPool,
    Call,
    CancelToken,
    Exports,
    Function,
    Instance,
    KeyValue,
    Memory,
    Plugin,
    Pool,
    Resource,
    Server,
    View,
    __version__,
)

__all__ = [
    "AsyncFunction",
    "AsyncInstance",
    "AsyncItems",
    "AsyncPool",
    "AsyncReader",
    "AsyncWriter",
    "Bound",
    "BoundFunction",
    "BusyError",
    "Call",
    "CancelToken",
    "CancelledError",
    "Completed",
    "DeadInstanceError",
    "DeniedError",
    "Dir",
    "Error",
    "ExitError",
    "Exports",
    "Frame",
    "Function",
    "GuestError",
    "HostError",
    "Instance",
    "InvalidPluginError",
    "Items",
    "KeyValue",
    "Limits",
    "Memory",
    "MissingImportError",
    "OutOfFuelError",
    "OutOfMemoryError",
    "PanicError",
    "Plugin",
    "Pool",
    "PoolStats",
    "Reader",
    "Resource",
    "Sandbox",
    "Server",
    "ServerStats",
    "SignatureMismatchError",
    "TimeoutError",
    "TrapError",
    "TypeMismatchError",
    "UnknownExportError",
    "Usage",
    "View",
    "Writer",
    "__version__",
    "config",
    "keyvalue",
    "load",
    "logging",
]


def load(
    source: str | PathLike[str] | bytes,
    *,
    types: dict[str, type] | None = None,
    compile: Literal["tiered", "fast", "best"] = "tiered",
    cache: str | PathLike[str] | bool | None = None,
    bounds: int | None = None,
    timeout: float | None = None,
    cancel: CancelToken | None = None,
    compiler: str | PathLike[str] | None = None,
    optimize: bool = True,
    **options: Any,
) -> Instance:
    """Compile a plugin and make one instance of it: `Plugin(source, ...).instantiate(**options)`.

    Args:
        source: the path of a `.wasm` file, or its bytes.
        types: classes to stand for the plugin's types, by their names.
        compile: `"tiered"`, `"fast"` or `"best"`, as of `Plugin`.
        cache: where compiled code is kept, as of `Plugin`.
        bounds: how many times as much as usual the module may ask of a compiler, as of `Plugin`.
        timeout: seconds that loading may take, as of `Plugin`; a call's timeout is one of `limits`.
        cancel: a token that ends loading.
        compiler: an `undergo` program that compiles in a process of its own, as of `Plugin`.
        optimize: whether Go's code is made faster before it is compiled, as of `Plugin`.
        options: `imports`, `sandbox` and `limits` of `Plugin.instantiate`.
    """
    plugin = Plugin(
        source,
        types=types,
        compile=compile,
        cache=cache,
        bounds=bounds,
        timeout=timeout,
        cancel=cancel,
        compiler=compiler,
        optimize=optimize,
    )
    return plugin.instantiate(**options)
