"""Errors with fields: exceptions of their own, in both directions."""

from __future__ import annotations

import asyncio
import concurrent.futures
import copy
import datetime
import inspect
import pickle
import struct
import subprocess
import sys
import traceback
from collections.abc import Callable
from typing import Any

import pytest
import undergo
from wasm import Export, Import, call, const, module, param, store

TYPES = """interface types {
  use undergo:go/types.{time};
  /// Nothing is there.
  record not-found {
    /// what was looked for
    key: string,
    code: s64,
    path: option<string>,
  }
  record late { at: time, class: bool }
  variant %error {
    text(string),
    not-found(tuple<string, not-found>),
    late(tuple<string, late>),
  }
}
"""
GO = """package undergo:go {
  interface types {
    record time { seconds: s64, nanoseconds: u32, offset: s32 }
  }
}
"""
WIT = f"""package undergo:t;

{TYPES}
world t {{
  use types.{{error, not-found}};
  import host: interface {{
    use types.{{error}};
    lookup: func(key: string) -> result<string, list<error>>;
    tell: func(key: string) -> string;
  }}
  export find: func(key: string) -> result<string, list<error>>;
  export tell: func(key: string) -> string;
  export fail: func(n: u32) -> result<u32, list<error>>;
  export give: func() -> not-found;
}}

{GO}"""

SIZE = 48
"""Bytes of an error in a list."""
TEXTS, CHAIN, GIVEN = 40_000, 20_000, 12_000


def chain_of(*errors: tuple[Any, ...]) -> list[tuple[int, bytes]]:
    """Write a chain to memory: of each error its text, and its fields."""
    texts, links = b"", b""

    def text(value: str) -> bytes:
        nonlocal texts
        raw = value.encode()
        texts += raw
        return struct.pack("<II", TEXTS + len(texts) - len(raw), len(raw))

    for said, *fields in errors:
        link = bytes([(0, 2, 2, 1)[len(fields)]]) + 7 * b"\0" + text(said)
        if len(fields) == 3:
            key, code, path = fields
            link += text(key) + struct.pack("<q", code) + (4 * b"\0" if path is None else b"\1\0\0\0" + text(path))
        elif fields:
            seconds, flag = fields
            link += struct.pack("<qIi?", seconds, 0, 0, flag)
        links += link.ljust(SIZE, b"\0")
    return [(CHAIN, links), (TEXTS, texts)]


NOT_FOUND = ("not found: x", "x", 404, None)


def build(*errors: tuple[Any, ...], wit: str = WIT) -> bytes:
    """Make a plugin that fails with the first of these errors, and passes on what its host raises."""
    at = 16_000
    exports = [
        Export("find", "ii", "i", param(0) + param(1) + const(at) + call(0) + const(at)),
        Export("tell", "ii", "i", param(0) + param(1) + const(at) + call(1) + const(at)),
        Export("fail", "i", "i", store(at, const(1)) + store(at + 4, const(CHAIN)) + store(at + 8, param(0)) + const(at)),
        Export("give", "", "i", const(CHAIN + 16)),
    ]
    imports = [Import("host", "lookup", "iii", ""), Import("host", "tell", "iii", "")]
    return module(wit, exports, imports=imports, data=chain_of(*(errors or [NOT_FOUND])))


def load(*errors: tuple[Any, ...], wit: str = WIT, **options: Any) -> undergo.Plugin:
    return undergo.Plugin(build(*errors, wit=wit), **options)


def start(plugin: undergo.Plugin, lookup: Callable[[str], Any] = str) -> Any:
    return plugin.instantiate(imports={"host": {"lookup": lookup, "tell": lookup}})


@pytest.fixture
def plugin() -> undergo.Plugin:
    return load()


@pytest.fixture
def types(plugin: undergo.Plugin) -> Any:
    return plugin.types


def raised(function: Callable[..., Any], *args: Any) -> Any:
    """What a call raises."""
    with pytest.raises(undergo.GuestError) as caught:
        function(*args)
    return caught.value


def causes(error: BaseException | None) -> list[BaseException]:
    found = []
    while error is not None:
        found.append(error)
        error = error.__cause__
    return found


def test_an_error_of_the_guest_has_its_fields(plugin: undergo.Plugin, types: Any) -> None:
    guest = start(plugin)
    error = raised(guest.fail, 1)
    assert type(error) is types.NotFound
    assert (error.key, error.code, error.path_) == ("x", 404, None)
    # What every error has is its own.
    assert (str(error), error.message, error.path, error.kind) == ("not found: x", "not found: x", "", "guest-error")
    assert error.__cause__ is None
    assert guest.alive
    assert "undergo.NotFound: not found: x" in "".join(traceback.format_exception(error))
    with pytest.raises(types.NotFound) as caught:
        guest.fail(1)
    assert caught.value == error
    match error:
        case types.NotFound(key="x", code=code):
            assert code == 404
        case _:
            raise AssertionError(error)


