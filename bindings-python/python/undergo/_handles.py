"""Iterators and streams: what Python has of a guest's, and what a guest gets of Python's."""

from __future__ import annotations

import inspect
import io
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from itertools import chain, islice
from time import perf_counter
from typing import Any, TypeVar, cast

from ._errors import DeadInstanceError
from ._undergo import BATCH

T = TypeVar("T")

_QUICK = 1e-3
"""Seconds within which a whole batch has to come, so that the next one is larger."""
_CHUNK = 256 << 10
"""Bytes that a stream carries at once, at most."""


class _Size:
    """How many items a guest is asked for at once.

    One at first, so that nothing is waited for that nobody wants yet.
    """

    def __init__(self) -> None:
        self.most = 1

    def adapt(self, batch: list[Any], seconds: float) -> None:
        if seconds > _QUICK:
            self.most = 1
        elif len(batch) == self.most:
            bound = 1024 if type(batch[0]) in (int, float, bool) else 256
            self.most = min(2 * self.most, bound)


def _listed(batch: Any) -> list[Any]:
    """Give the items of a batch: those of bytes are numbers."""
    return batch if type(batch) is list else list(batch)


class _Batches:
    """The batches of a guest's iterator."""

    def __init__(self, object: Any) -> None:
        self._object = object
        self._next = object.next
        self._size = _Size()
        self._batch: list[Any] = []
        self.is_over = False

    def __iter__(self) -> _Batches:
        return self

    def __next__(self) -> list[Any]:
        if self.is_over:
            raise StopIteration
        begun = perf_counter()
        batch, is_last = self._next(self._size.most)
        self._batch = batch = _listed(batch)
        if is_last:
            self.is_over = True
            self._object.close()
        else:
            self._size.adapt(batch, perf_counter() - begun)
        return batch

    def close(self) -> None:
        # Whoever iterates over it finds nothing more.
        self._batch.clear()
        self._object.close()

    @property
    def closed(self) -> bool:
        return bool(self._object.closed)


class Items(Iterator[T]):
    """The items of a guest's iterator, which runs as far as they are asked for, and a batch ahead.

    `close()` ends it: the Go function's `yield` returns false. One that was closed gives no more
    items, but an error, unlike one that has come to its end.
    """

    def __init__(self, object: Any) -> None:
        self._batches = _Batches(object)
        self._items: Iterator[T] = chain.from_iterable(self._batches)

    def __iter__(self) -> Iterator[T]:
        # An item costs no call then.
        return self._items

    def __next__(self) -> T:
        for item in self._items:
            return item
        # A chain is at its end after an error, but this one's may come again: it is closed, say.
        self._items = chain.from_iterable(self._batches)
        return next(self._items)

    def close(self) -> None:
        """End it. Closing it again does nothing."""
        self._batches.close()

    def __reduce_ex__(self, protocol: object) -> Any:
        raise TypeError("an iterator of a plugin can't be pickled or copied: it runs in one instance")

    def __repr__(self) -> str:
        return f"<undergo iterator{', closed' if self._batches.closed else ''}>"


class AsyncItems(AsyncIterator[T]):
    """The items of a guest's iterator, for `async for`."""

    def __init__(self, object: Any) -> None:
        self._object = object
        self._next = object.next
        self._size = _Size()
        self._ready: deque[T] = deque()
        self._is_over = False

    def __aiter__(self) -> AsyncItems[T]:
        return self

    async def __anext__(self) -> T:
        while not self._ready:
            if self._is_over:
                raise StopAsyncIteration
            await self._fetch()
        return self._ready.popleft()

    async def _fetch(self) -> None:
        begun = perf_counter()
        batch, is_last = await self._next(self._size.most)
        batch = _listed(batch)
        self._ready.extend(batch)
        if is_last:
            self._is_over = True
            await self._object.aclose()
        else:
            self._size.adapt(batch, perf_counter() - begun)

    async def aclose(self) -> None:
        """End it: the Go function's `yield` returns false. Closing it again does nothing."""
        self._ready.clear()
        await self._object.aclose()

    def __reduce_ex__(self, protocol: object) -> Any:
        raise TypeError("an iterator of a plugin can't be pickled or copied: it runs in one instance")

    def __repr__(self) -> str:
        return f"<undergo asynchronous iterator{', closed' if self._object.closed else ''}>"


class _Stream(io.RawIOBase):
    """A stream of a guest, as a binary file without a buffer."""

    def __init__(self, object: Any) -> None:
        self._object = object

    def __del__(self) -> None:
        # That of files would close it, for which the guest has to run. It gets to know by the
        # handle, which ends with this object, when it is called the next time.
        pass

    def close(self) -> None:
        """Close it, which raises what the guest's own closing fails with."""
        if self.closed:
            return
        super().close()
        try:
            if not self._object.closed:
                self._object.close_()
        except DeadInstanceError:
            # It has ended with its instance.
            pass
        finally:
            self._object.close()

    def __reduce_ex__(self, protocol: object) -> Any:
        raise TypeError("a stream of a plugin can't be pickled or copied: it is open in one instance")

    def __repr__(self) -> str:
        return f"<undergo.{type(self).__name__}{', closed' if self.closed else ''}>"

    def _check(self) -> None:
        if self.closed:
            raise ValueError("I/O operation on closed file")


