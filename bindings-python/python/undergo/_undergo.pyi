"""The native half of the package."""

from collections.abc import Coroutine, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from inspect import Signature
from os import PathLike
from types import SimpleNamespace, TracebackType
from typing import Any, Literal, final

from typing_extensions import Self, disjoint_base

from ._bound import Bound
from ._config import Limits, Sandbox
from ._records import Completed, PoolStats, ServerStats, Usage

__all__ = [
    "BATCH",
    "ERROR_KINDS",
    "AsyncFunction",
    "AsyncInstance",
    "AsyncPool",
    "Call",
    "CancelToken",
    "Exports",
    "Function",
    "Instance",
    "KeyValue",
    "Memory",
    "Plugin",
    "Pool",
    "Resource",
    "Server",
    "View",
    "__version__",
    "parse_size",
    "parse_stack_size",
]

__version__: str
BATCH: float
"""Seconds after which a batch of Python's items goes to the guest as it is."""
ERROR_KINDS: list[str]

def parse_size(text: str, name: str) -> int:
    """Parse a number of bytes: a number, or a text such as `'64 MiB'`."""

def parse_stack_size(text: str, name: str) -> int:
    """Parse the size of a guest's stack, like `parse_size`, and check its bounds."""

@final
class Plugin:
    """A compiled plugin: load it once and instantiate it as often as needed, from any thread.

    Args:
        source: the path of a `.wasm` file, or its bytes.
        types: classes that stand for the plugin's types, by name, instead of classes
            made at run time.
        compile: `"tiered"`: quickly first and better in the background, for instances that are
            made later; `"fast"`: quickly, to code that takes two to three times as long;
            `"best"`: well, and wait for it.
        cache: where compiled code is kept for the next process. None: in the folder that
            `UNDERGO_CACHE_DIR` names, or the user's cache folder; a path: in that folder;
            False: nowhere.
        bounds: how many times as much as usual the module may ask of the compilers; None: once.
            A compilation can't be stopped, so a module that asks for more is refused.
        timeout: seconds that loading may take; None: without limit. A compilation that has
            begun goes on in the background, within the bounds.
        cancel: a token that can end the loading earlier. Ctrl-C does so, too.
        compiler: the path of an `undergo` program of this version, which compiles in a separate
            process with limited time and memory: for modules that you don't trust.
        optimize: whether Go's code is rewritten with structured control flow before it is
            compiled, which makes it faster.
        name: the name of a module that is given as bytes: in messages, and as its `os.Args[0]`. A
            file has its own.
        pickle: what a pickle of it has besides its digest. `"bytes"`: the module; `"path"`: the
            path of the module, for processes that see the same file there.

    Raises:
        InvalidPluginError: if the module is not a plugin; the message says what to do.
        TimeoutError: if it was not compiled in time.
        CancelledError: if the token was cancelled.
    """

    def __new__(
        cls,
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
        name: str | None = None,
        pickle: Literal["bytes", "path"] = "bytes",
    ) -> Plugin: ...
    @classmethod
    def load_compiled(cls, path: str | PathLike[str], *, trusted: bool, types: dict[str, type] | None = None) -> Plugin:
        """Load a plugin that `undergo compile` has compiled.

        It is native code and runs outside the sandbox.

        Args:
            path: the file.
            trusted: must be True, to confirm that the file comes from `undergo compile` and that
                nobody has changed it. Damage is detected; malice is not.
            types: as for `Plugin`.

        Raises:
            InvalidPluginError: if it is not a compiled plugin, is damaged, or was made by another
                version or for another machine.
            ValueError: if `trusted` is not True.
        """
    def wait_compiled(self) -> None:
        """Wait until nothing of the plugin is being compiled in the background.

        New instances then have the best code.
        """
    def instantiate(
        self,
        *,
        imports: Mapping[str, Any] | None = None,
        sandbox: Sandbox | None = None,
        limits: Limits | None = None,
    ) -> Instance:
        """Create an instance, which has its own memory, goroutines and globals.

        Args:
            imports: the functions that the plugin needs, `{interface: {name: callable}}`. An object
                with methods may take the place of the inner dict, and so may another instance,
                whose exports are then called straight from this one's guest.
            sandbox: what the instance may reach; nothing by default.
            limits: what it may use.

        Raises:
            MissingImportError: if functions are missing; it names all of them.
            Error: whatever ended the initialisation.
        """
    def pool(
        self,
        size: int,
        *,
        imports: Mapping[str, Any] | None = None,
        sandbox: Sandbox | None = None,
        limits: Limits | None = None,
        max_calls: int | None = None,
        idle: float | None = None,
        warm: int = 0,
    ) -> Pool:
        """Create a pool of interchangeable instances, so that many threads can call at once.

        Args:
            size: the maximum number of instances. They are created when calls need them.
            imports: as for `instantiate`. All instances share the functions, which run on the
                threads of the calls, several at once.
            sandbox: what each instance may reach; nothing by default.
            limits: what each instance may use. The timeout includes waiting for an instance and
                creating one.
            max_calls: an instance is replaced after this many calls; 1 gives each call a fresh
                instance. None: it serves as long as it lives.
            idle: seconds after which an unused instance is dropped. None: it is kept.
            warm: how many instances are created at once.

        Raises:
            MissingImportError: if functions are missing; it names all of them.
        """
    def serve(
        self,
        address: str = "127.0.0.1:8080",
        *,
        instances: int | None = None,
        imports: Mapping[str, Any] | None = None,
        sandbox: Sandbox | None = None,
        limits: Limits | None = None,
        max_calls: int | None = None,
        idle: float | None = None,
        queue: int | None = None,
        connections: int | None = None,
        body: int | None = None,
    ) -> Server:
        """Serve HTTP by a component that exports `wasi:http/incoming-handler`.

        Each request is answered by an instance of a pool, which keeps its state for the next one.
        The server runs on threads of its own until it is closed, or collected.

        Args:
            address: where to listen; port 0 is one that the system chooses.
            instances: the maximum number of instances, each of which answers one request at a time.
                None: four for each processor.
            imports: as for `instantiate`. The functions run on the threads of the server.
            sandbox: what each instance may reach; nothing by default.
            limits: what each instance may use. The timeout is that of a request, 30 seconds if
                there is none.
            max_calls: an instance is replaced after this many requests; 1 gives each one a fresh
                instance. None: it serves as long as it lives.
            idle: seconds after which an unused instance is dropped. None: it is kept.
            queue: how many requests may wait for an instance; others are refused with status 503.
            connections: how many connections there may be at a time.
            body: the most bytes of a request's body; a longer one is refused with status 413.

        Raises:
            InvalidPluginError: if the plugin does not serve HTTP.
            DeniedError: if the system refuses to listen there.
            MissingImportError: if functions are missing; it names all of them.
        """
    def instantiate_async(
        self,
        *,
        imports: Mapping[str, Any] | None = None,
        sandbox: Sandbox | None = None,
        limits: Limits | None = None,
    ) -> Coroutine[Any, Any, AsyncInstance]:
        """Create an instance whose exports are awaited, by `await plugin.instantiate_async(...)`.

        Args:
            imports: as for `instantiate`; the functions may be coroutine functions.
            sandbox: what the instance may reach; nothing by default.
            limits: what it may use.

        Raises:
            MissingImportError: if functions are missing; it names all of them.
            Error: whatever ended the initialisation.
        """
    def async_pool(
        self,
        size: int,
        *,
        imports: Mapping[str, Any] | None = None,
        sandbox: Sandbox | None = None,
        limits: Limits | None = None,
        max_calls: int | None = None,
        idle: float | None = None,
    ) -> AsyncPool:
        """Create a pool of instances whose exports are awaited. It has no instances yet.

        Args:
            size: the maximum number of instances.
            imports: as for `instantiate`; the functions may be coroutine functions.
            sandbox: what each instance may reach; nothing by default.
            limits: what each instance may use.
            max_calls: an instance is replaced after this many calls; 1 gives each call a fresh
                instance.
            idle: seconds after which an unused instance is dropped.

        Raises:
            MissingImportError: if functions are missing; it names all of them.
        """
    def run(
        self,
        *,
        args: Sequence[str] | None = None,
        env: Mapping[str, str] | None = None,
        stdin: bytes | PathLike[str] | Literal["inherit"] | None = None,
        imports: Mapping[str, Any] | None = None,
        sandbox: Sandbox | None = None,
        limits: Limits | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> Completed:
        """Run a command to completion, and return its exit code and output.

        Args:
            args: `os.Args` after the program's name. `args`, `env` and `stdin` replace the
                sandbox's own.
            env: its environment variables.
            stdin: its standard input, as for `Sandbox`.
            imports: as for `instantiate`, for a command that needs functions of the host.
            sandbox: what else it may reach. Its output is captured for the result, up to the
                sandbox's `capture_limit`, unless the sandbox says where it goes.
            limits: what the whole run may use.
            timeout: seconds that it may take, instead of the limits' timeout.
            cancel: a token that can end it earlier, from any thread.

        Returns:
            The exit code and the output. Any exit code is a result, not an error.

        Raises:
            InvalidPluginError: if the plugin is a reactor, whose exports are to be called.
            TrapError, TimeoutError, CancelledError, OutOfFuelError: if anything but an exit ended
                it.
            KeyboardInterrupt: if Ctrl-C ended it, on the main thread.
        """
    def run_async(
        self,
        *,
        args: Sequence[str] | None = None,
        env: Mapping[str, str] | None = None,
        stdin: bytes | PathLike[str] | Literal["inherit"] | None = None,
        imports: Mapping[str, Any] | None = None,
        sandbox: Sandbox | None = None,
        limits: Limits | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> Coroutine[Any, Any, Completed]:
        """Run a command like `run`, but awaited: `done = await plugin.run_async(...)`.

        The event loop goes on meanwhile, host functions may be coroutine functions, and cancelling
        the task ends the command.
        """
    def bind(
        self,
        *,
        imports: Mapping[str, Any] | None = None,
        sandbox: Sandbox | None = None,
        limits: Limits | None = None,
        size: int | None = None,
        max_calls: int | None = None,
        idle: float | None = 60.0,
    ) -> Bound:
        """Bind what instances get, for functions that can be sent to other processes.

        A plugin, what `bind` returns, and its functions can be pickled; instances and pools can't.
        The functions run in whichever process calls them, by a pool that each process creates for
        itself when it first calls one.

        Args:
            imports: as for `instantiate`. They are pickled with the functions.
            sandbox: what each instance may reach, in the process where it runs; nothing by default.
            limits: what each instance may use.
            size: the maximum number of instances in each process. None: one for each processor.
            max_calls: as for `pool`.
            idle: seconds after which an unused instance is dropped. None: it is kept.

        Raises:
            MissingImportError: if functions are missing; it names all of them.
        """
    @property
    def digest(self) -> str:
        """The digest of the module's bytes: two plugins with the same digest have the same module."""
    @property
    def name(self) -> str:
        """The name of the plugin's file."""
    @property
    def kind(self) -> str:
        """`"reactor"`, which has exports to call, or `"command"`."""
    @property
    def tier(self) -> Literal["fast", "best"]:
        """Which code the next instance will have: `"fast"` or `"best"`."""
    @property
    def interface(self) -> str | None:
        """The interface as WIT text; None for a module without one."""
    @property
    def go_version(self) -> str | None:
        """The version of Go that compiled the plugin, if the module says so."""
    @property
    def types(self) -> SimpleNamespace:
        """The classes of the plugin's types: `plugin.types.Person`.

        The name of a variant is the union of the classes of its cases.
        """
    @property
    def exports(self) -> dict[str, str]:
        """The signatures of the exports, by name."""
    @property
    def imports(self) -> dict[str, dict[str, str]]:
        """The signatures of the functions that the plugin needs, by interface and name."""

@final
class Instance:
    """A running copy of a plugin, whose exports are its methods.

    `exports` holds all of them, including those whose names are taken by a method of this
    class.

    Threads may share an instance; one call runs at a time. When a call ends in any other way
    than by a return or a returned Go error, the instance is dead, and each later call raises
    `DeadInstanceError`.
    """

    @property
    def exports(self) -> Exports:
        """All exports, as attributes and by `[]`."""
    @property
    def plugin(self) -> Plugin:
        """The plugin of this instance."""
    @property
    def alive(self) -> bool:
        """Whether the instance answers calls."""
    @property
    def memory(self) -> Memory:
        """The guest's memory, for modules that pass pointers and lengths themselves."""
    @property
    def usage(self) -> Usage:
        """What the last call used, or the initialisation before the first call.

        Can be read during a call and after the instance has ended.
        """
    @property
    def denied(self) -> list[str]:
        """What the sandbox has denied this instance of the network so far.

        Each denial is listed once, with the rule that would allow it; there are at most 64.
        """
    def using(self, *, timeout: float | None = None, cancel: CancelToken | None = None) -> View:
        """Give other options to calls: `instance.using(timeout=0.1).greet(...)`.

        Args:
            timeout: seconds that a call may take, including the wait for the instance; None: the
                limit of the instance.
            cancel: a token that can end the calls earlier, from any thread.
        """
    def reset(self, *, timeout: float | None = None) -> None:
        """Make the guest anew; a dead instance lives again.

        Memory, goroutines and globals are as after the first initialisation. Waits for a call that
        is running. Nothing is compiled. Host functions, sandbox and limits stay, and so does
        captured output that nobody has taken.

        Args:
            timeout: seconds for the wait and the initialisation; None: the limit of the instance.

        Raises:
            BusyError: if called from within a host function that this instance has called.
            Error: whatever ended the initialisation, and the instance with it.
        """
    def poll(self, *, timeout: float | None = None) -> None:
        """Let the guest's background goroutines run, which otherwise run only during calls.

        Args:
            timeout: seconds that they may take.
        """
    def take_stdout(self) -> bytes:
        """Take what the guest has written to its captured standard output."""
    def take_stderr(self) -> bytes:
        """Take what the guest has written to its captured standard error."""
    def __getattr__(self, name: str) -> Function: ...

@final
class Pool:
    """Interchangeable instances of one plugin, whose exports are the pool's methods.

    `Plugin.pool` creates it. `exports` holds all exports, including those whose names are taken
    by a method of this class.

    Any number of threads may call it. A call takes a free instance, creates one, or waits for
    its turn: first come, first served. An instance that a call has ended is replaced. Which
    instance answers is not defined, so calls must not rely on state in a guest. As a context
    manager, the pool closes at the end and waits for running calls.
    """

    @property
    def exports(self) -> Exports:
        """All exports, as attributes and by `[]`."""
    @property
    def plugin(self) -> Plugin:
        """The plugin of these instances."""
    @property
    def size(self) -> int:
        """The maximum number of instances."""
    @property
    def stats(self) -> PoolStats:
        """What the pool has done so far, and what it has now."""
    @property
    def closed(self) -> bool:
        """Whether the pool is closed."""
    def using(self, *, timeout: float | None = None, cancel: CancelToken | None = None) -> View:
        """Give other options to calls: `pool.using(timeout=0.1).greet(...)`.

        Args:
            timeout: seconds that a call may take, including waiting for an instance and creating
                one; None: the limit of the instances.
            cancel: a token that can end the calls earlier, from any thread.
        """
    def instance(self, *, timeout: float | None = None, cancel: CancelToken | None = None) -> AbstractContextManager[Instance]:
        """Lend an instance for calls that belong together: `with pool.instance() as instance:`.

        Objects, iterators and streams of a guest are of one instance, so a call of the pool itself
        that would give one is refused. The end of `with` closes what is still open of them, and
        returns the instance, which can't be used from then on. The thread that has begun has to end
        it.

        Args:
            timeout: seconds to wait for an instance, or for a new one's creation; None: the limit
                of the instances.
            cancel: a token that can end the wait earlier, from any thread.
        """
    def warm_up(self, instances: int) -> None:
        """Create instances until there are this many, or as many as the pool may have.

        The first calls then need not create them.

        Raises:
            DeadInstanceError: if the pool is closed.
            Error: whatever ended an initialisation.
        """
    def close(self, timeout: float | None = None) -> None:
        """Close the pool, and wait for running calls.

        New calls, and those that wait, raise `DeadInstanceError`.

        Args:
            timeout: seconds to wait; None: without limit.

        Raises:
            TimeoutError: if calls are still running then.
            BusyError: if called from within a host function that this pool has called. The pool is
                closed in either case.
        """
    def __enter__(self) -> Pool: ...
    def __exit__(self, kind: type[BaseException] | None, raised: BaseException | None, traceback: TracebackType | None, /) -> None: ...
    def __getattr__(self, name: str) -> Function: ...

@final
class Server:
    """A component that serves HTTP, on threads of its own.

    `Plugin.serve` creates it. As a context manager, it ends behind the requests that are running.
    Requests that fail are logged by the logger `undergo.serve`.
    """

    @property
    def address(self) -> str:
        """Where it listens: `"127.0.0.1:8080"`, with the port that the system chose for 0."""
    @property
    def plugin(self) -> Plugin:
        """The plugin that serves."""
    @property
    def stats(self) -> ServerStats:
        """What it has done so far, and what it has now."""
    @property
    def closed(self) -> bool:
        """Whether it is closed."""
    def close(self, timeout: float | None = None) -> None:
        """Accept no more connections, and wait for running requests.

        Args:
            timeout: seconds to wait; then they are ended. None: without limit.

        Raises:
            TimeoutError: if requests were still running then.
            BusyError: in a function that one of its requests has called, which can't be waited for.
                The server ends behind its running requests all the same.
        """
    def __enter__(self) -> Server: ...
    def __exit__(self, kind: type[BaseException] | None, raised: BaseException | None, traceback: TracebackType | None, /) -> None: ...

@final
class KeyValue:
    """Stores of keys and values, for plugins that import `wasi:keyvalue`: see `keyvalue`."""

    def __new__(cls, redis: str | None = None, *, stores: list[str], entries: int, bytes: int) -> KeyValue: ...
    def get(self, store: str, key: str) -> bytes | None:
        """Give the value of a key of a store; `None` if there is none."""

    def set(self, store: str, key: str, value: bytes) -> None:
        """Set the value of a key of a store."""

@final
class CancelToken:
    """Ends calls from another thread.

    `instance.using(cancel=token).work()` raises `CancelledError` within milliseconds of
    `token.cancel()`. A cancelled call ends whether the guest computes, sleeps, or waits for its
    turn. Its instance is dead then, unless the call had not begun. Python code of a host
    function is not interrupted: the call ends when the function returns. One token may serve
    many calls. Once cancelled it stays so, and later calls with it end at once.
    """

    def __new__(cls) -> CancelToken: ...
    def cancel(self) -> None:
        """Cancel all current and later calls with this token.

        Does not wait for their end. May be called from any thread, and more than once.
        """
    @property
    def cancelled(self) -> bool:
        """Whether the token was cancelled."""

@final
class View:
    """A view of an instance or a pool whose calls have other options.

    It is cheap: its functions are made when they are used.
    """

    @property
    def exports(self) -> Exports:
        """All exports, as attributes and by `[]`."""
    def __getattr__(self, name: str) -> Function: ...

@final
class Exports:
    """All exports of an instance or a pool: as attributes, by `[]`, and iterable."""

    def __getattr__(self, name: str) -> Function: ...
    def __getitem__(self, key: str, /) -> Function: ...
    def __iter__(self) -> Iterator[str]: ...
    def __len__(self) -> int: ...
    def __contains__(self, key: str, /) -> bool: ...

@final
class Function:
    """An export of an instance or a pool. Its own docstring is the Go comment."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...
    @property
    def __name__(self) -> str: ...
    @property
    def __qualname__(self) -> str: ...
    @property
    def __signature__(self) -> Signature: ...
    @property
    def wit_name(self) -> str:
        """The function's name in WIT."""

@final
class Memory:
    """A guest's memory. Addresses are the guest's, and every access is checked."""

    def read(self, address: int, length: int) -> bytes:
        """Copy `length` bytes, starting at `address`."""
    def write(self, address: int, data: bytes | bytearray | memoryview) -> None:
        """Copy bytes to `address`."""
    @property
    def size(self) -> int:
        """The memory's size in bytes, which never shrinks."""
    def __len__(self) -> int: ...

@final
class AsyncInstance:
    """A running copy of a plugin whose exports are awaited: `await instance.greet(...)`.

    Host functions may be coroutines; the guest waits for them without holding a thread. One
    call runs at a time; others wait, first come, first served.
    """

    @property
    def exports(self) -> Exports:
        """All exports, as attributes and by `[]`."""
    @property
    def plugin(self) -> Plugin:
        """The plugin of this instance."""
    @property
    def alive(self) -> bool:
        """Whether the instance answers calls."""
    @property
    def usage(self) -> Usage:
        """What the last call used, or the initialisation before the first call.

        Can be read during a call and after the instance has ended.
        """
    @property
    def denied(self) -> list[str]:
        """What the sandbox has denied this instance of the network so far.

        Each denial is listed once, with the rule that would allow it; there are at most 64.
        """
    def using(self, *, timeout: float | None = None, cancel: CancelToken | None = None) -> View:
        """Give other options to calls: `await instance.using(timeout=0.1).greet(...)`.

        Args:
            timeout: seconds that a call may take, including the wait for its turn.
            cancel: a token that can end the calls earlier, from any thread.
        """
    def poll(self, *, timeout: float | None = None) -> Coroutine[Any, Any, None]:
        """Let the guest's background goroutines run, which otherwise run only during calls.

        To be awaited.

        Args:
            timeout: seconds that they may take.
        """
    def reset(self, *, timeout: float | None = None) -> Coroutine[Any, Any, None]:
        """Make the guest anew; a dead instance lives again. To be awaited.

        Args:
            timeout: seconds for the wait and the initialisation; None: the limit of the instance.
        """
    def take_stdout(self) -> bytes:
        """Take what the guest has written to its captured standard output."""
    def take_stderr(self) -> bytes:
        """Take what the guest has written to its captured standard error."""
    def __getattr__(self, name: str) -> AsyncFunction: ...

@final
class AsyncPool:
    """Interchangeable instances whose exports are awaited: `await pool.greet(...)`.

    Many tasks of one or several event loops may call it. A call takes a free instance, creates
    one, or waits for its turn. Use it as an asynchronous context manager, or await `close()`.
    """

    @property
    def exports(self) -> Exports:
        """All exports, as attributes and by `[]`."""
    @property
    def plugin(self) -> Plugin:
        """The plugin of these instances."""
    @property
    def size(self) -> int:
        """The maximum number of instances."""
    @property
    def stats(self) -> PoolStats:
        """What the pool has done so far, and what it has now."""
    @property
    def closed(self) -> bool:
        """Whether the pool is closed."""
    def using(self, *, timeout: float | None = None, cancel: CancelToken | None = None) -> View:
        """Give other options to calls: `await pool.using(timeout=0.1).greet(...)`.

        Args:
            timeout: seconds that a call may take, including the wait for its turn.
            cancel: a token that can end the calls earlier, from any thread.
        """
    def instance(self, *, timeout: float | None = None, cancel: CancelToken | None = None) -> AbstractAsyncContextManager[AsyncInstance]:
        """Lend an instance for calls that belong together: `async with pool.instance() as instance:`.

        Objects, iterators and streams of a guest are of one instance, so a call of the pool itself
        that would give one is refused. The end of `async with` closes what is still open of
        them, and returns the instance, which can't be used from then on.

        Args:
            timeout: seconds to wait for an instance, or for a new one's creation; None: the limit
                of the instances.
            cancel: a token that can end the wait earlier, from any thread.
        """
    def warm_up(self, instances: int) -> Coroutine[Any, Any, None]:
        """Create instances until there are this many, or as many as the pool may have.

        To be awaited.

        Raises:
            DeadInstanceError: if the pool is closed.
            Error: whatever ended an initialisation.
        """
    def close(self, timeout: float | None = None) -> Coroutine[Any, Any, None]:
        """Close the pool, and wait for running calls. To be awaited.

        New calls, and those that wait, raise `DeadInstanceError`.

        Args:
            timeout: seconds to wait; None: without limit.

        Raises:
            TimeoutError: if calls are still running then.
        """
    def __aenter__(self) -> Coroutine[Any, Any, AsyncPool]: ...
    def __aexit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, traceback: TracebackType | None, /
    ) -> Coroutine[Any, Any, None]: ...
    def __getattr__(self, name: str) -> AsyncFunction: ...

@final
class AsyncFunction:
    """An export of an asynchronous instance or pool. Its own docstring is the Go comment."""

    def __call__(self, *args: Any, **kwargs: Any) -> Call: ...
    @property
    def __name__(self) -> str: ...
    @property
    def __qualname__(self) -> str: ...
    @property
    def __signature__(self) -> Signature: ...
    @property
    def wit_name(self) -> str:
        """The function's name in WIT."""

@disjoint_base
class Resource:
    """An object of a guest. `plugin.types` has the classes, which derive from this one.

    A call of the instance gives it, or its constructor: `instance.Document("text")`. The methods
    are those of the Go type; on an asynchronous instance they are awaited. The guest keeps the
    object until it is closed, at the end of `with` or `async with` for example, or until Python has
    no reference to it left. It can't be used then, nor after a reset of its instance or the return
    to a pool.
    """

    def __new__(cls, *args: Any, **_kwargs: Any) -> Resource: ...
    @property
    def closed(self) -> bool:
        """Whether it was closed, given away to the guest, or ended with its instance."""
    def close(self) -> None:
        """Close it: the guest releases its object.

        It does so at once, or after the call that is running; on an asynchronous instance with the
        next call. Closing it again does nothing.
        """
    def aclose(self) -> Coroutine[Any, Any, None]:
        """Close it, and wait until the guest has released its object. To be awaited."""
    @property
    def _is_async(self) -> bool:
        """Whether its methods are awaited."""
    def __enter__(self) -> Self: ...
    def __exit__(self, kind: type[BaseException] | None, raised: BaseException | None, traceback: TracebackType | None, /) -> None: ...
    def __aenter__(self) -> Coroutine[Any, Any, Self]: ...
    def __aexit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, traceback: TracebackType | None, /
    ) -> Coroutine[Any, Any, None]: ...

@final
class Call:
    """A call that can be awaited.

    To asyncio it is a coroutine: it starts when it is awaited, and cancelling its task cancels
    it.
    """

    def __await__(self) -> Call: ...
    def __iter__(self) -> Call: ...
    def __next__(self) -> Any: ...
    def send(self, _value: Any) -> Any:
        """Like `send` of a coroutine."""
    def throw(self, *exception: Any) -> Any:
        """Like `throw` of a coroutine: any exception cancels the call."""
    def close(self) -> None:
        """Like `close` of a coroutine."""