def test_a_chain_is_of_causes() -> None:
    plugin = load(("loading: late: not found",), ("late: not found", 5, True), ("not found", "", -1, "/a"), ("end",))
    types: Any = plugin.types
    guest = start(plugin)
    chain = causes(raised(guest.fail, 4))
    assert [type(link) for link in chain] == [undergo.GuestError, types.Late, types.NotFound, undergo.GuestError]
    assert [str(link) for link in chain] == ["loading: late: not found", "late: not found", "not found", "end"]
    assert chain[1].class_ is True  # type: ignore[attr-defined]
    assert chain[1].at.timestamp() == 5  # type: ignore[attr-defined]
    assert chain[2] == types.NotFound(key="", code=-1, path_="/a")
    assert [link.message for link in chain] == [str(link) for link in chain]  # type: ignore[attr-defined]
    with pytest.raises(undergo.TrapError, match="consists of none"):
        guest.fail(0)


def test_a_long_chain_ends() -> None:
    guest = start(load(*([("deeper", "k", 1, "p")] * 300)))
    assert len(causes(raised(guest.fail, 300))) == 64


def test_fields_that_python_has_no_value_for_do_not_hide_the_error() -> None:
    guest = start(load(("at the end of time", 1 << 60, False), NOT_FOUND))
    error = raised(guest.fail, 2)
    assert type(error) is undergo.GuestError
    assert str(error) == "at the end of time"
    assert error.__cause__ == guest.plugin.types.NotFound(key="x", code=404)
    if hasattr(error, "__notes__"):
        assert "It is late, whose fields can't be given" in error.__notes__[0]
    assert guest.alive


def test_an_error_is_a_value_too(plugin: undergo.Plugin, types: Any) -> None:
    given = start(plugin).give()
    assert given == types.NotFound(key="x", code=404)
    assert str(given) == "NotFound(key='x', code=404, path_=None)"
    assert plugin.exports["give"] == "give() -> NotFound"


def passed(types: Any) -> list[Any]:
    """Errors that a host function may raise, and what comes back of each."""
    wrapped = types.NotFound("in words", key="ü", code=-1, path_="")
    wrapped.__cause__ = ValueError("the cause")
    outer = LookupError("looking up: in words")
    outer.__cause__ = wrapped
    bare = KeyError()
    bare.__cause__ = types.Late(at=datetime.datetime(2026, 2, 3, tzinfo=datetime.timezone.utc), class_=False)
    return [types.NotFound(key="x", code=1 << 40), wrapped, outer, bare, ValueError("plain")]


def compare(before: BaseException, after: BaseException) -> None:
    before_all, after_all = causes(before), causes(after)
    assert len(before_all) == len(after_all)
    for one, other in zip(before_all, after_all, strict=True):
        if isinstance(one, undergo.GuestError):
            assert one == other or (type(one) is type(other) and not one.__match_args__)
            assert str(one) == str(other)
        else:
            assert type(other) is undergo.GuestError
            assert str(other) == (str(one) or type(one).__name__)


def test_an_error_of_a_host_function_reaches_go(plugin: undergo.Plugin, types: Any) -> None:
    for error in passed(types):

        def lookup(key: str, error: BaseException = error) -> str:
            raise error

        guest = start(plugin, lookup)
        after = raised(guest.find, "k")
        compare(error, after)
        assert after is not error
        assert guest.alive
        with pytest.raises(type(error)) as caught:
            guest.tell("k")
        # It returns no error to Go, so that its caller gets the very object.
        assert caught.value is error
        assert not guest.alive


def test_an_error_of_an_awaited_host_function_reaches_go(plugin: undergo.Plugin, types: Any) -> None:
    async def run() -> None:
        for error in passed(types):

            async def lookup(key: str, error: BaseException = error) -> str:
                await asyncio.sleep(0)
                raise error

            def at_once(key: str, error: BaseException = error) -> str:
                raise error

            for function in (lookup, at_once):
                imports = {"host": {"lookup": function, "tell": str}}
                instance: Any = await plugin.instantiate_async(imports=imports)
                pool: Any = plugin.async_pool(2, imports=imports)
                for guest in (instance, pool):
                    with pytest.raises(undergo.GuestError) as caught:
                        await guest.find("k")
                    compare(error, caught.value)
                    with pytest.raises(types.NotFound):
                        await guest.fail(1)
                assert instance.alive

    asyncio.run(run())