class Reader(_Stream):
    """A stream of a guest, to read from."""

    def __init__(self, object: Any) -> None:
        super().__init__(object)
        self._read = object.read

    def readable(self) -> bool:
        self._check()
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        """Read up to so many bytes, or all; none at the end."""
        if size is None or size < 0:
            return self.readall()
        self._check()
        return cast(bytes, self._read(min(size, _CHUNK))) if size else b""

    def readall(self) -> bytes:
        """Read until the end."""
        self._check()
        return b"".join(iter(lambda: self._read(_CHUNK), b""))

    def readinto(self, buffer: Any, /) -> int:
        """Read up to as many bytes as the buffer holds into it, and give their number."""
        self._check()
        with memoryview(buffer).cast("B") as view:
            data = self._read(min(len(view), _CHUNK)) if view else b""
            view[: len(data)] = data
            return len(data)


class Writer(_Stream):
    """A stream of a guest, to write to."""

    def __init__(self, object: Any) -> None:
        super().__init__(object)
        self._write = object.write

    def writable(self) -> bool:
        self._check()
        return True

    def write(self, data: Any, /) -> int:
        """Write all of these bytes, and give their number."""
        self._check()
        with memoryview(data).cast("B") as view:
            for start in range(0, len(view), _CHUNK):
                self._write(view[start : start + _CHUNK])
            return len(view)


class _AsyncStream:
    """A stream of a guest whose calls are awaited."""

    def __init__(self, object: Any) -> None:
        self._object = object
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether it is closed."""
        return self._closed

    async def aclose(self) -> None:
        """Close it, which raises what the guest's own closing fails with."""
        if self._closed:
            return
        self._closed = True
        try:
            if not self._object.closed:
                await self._object.close_()
        except DeadInstanceError:
            # It has ended with its instance.
            pass
        finally:
            await self._object.aclose()

    async def __aenter__(self) -> Any:
        return self

    async def __aexit__(self, *raised: object) -> None:
        await self.aclose()

    def __reduce_ex__(self, protocol: object) -> Any:
        raise TypeError("a stream of a plugin can't be pickled or copied: it is open in one instance")

    def __repr__(self) -> str:
        return f"<undergo.{type(self).__name__}{', closed' if self._closed else ''}>"

    def _check(self) -> None:
        if self._closed:
            raise ValueError("I/O operation on closed file")


class AsyncReader(_AsyncStream):
    """A stream of a guest, to read from. `async for` gives its bytes as they come."""

    async def read(self, size: int = -1, /) -> bytes:
        """Read up to so many bytes, or all; none at the end."""
        self._check()
        if size >= 0:
            return cast(bytes, await self._object.read(min(size, _CHUNK))) if size else b""
        return b"".join([chunk async for chunk in self])

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self._check()
        while data := await self._object.read(_CHUNK):
            yield data


class AsyncWriter(_AsyncStream):
    """A stream of a guest, to write to."""

    async def write(self, data: Any, /) -> int:
        """Write all of these bytes, and give their number."""
        self._check()
        with memoryview(data).cast("B") as view:
            for start in range(0, len(view), _CHUNK):
                await self._object.write(view[start : start + _CHUNK])
            return len(view)


def items(object: Any) -> Items[Any] | AsyncItems[Any]:
    """Make what Python has of a guest's iterator."""
    return AsyncItems(object) if object._is_async else Items(object)


def reader(object: Any) -> Reader | AsyncReader:
    """Make what Python has of a guest's stream to read from."""
    return AsyncReader(object) if object._is_async else Reader(object)


def writer(object: Any) -> Writer | AsyncWriter:
    """Make what Python has of a guest's stream to write to."""
    return AsyncWriter(object) if object._is_async else Writer(object)


