"""Typed access to the plugin config.wasm.

Written by undergo bindgen; don't edit it, but write it anew.
"""

from __future__ import annotations

import copy
import dataclasses
import enum
import os
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypedDict

import undergo


@dataclasses.dataclass(kw_only=True, slots=True)
class Source:
    """Source is a file of the configuration, and what it can refer to."""

    file: str
    text: str
    variables: dict[str, Any]
    """what var.NAME stands for"""
    functions: list[str]
    """functions of the host, by name"""


@dataclasses.dataclass(kw_only=True, slots=True)
class Health:
    """Health says how a service is asked whether it is well."""

    path: str
    port: int
    seconds: float


@dataclasses.dataclass(kw_only=True, slots=True)
class Service:
    """Service is a block `service "name" { … }`."""

    name: str
    image: str
    replicas: int | None = None
    command: list[str]
    env: dict[str, str]
    health: Health | None = None


@dataclasses.dataclass(kw_only=True, slots=True)
class Deployment:
    """Deployment is a whole configuration."""

    region: str
    labels: dict[str, str]
    services: list[Service]


class Severity(enum.Enum):
    """Severity is how bad it is."""

    ERROR = "error"
    WARNING = "warning"


@dataclasses.dataclass(kw_only=True, slots=True)
class Diagnostic:
    """Diagnostic is something that is wrong with a configuration, and where."""

    severity: Severity
    summary: str
    detail: str
    line: int
    """from 1; 0 when it has no place"""
    column: int
    """from 1, in characters"""
    excerpt: str


class Functions(Protocol):
    """What the host gives as functions."""

    def call(self, name: str, args: list[Any], /) -> Any:
        """Call runs a function of the host.

        An exception that it raises is the error that the plugin gets.
        """


class Imports(TypedDict):
    """What the host gives: for each interface an object with its methods, or a mapping of functions."""

    functions: Functions | Mapping[str, Callable[..., object]]


class ConfigExports:
    """The functions of config.wasm, for an instance or a pool to run."""

    def __init__(self, exports: undergo.Exports) -> None:
        """Wrap the exports of a plugin that was made with types=TYPES."""
        self._exports = exports

    def evaluate(self, source: Source | Mapping[str, object]) -> Deployment:
        """Evaluate gives the configuration that the source stands for.

        Raises:
            undergo.GuestError: the function returned an error.
        """
        result: Deployment = self._exports.evaluate(source)
        return result

    def check(self, source: Source | Mapping[str, object]) -> list[Diagnostic]:
        """Check gives all that is wrong with the source."""
        result: list[Diagnostic] = self._exports.check(source)
        return result


class Config(ConfigExports):
    """An instance of config.wasm."""

    def __init__(self, instance: undergo.Instance) -> None:
        """Wrap an instance whose plugin was made with types=TYPES."""
        super().__init__(instance.exports)
        self._instance = instance

    @property
    def instance(self) -> undergo.Instance:
        """The instance that the methods call."""
        return self._instance

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        *,
        imports: Imports,
        sandbox: undergo.Sandbox | None = None,
        limits: undergo.Limits | None = None,
    ) -> Config:
        """Compile the plugin and make an instance of it."""
        plugin = undergo.Plugin(path, types=TYPES)
        return cls(plugin.instantiate(imports=imports, sandbox=sandbox, limits=limits))

    def using(
        self, *, timeout: float | None = None, cancel: undergo.CancelToken | None = None
    ) -> Config:
        """Give the same instance with other options for its calls: a timeout in seconds, a token to cancel them."""
        view = copy.copy(self)
        view._exports = self._instance.using(timeout=timeout, cancel=cancel).exports
        return view


class ConfigPool(ConfigExports):
    """A pool of instances of config.wasm."""

    def __init__(self, pool: undergo.Pool) -> None:
        """Wrap a pool whose plugin was made with types=TYPES."""
        super().__init__(pool.exports)
        self._pool = pool

    @property
    def pool(self) -> undergo.Pool:
        """The pool that the methods call."""
        return self._pool

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        size: int,
        *,
        imports: Imports,
        sandbox: undergo.Sandbox | None = None,
        limits: undergo.Limits | None = None,
        max_calls: int | None = None,
        idle: float | None = None,
        warm: int = 0,
    ) -> ConfigPool:
        """Compile the plugin and make a pool of at most that many instances."""
        plugin = undergo.Plugin(path, types=TYPES)
        pool = plugin.pool(
            size,
            imports=imports,
            sandbox=sandbox,
            limits=limits,
            max_calls=max_calls,
            idle=idle,
            warm=warm,
        )
        return cls(pool)

    def using(
        self, *, timeout: float | None = None, cancel: undergo.CancelToken | None = None
    ) -> ConfigPool:
        """Give the same pool with other options for its calls: a timeout in seconds, a token to cancel them."""
        view = copy.copy(self)
        view._exports = self._pool.using(timeout=timeout, cancel=cancel).exports
        return view

    def __enter__(self) -> ConfigPool:
        """Give the pool itself."""
        return self

    def __exit__(self, *raised: object) -> None:
        """Close the pool, and wait for the calls that run."""
        self._pool.close()


TYPES: dict[str, type] = {
    "source": Source,
    "health": Health,
    "service": Service,
    "deployment": Deployment,
    "severity": Severity,
    "diagnostic": Diagnostic,
}
"""The classes of this module, by the names of their types in the plugin's interface."""
