"""What lives longer than a call, at random: objects, iterators, callbacks and streams, of which nothing may be left on either side."""

from __future__ import annotations

import gc
import io
import random
from collections.abc import Callable, Iterator
from typing import Any

import undergo

MOST_KEPT = 40
"""How many objects and iterators are held at once."""


class Store:
    """An object of the host."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    def get(self, key: str) -> str:
        """Return the text, or fail."""
        return self.texts[key]

    def put(self, key: str, value: str) -> None:
        """Keep a text."""
        self.texts[key] = value

    def size(self) -> int:
        """Count the texts."""
        return len(self.texts)

    def child(self, name: str) -> Store:
        """Make another one."""
        store = Store()
        store.put("name", name)
        return store


class Host:
    """The functions that the conformance guest imports, of which the soak calls none."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        """Give a function that does nothing."""
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *_arguments: None


class Handles:
    """One instance, with what is held of it."""

    def __init__(self, plugin: undergo.Plugin, limits: undergo.Limits) -> None:
        sandbox = undergo.Sandbox(stdout="discard", stderr="discard")
        self.guest: Any = plugin.instantiate(imports={"host": Host()}, sandbox=sandbox, limits=limits)
        self.objects: list[Any] = []
        self.iterators: list[tuple[Iterator[int], int]] = []
        self.goroutines = self.guest.goroutines()
        self.all: list[Callable[[random.Random], None]] = [
            *(self.make, self.add, self.merge, self.end, self.count, self.take, self.leave),
            *(self.apply, self.fail, self.keep, self.iterate, self.copy, self.read),
        ]

    def do(self, dice: random.Random) -> None:
        """Do one thing."""
        dice.choice(self.all)(dice)

    def hold(self, made: Any) -> None:
        """Hold an object; an older one is dropped for it, which the collector notices."""
        self.objects.append(made)
        del self.objects[:-MOST_KEPT]

    def make(self, dice: random.Random) -> None:
        """Construct an object, or get several."""
        if dice.random() < 0.5:
            self.hold(self.guest.Tally(dice.randrange(100)))
        else:
            for made in self.guest.count_up(dice.randrange(5)):
                self.hold(made)

    def add(self, dice: random.Random) -> None:
        """Call methods."""
        if self.objects:
            tally, n = dice.choice(self.objects), dice.randrange(100)
            before = tally.value()
            assert tally.add(n) == before + n

    def merge(self, dice: random.Random) -> None:
        """Pass objects, and get one."""
        if self.objects:
            a, b = dice.choice(self.objects), dice.choice(self.objects)
            merged = self.guest.merge_tallies(a, b)
            assert merged.value() == a.value() + b.value()
            self.hold(merged)

    def end(self, dice: random.Random) -> None:
        """Close an object."""
        if self.objects:
            tally = self.objects.pop(dice.randrange(len(self.objects)))
            tally.close()
            try:
                tally.value()
            except undergo.TypeMismatchError:
                return
            raise AssertionError("a closed object has answered")

    def count(self, dice: random.Random) -> None:
        """Begin an iterator."""
        self.iterators.append((self.guest.numbers(dice.randrange(2000)), 0))
        del self.iterators[:-MOST_KEPT]

    def take(self, dice: random.Random) -> None:
        """Take some items."""
        if self.iterators:
            place = dice.randrange(len(self.iterators))
            iterator, at = self.iterators[place]
            for _ in range(dice.randrange(300)):
                item = next(iterator, None)
                if item is None:
                    del self.iterators[place]
                    return
                assert item == at, (item, at)
                at += 1
            self.iterators[place] = (iterator, at)

    def leave(self, dice: random.Random) -> None:
        """Leave an iterator early."""
        if self.iterators:
            iterator, _ = self.iterators.pop(dice.randrange(len(self.iterators)))
            if dice.random() < 0.5:
                iterator.close()  # type: ignore[attr-defined]

    def apply(self, dice: random.Random) -> None:
        """Pass a callable, which may call the instance, or close what is held."""

        def double(n: int) -> int:
            if dice.random() < 0.1:
                self.make(dice)
            elif dice.random() < 0.1:
                self.leave(dice)
            return 2 * n

        given = [dice.randrange(100) for _ in range(dice.randrange(20))]
        assert list(self.guest.apply(given, double)) == [2 * n for n in given]

    def fail(self, _dice: random.Random) -> None:
        """Pass a callable that fails."""

        def fail(_n: int) -> int:
            raise ValueError("no")

        try:
            self.guest.apply([1], fail)
        except (ValueError, undergo.Error):
            return
        raise AssertionError("a callback's failure was lost")

    def keep(self, dice: random.Random) -> None:
        """Have the guest keep a callable and an object, or let go of them."""
        if dice.random() < 0.5:
            self.guest.keep_op(lambda n: n + 1)
            self.guest.keep_store(Store())
        else:
            self.guest.drop_kept()
            self.guest.drop_store()

    def iterate(self, dice: random.Random) -> None:
        """Pass an iterable."""
        n = dice.randrange(1000)
        assert self.guest.sum_items(iter(range(n))) == n * (n - 1) // 2

    def copy(self, dice: random.Random) -> None:
        """Pass streams."""
        content, written = dice.randbytes(dice.randrange(100_000)), io.BytesIO()
        assert self.guest.copy_stream(written, io.BytesIO(content)) == len(content)
        assert written.getvalue() == content

    def read(self, dice: random.Random) -> None:
        """Read a stream of the guest, or leave it."""
        n = dice.randrange(1, 1000)
        stream = self.guest.repeat_stream("abc", n)
        if dice.random() < 0.5:
            assert stream.read() == b"abc" * n
        stream.close()

    def left(self) -> list[str]:
        """Let go of everything, and say what is left."""
        self.objects.clear()
        self.iterators.clear()
        self.guest.drop_kept()
        self.guest.drop_store()
        gc.collect()
        self.guest.poll()
        counts = {
            "objects of the guest": self.guest.handles_of_guest(),
            "objects of the host": self.guest.handles_of_host(),
            "goroutines": self.guest.goroutines() - self.goroutines,
        }
        return [f"{count} {what} are left" for what, count in counts.items() if count > 0]