class Feed:
    """Gives a guest the items of an iterable, which may be an asynchronous one where it is awaited."""

    def __init__(self, given: Any) -> None:
        kind = type(given)
        if isinstance(given, Mapping):
            raise TypeError(f"expected an iterable, got {kind.__name__}: give its keys(), values() or items()")
        has_async = hasattr(kind, "__aiter__") and not hasattr(kind, "__iter__")
        if isinstance(given, (str, bytes, bytearray)) or not (has_async or hasattr(kind, "__iter__") or hasattr(kind, "__getitem__")):
            raise TypeError(f"expected an iterable, got {kind.__name__}")
        self._is_whole = kind in (list, tuple, range)
        self._raised: Exception | None = None
        if has_async:
            self._awaited: AsyncIterator[Any] | None = given.__aiter__()
        else:
            self._awaited = None
            self._items: Iterator[Any] = iter(given)

    def next(self, most: int) -> tuple[list[Any], bool] | Awaitable[tuple[list[Any], bool]]:
        """Give one to `most` items that are ready, and whether there are no more."""
        if self._awaited is not None:
            return self._await(self._awaited)
        if self._is_whole:
            batch = list(islice(self._items, most))
            return batch, len(batch) < most
        return self._gather(most)

    def _gather(self, most: int) -> tuple[list[Any], bool]:
        if self._raised is not None:
            raise self._raised
        batch: list[Any] = []
        end = perf_counter() + BATCH
        try:
            for item in self._items:
                batch.append(item)
                if len(batch) >= most or perf_counter() > end:
                    return batch, False
        except Exception as raised:
            if not batch:
                raise
            # After the items before it.
            self._raised = raised
            return batch, False
        return batch, True

    async def _await(self, items: AsyncIterator[Any]) -> tuple[list[Any], bool]:
        try:
            return [await items.__anext__()], False
        except StopAsyncIteration:
            return [], True


class _File:
    """A binary file of Python's, for a guest."""

    def __init__(self, file: Any, method: str, mode: str) -> None:
        kind = type(file).__name__
        if isinstance(file, io.TextIOBase):
            raise TypeError(f"expected a binary file, got {kind}, which has text: open it with the mode '{mode}', or give its buffer")
        if not callable(getattr(file, method, None)):
            hint = f": give what its makefile('{mode}') returns" if hasattr(file, "makefile") else ""
            raise TypeError(f"expected a binary file, got {kind}, which has no {method}(){hint}")
        self._file = file

    def close(self) -> Any:
        """Close it."""
        done = self._file.close()
        return _nothing(done) if inspect.isawaitable(done) else None


async def _nothing(done: Awaitable[Any]) -> None:
    await done


class Source(_File):
    """Gives a guest the bytes of a file."""

    def __init__(self, file: Any) -> None:
        super().__init__(file, "read" if not hasattr(file, "readinto") else "readinto", "rb")
        self._buffer = memoryview(b"")
        self._into = self._reading_into()
        self._read = getattr(file, "read1", None) or getattr(file, "read", None)

    def _reading_into(self) -> Callable[[memoryview], int | None] | None:
        # What waits for one piece of data only, where there is a difference.
        names = ("readinto",) if isinstance(self._file, (io.RawIOBase, io.BytesIO)) else ("readinto1", "readinto")
        for name in names:
            method = getattr(self._file, name, None)
            if callable(method) and not inspect.iscoroutinefunction(method):
                return cast("Callable[[memoryview], int | None]", method)
        return None

    def read(self, most: int) -> Any:
        """Read up to so many bytes; none at the end."""
        # The guest says how many, and the file may make room for all of them.
        most = min(most, _CHUNK)
        if self._into is None:
            assert self._read is not None
            data = self._read(most)
            return self._await(data) if inspect.isawaitable(data) else _checked(data)
        if len(self._buffer) < most:
            self._buffer = memoryview(bytearray(most))
        # The guest has taken what was in it before.
        view = self._buffer[:most]
        count = self._into(view)
        if count is None:
            raise BlockingIOError("the file does not block, and has nothing to read")
        return view[:count]

    async def _await(self, data: Awaitable[Any]) -> Any:
        return _checked(await data)


def _checked(data: Any) -> Any:
    if data is None:
        raise BlockingIOError("the file does not block, and has nothing to read")
    if isinstance(data, str):
        raise TypeError("read() gave str: open the file in binary mode")
    return data


class Sink(_File):
    """Gives a file the bytes of a guest."""

    def __init__(self, file: Any) -> None:
        super().__init__(file, "write", "wb")

    def write(self, data: bytes) -> Any:
        """Write all of these bytes."""
        written = self._file.write(data)
        if inspect.isawaitable(written):
            return self._await(data, written)
        if type(written) is int and written != len(data):
            self._rest(data, written)
        elif written is None and isinstance(self._file, io.RawIOBase):
            raise BlockingIOError("the file does not block, and takes nothing now")
        # A StreamWriter of asyncio's has only noted them.
        drain = getattr(self._file, "drain", None)
        return _nothing(drain()) if inspect.iscoroutinefunction(drain) else None

    def _rest(self, data: bytes, written: int) -> None:
        with memoryview(data) as view:
            while written < len(view):
                more = self._file.write(view[written:])
                if not more:
                    raise BlockingIOError("the file took only a part, and takes nothing now")
                written += more

    async def _await(self, data: bytes, pending: Awaitable[Any]) -> None:
        written = await pending
        while type(written) is int and written < len(data):
            more = await self._file.write(data[written:])
            if not more:
                raise BlockingIOError("the file took only a part, and takes nothing now")
            written += more