def test_a_pool_passes_errors_on(plugin: undergo.Plugin, types: Any) -> None:
    def lookup(key: str) -> str:
        raise types.NotFound(key=key, code=len(key))

    with plugin.pool(2, imports={"host": {"lookup": lookup, "tell": str}}) as pool:
        with concurrent.futures.ThreadPoolExecutor(4) as threads:
            found = list(threads.map(lambda n: raised(pool.find, n * "k"), range(20)))  # type: ignore[attr-defined]
        assert found == [types.NotFound(key=n * "k", code=n) for n in range(20)]


@pytest.mark.parametrize("length", [1, 2, 3])
def test_a_circle_of_causes_ends(plugin: undergo.Plugin, types: Any, length: int) -> None:
    errors = [types.NotFound(key=str(n), code=n) for n in range(length)]
    for error, cause in zip(errors, errors[1:] + errors[:1], strict=True):
        error.__cause__ = cause

    def lookup(key: str) -> str:
        raise errors[0]

    assert causes(raised(start(plugin, lookup).find, "k")) == errors


def test_a_long_chain_of_a_host_function_ends(plugin: undergo.Plugin, types: Any) -> None:
    error: BaseException = types.NotFound(key="deepest", code=0)
    for n in range(100_000):
        outer = ValueError(str(n))
        outer.__cause__ = error
        error = outer

    def lookup(key: str) -> str:
        raise error

    found = causes(raised(start(plugin, lookup).find, "k"))
    assert [str(link) for link in found] == [str(99_999 - n) for n in range(64)]
    # One at a time, as Python's own way to let go of them would call itself.
    while error.__cause__ is not None:
        error.__cause__, error = None, error.__cause__


@pytest.mark.parametrize(
    ("fields", "path", "said"),
    [
        ({"key": 5, "code": 1}, "key", "expected string, got int"),
        ({"key": "x", "code": "y"}, "code", "expected s64, got str"),
        ({"key": "x", "code": 1 << 63}, "code", "out of range"),
        ({"key": "\ud800", "code": 1}, "key", "lone surrogate"),
        ({"key": "x", "code": 1, "path_": 7}, "path", "expected string, got int"),
    ],
)
def test_fields_that_do_not_fit_are_named(plugin: undergo.Plugin, types: Any, fields: Any, path: str, said: str) -> None:
    error = types.NotFound(**fields)

    async def later(key: str) -> str:
        raise ValueError from error

    def lookup(key: str) -> str:
        raise error

    with pytest.raises(undergo.TypeMismatchError, match=said) as caught:
        start(plugin, lookup).find("k")
    assert caught.value.path == f"host.lookup -> not-found.{path}"
    assert caught.value.__cause__ is error

    async def run() -> None:
        guest: Any = await plugin.instantiate_async(imports={"host": {"lookup": later, "tell": str}})
        await guest.find("k")

    with pytest.raises(undergo.TypeMismatchError, match=said) as caught:
        asyncio.run(run())
    assert caught.value.path == f"host.lookup -> not-found.{path}"


def test_a_field_may_be_gone(plugin: undergo.Plugin, types: Any) -> None:
    error = types.NotFound(key="x", code=1)
    del error.key

    def lookup(key: str) -> str:
        raise error

    with pytest.raises(undergo.TypeMismatchError) as caught:
        start(plugin, lookup).find("k")
    assert isinstance(caught.value.__cause__, AttributeError)


def test_an_error_of_another_plugin_is_text(plugin: undergo.Plugin, types: Any) -> None:
    other: Any = load(wit=WIT.replace("code: s64", "code: u64")).types
    assert other.NotFound is not types.NotFound

    def lookup(key: str) -> str:
        raise other.NotFound("the other's", key="x", code=1)

    error = raised(start(plugin, lookup).find, "k")
    assert type(error) is undergo.GuestError
    assert str(error) == "the other's"
    # One of the same interface is the same.
    assert load().types.NotFound is types.NotFound  # type: ignore[attr-defined]


@pytest.mark.parametrize("ending", [KeyboardInterrupt, SystemExit])
def test_what_asks_the_program_to_end_is_no_error(plugin: undergo.Plugin, types: Any, ending: type[BaseException]) -> None:
    def lookup(key: str) -> str:
        raise ending from types.NotFound(key="x", code=1)

    guest = start(plugin, lookup)
    with pytest.raises(ending):
        guest.find("k")
    assert not guest.alive


def test_a_caught_error_can_be_raised_in_another_plugin(plugin: undergo.Plugin, types: Any) -> None:
    first = start(plugin)
    second = start(plugin, lambda key: str(first.fail(1)))
    assert raised(second.find, "k") == types.NotFound(key="x", code=404)


def test_the_class_takes_its_fields(types: Any) -> None:
    assert str(inspect.signature(types.NotFound)) == ("(message: 'str' = '', /, *, key: 'str', code: 'int', path_: 'str | None' = None)")
    assert types.NotFound.__doc__ == "Nothing is there.\n\nAttributes:\n    key: what was looked for"
    assert issubclass(types.NotFound, undergo.GuestError)
    for wrong in (
        lambda: types.NotFound(),
        lambda: types.NotFound("x"),
        lambda: types.NotFound("x", "y", key="", code=1),
        lambda: types.NotFound(key="", code=1, path=""),
        lambda: types.NotFound(message="", key="", code=1),
    ):
        with pytest.raises(TypeError):
            wrong()


