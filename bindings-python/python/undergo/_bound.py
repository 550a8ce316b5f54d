"""Functions of a plugin that run in whichever process calls them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from inspect import Signature
from typing import TYPE_CHECKING, Any

from ._kept import Kept
from ._pickling import check_functions, is_by_value

if TYPE_CHECKING:
    from ._config import Limits, Sandbox
    from ._undergo import Plugin, Pool


class Bound:
    """A plugin with what its instances get, whose exports can be sent to other processes.

    `Plugin.bind` creates it. The exports are its methods; `exports` holds all of them, including
    those whose names are taken by an attribute of this class.

    It can be pickled. Each process has one pool for it, however often it arrives, and creates the
    pool when it first calls a function. A call runs on the thread that makes it, in the process
    that makes it.
    """

    def __init__(self, plugin: Plugin, options: dict[str, Any]) -> None:
        self._begin(os.urandom(16).hex())
        self._state = plugin, options

    def _begin(self, identity: str) -> None:
        self._id = identity
        self._pools: dict[int, Pool] = {}

    @property
    def plugin(self) -> Plugin:
        """The plugin of these functions."""
        return self._state[0]

    @property
    def pool(self) -> Pool:
        """The pool of this process, which is created when it is first needed."""
        pool = self._pools.get(_forks.count)
        if pool is None:
            plugin, options = self._state
            size = options["size"] or os.cpu_count() or 1
            # Of several threads that make one, all take the first; the others have no instances.
            pool = self._pools.setdefault(_forks.count, plugin.pool(**{**options, "size": size}))
        return pool

    @property
    def exports(self) -> dict[str, BoundFunction]:
        """All exports, by name."""
        return {name: BoundFunction(self, name) for name in self.plugin.exports}

    def __getattr__(self, name: str) -> BoundFunction:
        if name.startswith("_"):
            # Asked for by pickle and copy, also when there is no state yet.
            raise AttributeError(name)
        # It may raise, and name similar ones.
        getattr(self.pool.exports, name)
        return BoundFunction(self, name)

    def __dir__(self) -> Iterator[str]:
        yield from super().__dir__()
        yield from self.plugin.exports

    def __repr__(self) -> str:
        return f"<undergo.Bound of {self.plugin.name}: {len(self.plugin.exports)} exports>"

    def __reduce__(self) -> tuple[Any, ...]:
        plugin, options = self._state
        if not is_by_value():
            check_functions(options["imports"], "imports")
            for name in ("stdout", "stderr"):
                check_functions(getattr(options["sandbox"], name, None), f"Sandbox.{name}")
        _bounds.note(self._id, self)
        # The rest is its state, because a host function may refer to it.
        return _restore, (self._id,), (plugin, options)

    def __setstate__(self, state: tuple[Plugin, dict[str, Any]]) -> None:
        if "_state" not in vars(self):
            self._state = state

    def __copy__(self) -> Bound:
        return self

    def __deepcopy__(self, memo: object) -> Bound:
        return self

    def __dask_tokenize__(self) -> str:
        return self._id


class BoundFunction:
    """An export of a plugin that runs in whichever process calls it."""

    __slots__ = ("__name__", "__qualname__", "__weakref__", "_bound")

    def __init__(self, bound: Bound, name: str) -> None:
        self._bound = bound
        self.__name__ = self.__qualname__ = name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._bound.pool.exports[self.__name__](*args, **kwargs)

    @property
    def __signature__(self) -> Signature:
        return self._bound.pool.exports[self.__name__].__signature__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, BoundFunction) and (self._bound, self.__name__) == (other._bound, other.__name__)

    def __hash__(self) -> int:
        return hash((self._bound, self.__name__))

    def __repr__(self) -> str:
        return f"<undergo bound function {self.__name__} of {self._bound.plugin.name}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return BoundFunction, (self._bound, self.__name__)

    def __dask_tokenize__(self) -> tuple[str, str]:
        return self._bound.__dask_tokenize__(), self.__name__


class _Forks:
    """How often this process has forked off its ancestors: what runs is not in a child."""

    def __init__(self) -> None:
        self.count = 0
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._add)

    def _add(self) -> None:
        self.count += 1


_forks = _Forks()
_bounds: Kept[Bound] = Kept(16)
"""What arrived, and what this process has sent, by identity: each has one pool here."""


def _restore(identity: str) -> Bound:
    if found := _bounds.find(identity):
        return found
    bound = Bound.__new__(Bound)
    bound._begin(identity)
    return _bounds.add(identity, bound)


def bind(
    plugin: Plugin,
    imports: Mapping[str, Any] | None,
    sandbox: Sandbox | None,
    limits: Limits | None,
    size: int | None,
    max_calls: int | None,
    idle: float | None,
) -> Bound:
    """Bind options to a plugin, as `Plugin.bind` does."""
    options = {"imports": imports, "sandbox": sandbox, "limits": limits, "size": size, "max_calls": max_calls, "idle": idle}
    bound = Bound(plugin, options)
    # Made now, so that an option that can't be is reported here and not where the functions arrive.
    _ = bound.pool
    return bound
