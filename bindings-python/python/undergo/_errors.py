"""The exceptions, one for each kind of error."""

from __future__ import annotations

import builtins
import copyreg
from typing import Any, ClassVar, NamedTuple


class Frame(NamedTuple):
    """A frame of a Go traceback."""

    function: str
    """The function with its package: `main.Greet`."""
    file: str
    """The source file as the Go toolchain names it; empty if unknown."""
    line: int
    """The line in the file, from 1; 0 if unknown."""


_NOTED = 10
"""Lines of standard error in a note, and how long each may be."""
_WIDTH = 500


class Error(Exception):
    """The base of all errors of this package.

    `kind` is the error's kind as one word, which is the same in every language. `message` is the
    sentence without the path, and `path` says which part of a value is wrong: `greet(p.tags[3])`.
    `frames` is the whole trace of the goroutine that ended the call, and `origin` its first frame
    outside of Go's runtime. `stderr` is the end of what the plugin wrote to its standard error
    during the call. `denied` is the last thing that the sandbox denied the plugin of the network in
    the call that failed, with the rule that would allow it: perhaps why the call failed.
    """

    kind: ClassVar[str] = ""

    def __init__(
        self,
        text: str = "",
        *,
        message: str | None = None,
        path: str = "",
        frames: tuple[Frame, ...] = (),
        origin: int | None = None,
        exit_code: int | None = None,
        stderr: str = "",
        denied: str | None = None,
    ) -> None:
        super().__init__(text)
        self.message = text if message is None else message
        self.path = path
        self.frames = frames
        self.origin = None if origin is None else frames[origin]
        self.exit_code = exit_code
        self.stderr = stderr
        self.denied = denied
        # Where Go has not written the reason, the plugin may have. Python 3.10 has no notes.
        last = stderr.rstrip().splitlines()[-_NOTED:]
        if last and not (frames and self.kind == "panic") and hasattr(self, "add_note"):
            self.add_note("\n".join(["The plugin's standard error ended with:", *("  " + line[:_WIDTH] for line in last)]))

    def __str__(self) -> str:
        """Give the sentence and, if there is one, the Go traceback from its origin on."""
        text = str(self.args[0]) if self.args else ""
        if not self.frames:
            return text
        shown = self.frames if self.origin is None else self.frames[self.frames.index(self.origin) :]
        lines = [f"  {frame.function}" + (f"\n    {frame.file}:{frame.line}" if frame.file else "") for frame in shown]
        return "\n".join([text, "Go traceback, innermost call first:", *lines])


class InvalidPluginError(Error):
    """The module is not WebAssembly, is damaged, or was built in a way that can't be called."""

    kind = "invalid-plugin"


class MissingImportError(Error):
    """The plugin needs functions that were not given."""

    kind = "missing-import"


class UnknownExportError(Error, AttributeError):
    """The plugin has no export of that name."""

    kind = "unknown-export"


class SignatureMismatchError(Error):
    """A given function has another signature than the plugin needs."""

    kind = "signature-mismatch"


class TypeMismatchError(Error, TypeError):
    """A value does not fit its type; `path` says which."""

    kind = "type-mismatch"


class GuestError(Error):
    """The Go function returned an error. The instance lives on.

    If the plugin declares errors with fields, each has a class that derives from this one, and has
    the fields as attributes: `plugin.types.NotFound`. `__cause__` is the error that this one wraps.
    A host function that raises such an error, or one whose `__cause__` it is, passes it on to Go.

    Errors with fields are equal if their classes and fields are.
    """

    kind = "guest-error"
    __match_args__: ClassVar[tuple[str, ...]] = ()
    """The names of the fields."""

    def _told(self, text: str, **details: Any) -> None:
        """Learn what is known of it besides its fields."""
        Error.__init__(self, text, **details)

    def __str__(self) -> str:
        """Give Go's text; for an error that the host has made without one, its fields."""
        return super().__str__() or (repr(self) if self.__match_args__ else "")

    def __repr__(self) -> str:
        """Show the fields, behind the text."""
        if not self.__match_args__:
            return super().__repr__()
        shown = [repr(arg) for arg in self.args if arg != ""]
        shown += [f"{name}={getattr(self, name)!r}" for name in self.__match_args__]
        return f"{type(self).__qualname__}({', '.join(shown)})"

    def __eq__(self, other: object) -> bool:
        """Compare the fields, if there are any."""
        if not self.__match_args__ or type(self) is not type(other):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.__match_args__)

    def __hash__(self) -> int:
        """Give the same for all of a class: fields may change, and exceptions have to be hashable."""
        return hash(type(self)) if self.__match_args__ else super().__hash__()

    def __reduce__(self) -> tuple[Any, ...]:
        """Tell pickle to make it again as it is, with what it wraps: its class wants more than a text."""
        wrapped = {"__cause__": self.__cause__} if isinstance(self.__cause__, GuestError) else {}
        return copyreg.__newobj__, (type(self), *self.args), {**vars(self), **wrapped}  # type: ignore[attr-defined]


class PanicError(Error):
    """The Go code panicked, or its runtime gave up.

    `frames` has the trace. The instance is dead.
    """

    kind = "panic"


class ExitError(Error):
    """The Go code called `os.Exit` with `exit_code`. The instance is dead."""

    kind = "exit"


class TrapError(Error):
    """The guest did what WebAssembly forbids, or its stack overflowed. The instance is dead."""

    kind = "trap"


class TimeoutError(Error, builtins.TimeoutError):
    """The call took longer than its timeout.

    The instance is dead, unless the call had not begun.
    """

    kind = "timeout"


class CancelledError(Error):
    """The call was cancelled. The instance is dead."""

    kind = "cancelled"


class OutOfFuelError(Error):
    """The fuel was used up. The instance is dead."""

    kind = "out-of-fuel"


class OutOfMemoryError(Error, MemoryError):
    """The guest wanted more memory than its limit. The instance is dead."""

    kind = "out-of-memory"


class HostError(Error):
    """A host function failed without an exception of its own."""

    kind = "host-error"


class DeniedError(Error, PermissionError):
    """The sandbox forbids it, or can't be made as asked."""

    kind = "denied"


class DeadInstanceError(Error):
    """The instance has ended, and answers no further call; the text tells the first cause."""

    kind = "dead-instance"


class BusyError(Error):
    """The instance is in the middle of another call of the same thread."""

    kind = "busy"


BY_KIND: dict[str, type[Error]] = {cls.kind: cls for cls in Error.__subclasses__()}