def test_errors_compare_by_their_fields(types: Any) -> None:
    one, same, other = types.NotFound("a", key="x", code=1), types.NotFound(key="x", code=1), types.NotFound(key="x", code=2)
    assert one == same
    assert one != other
    assert one != types.Late(at=None, class_=True)
    assert one != ("x", 1)
    assert len({one, same, other}) == 2
    assert repr(one) == "NotFound('a', key='x', code=1, path_=None)"
    assert str(one) == "a"
    assert str(same) == "NotFound(key='x', code=1, path_=None)"
    plain = undergo.GuestError("a")
    assert plain != undergo.GuestError("a")
    assert (repr(plain), len({plain, plain})) == ("GuestError('a')", 1)
    assert str(undergo.GuestError()) == ""


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_errors_pickle_with_what_they_wrap(protocol: int) -> None:
    plugin = load(("loading",), NOT_FOUND, ("end",))
    error = raised(start(plugin).fail, 3)
    for again in (pickle.loads(pickle.dumps(error, protocol)), copy.copy(error), copy.deepcopy(error)):
        compare(error, again)
        assert type(again) is type(error)
        assert vars(again) == vars(error)
    wrapped = error.__cause__
    again = pickle.loads(pickle.dumps(wrapped, protocol))
    assert (type(again), again, str(again)) == (plugin.types.NotFound, wrapped, "not found: x")
    assert pickle.loads(pickle.dumps(plugin.types.NotFound, max(2, protocol))) is plugin.types.NotFound


def test_another_process_makes_the_classes(types: Any) -> None:
    told = pickle.dumps(types.NotFound("t", key="x", code=1))
    program = "import pickle, sys; e = pickle.load(sys.stdin.buffer); sys.stdout.buffer.write(pickle.dumps((repr(e), str(e), e)))"
    done = subprocess.run([sys.executable, "-c", program], input=told, capture_output=True, check=True)
    assert pickle.loads(done.stdout) == ("NotFound('t', key='x', code=1, path_=None)", "t", types.NotFound(key="x", code=1))


def test_classes_may_be_given() -> None:
    class Missing(undergo.GuestError):
        def __init__(self, message: str = "", /, *, key: str, code: int, path_: str | None) -> None:
            super().__init__(message)
            self.key, self.code, self.path_ = key, code, path_
            if key == "bad":
                raise LookupError("bad")

    class Worse(Missing):
        pass

    class Late(Missing):
        def __init__(self, **fields: Any) -> None: ...

    plugin = load(NOT_FOUND, ("late", 5, True), types={"not-found": Missing, "Late": Late})
    assert (plugin.types.NotFound, plugin.types.Late) == (Missing, Late)

    def lookup(key: str) -> str:
        raise Worse("worse", key=key, code=1, path_="p")

    guest = start(plugin, lookup)
    error = raised(guest.fail, 2)
    assert (type(error), error.key, str(error), error.message) == (Missing, "x", "not found: x", "not found: x")
    assert (type(error.__cause__), str(error.__cause__)) == (Late, "late")
    error = raised(guest.find, "k")
    assert (type(error), error.key, error.path_, str(error)) == (Missing, "k", "p", "worse")
    with pytest.raises(LookupError, match="bad"):
        start(load(("t", "bad", 1, None), types={"not-found": Missing})).fail(1)
    with pytest.raises(TypeError, match=r"types\['not-found'\] stands for an error, and must derive from undergo.GuestError"):
        load(types={"not-found": ValueError})


def test_every_attribute_of_an_error_is_left_alone() -> None:
    names = [name for name in dir(undergo.GuestError()) if not name.startswith("_")] + ["self", "text"]
    fields = ", ".join(f"%{name.replace('_', '-')}: u8" for name in names)
    types = f"record full {{ {fields} }} variant oops {{ text(string), full(tuple<string, full>) }}"
    wit = f"package undergo:t; interface types {{ {types} }}\n"
    wit += "world t { use types.{oops}; export f: func() -> result<u32, list<oops>>; }"
    plugin = undergo.Plugin(module(wit, [Export("f", "", "i", const(1024))]))
    full: Any = plugin.types.Full("said", **{name + "_" * (name != "text"): 1 for name in names})
    assert (full.path, full.args, full.message, full.text, full.kind) == ("", ("said",), "said", 1, "guest-error")
    assert set(full.__match_args__) == {name + "_" * (name != "text") for name in names}
    assert not hasattr(plugin.types, "Oops")
