"""What arrived in pickles and is kept for the next ones, so that it is made once in each process."""

from __future__ import annotations

import os
import threading
import weakref
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Kept(Generic[T]):
    """Objects by their keys: the latest `most` of them, and others as long as they are used."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: weakref.WeakValueDictionary[Hashable, T] = weakref.WeakValueDictionary()
        self._latest: OrderedDict[Hashable, T] = OrderedDict()
        self._renew_lock()
        if hasattr(os, "register_at_fork"):
            # A thread that the child does not have may have held the lock.
            os.register_at_fork(after_in_child=self._renew_lock)

    def _renew_lock(self) -> None:
        # One that its holder may take again: what is dropped may run code that comes here.
        self._lock = threading.RLock()

    def find(self, key: Hashable) -> T | None:
        """Give the object of that key, if it is there."""
        with self._lock:
            found = self._known.get(key)
            return found if found is None else self._keep(key, found)

    def add(self, key: Hashable, made: T) -> T:
        """Keep an object, unless another thread has made one meanwhile; give the one that is kept."""
        with self._lock:
            return self._keep(key, self._known.setdefault(key, made))

    def note(self, key: Hashable, used: T) -> None:
        """Let `find` give an object while it is used elsewhere; it is not kept."""
        with self._lock:
            self._known.setdefault(key, used)

    def _keep(self, key: Hashable, found: T) -> T:
        self._latest[key] = found
        self._latest.move_to_end(key)
        while len(self._latest) > self._most:
            self._latest.popitem(last=False)
        return found
