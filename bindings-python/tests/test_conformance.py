"""The conformance list, run from Python; see conformance/README.md."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import inspect
import io
import itertools
import json
import keyword
import math
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import undergo
from conftest import ROOT, Host, guest_path

CAPABILITIES = {"dynamic", "strict-records", "surrogates", "integers", "handles", "passing-on"}
FORMS = {"module": {"module"}, "component": {"component"}}
"""How the guest is loaded, and what it has then, beside what the host has."""

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def python_name(kebab: str) -> str:
    name = kebab.replace("-", "_")
    return name + "_" if keyword.iskeyword(name) else name


def class_name(kebab: str) -> str:
    name = "".join(word.capitalize() for word in kebab.split("-"))
    return name + "_" if keyword.iskeyword(name) else name


def argument(value: Any, annotation: str = "", context: Context | None = None) -> Any:
    """Make the Python value of a JSON one.

    The annotation tells a long list of strings from a long string. The context has the classes of
    cases, and what lives longer than a step.
    """
    if isinstance(value, list):
        return [argument(item, context=context) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        (key, inner), *_ = value.items()
        if key == "$repeat":
            one, count = argument(inner["value"], context=context), inner["count"]
            joined = isinstance(one, (str, bytes)) and not annotation.startswith("list")
            return one * count if joined else [one] * count
        if key == "$case":
            name, *held = inner
            return case_of(context and context.types, name, *[argument(item, context=context) for item in held])
        if key == "$map":
            pairs = [(argument(key, context=context), argument(value, context=context)) for key, value in inner]
            # A component's maps are lists of pairs.
            return pairs if context and context.is_component else dict(pairs)
        if key in SPECIAL:
            return SPECIAL[key](inner)
    if context and (key := next(iter(value), "")) in GIVEN:
        return GIVEN[key](context, value)
    return {python_name(name): argument(item, context=context) for name, item in value.items()}


def case_of(types: Any, name: str, *held: Any) -> Any:
    """Make a case of a variant: an object of the record's own class, or of a class around the value.

    What is no case, or holds nothing where it should, is of a class that the plugin does not know.
    """
    cls = getattr(types, class_name(name), None)
    names = field_names(cls) if cls and name == name.lower() else []
    if cls and names != ["value"] and len(held) == 1 and isinstance(held[0], dict) and held[0].keys() <= set(names):
        # Not by its constructor: one of the fields may be missing.
        made = object.__new__(cls)
        for field, value in held[0].items():
            setattr(made, field, value)
        return made
    if cls and name == name.lower() and len(held) == len(names):
        return cls(*held)
    return dataclasses.make_dataclass(class_name(name), [f"v{i}" for i in range(len(held))])(*held)


def field_names(cls: Any) -> list[str]:
    """Give the names of a class's fields, in order."""
    return list(cls.__match_args__) if issubclass(cls, undergo.GuestError) else [field.name for field in dataclasses.fields(cls)]


def field_name(owner: Any, kebab: str) -> str:
    """Give the name of a record's field; those of an error leave alone what every error has."""
    name = python_name(kebab)
    return name + "_" if isinstance(owner, undergo.GuestError) and hasattr(undergo.GuestError(), name) else name


def time(parts: dict[str, int]) -> datetime.datetime:
    zone = datetime.timezone(datetime.timedelta(seconds=parts["offset"]))
    since = datetime.timedelta(seconds=parts["seconds"], microseconds=parts["nanoseconds"] // 1000)
    return (EPOCH + since).astimezone(zone)


SPECIAL: dict[str, Callable[[Any], Any]] = {
    "$int": int,
    "$float": float,
    "$bytes": bytes.fromhex,
    "$duration": lambda text: datetime.timedelta(microseconds=int(text) // 1000),
    "$time": time,
    "$json": lambda value: value,
    "$surrogate": lambda text: chr(int(text, 16)),
}


class Kept(dict[str, Any]):
    """What a case keeps by name. What had a name before is kept as well, until the case ends."""

    def __init__(self) -> None:
        self.all: list[Any] = []

    def keep(self, name: str, value: Any) -> None:
        self[name] = value
        self.all.append(value)

    def close(self) -> None:
        for kept in self.all:
            kept.close()
        self.all.clear()
        self.clear()


class Context:
    """What the steps of a case have besides their values."""

    def __init__(self, instance: undergo.Instance, host: Host, kept: Kept, *, is_component: bool) -> None:
        self.instance = instance
        self.is_component = is_component
        self.host = host
        self.types = instance.plugin.types
        self.kept = kept
        self.written: dict[str, bytearray] = {}

    def callback(self, name: str) -> Callable[..., Any]:
        return {
            "double": lambda n: 2 * n,
            "fail": self.fail,
            "reenter": lambda n: self.instance.echo_int64(n),
            "apply-reenter": lambda n: self.instance.apply([n], lambda n: 2 * n)[0],
            "open-store": self.host.open_store,
            "note": self.host.note,
            "wrong-type": lambda *_: "not a number",
        }[name]

    def fail(self, *_: Any) -> Any:
        raise ValueError("the callback failed")

    def items(self, value: dict[str, Any]) -> Iterator[Any]:
        yield from argument(value["$items"], context=self)
        if value.get("then") == "fail":
            raise ValueError("no more items")

    def reader(self, value: dict[str, Any]) -> io.IOBase:
        data = argument(value["$reader"], context=self)
        return {None: io.BytesIO, "fail": BrokenReader, "repeat": EndlessReader}[value.get("then")](data)

    def writer(self, value: dict[str, Any]) -> Collector:
        given = value["$writer"]
        return Collector(self.written.setdefault(given["as"], bytearray()), given.get("most"))


class BrokenReader(io.BytesIO):
    """A file that fails where it should end."""

    def readinto(self, buffer: Any) -> int:
        count = super().readinto(buffer)
        if not count:
            raise OSError("broken reader")
        return count


class EndlessReader(io.BytesIO):
    """A file that begins anew where it should end."""

    def readinto(self, buffer: Any) -> int:
        if self.tell() == len(self.getbuffer()):
            self.seek(0)
        return super().readinto(buffer)


class Collector(io.RawIOBase):
    """A file that collects what is written to it."""

    def __init__(self, data: bytearray, most: int | None) -> None:
        self.data, self.most = data, most

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        if self.most is not None and len(self.data) + len(data) > self.most:
            raise OSError("broken writer")
        self.data += data
        return len(data)


GIVEN: dict[str, Callable[[Context, dict[str, Any]], Any]] = {
    "$handle": lambda context, value: context.kept[value["$handle"]],
    "$callback": lambda context, value: context.callback(value["$callback"]),
    "$object": lambda context, value: context.host.store,
    "$items": Context.items,
    "$endless": lambda context, value: itertools.repeat(argument(value["$endless"], context=context)),
    "$reader": Context.reader,
    "$writer": Context.writer,
}


def check(actual: Any, expected: Any, context: Context | None = None) -> None:
    """Compare a result with the JSON value that stands for it."""
    if isinstance(expected, dict) and context:
        if "$keep" in expected:
            assert hasattr(actual, "close"), actual
            context.kept.keep(expected["$keep"], actual)
            return
        if "$items" in expected:
            check(list(actual), expected["$items"], context)
            return
        if "$reader" in expected:
            check(actual.read(), expected["$reader"])
            return
    if isinstance(expected, dict) and "$between" in expected:
        low, high = expected["$between"]
        assert low <= actual <= high
        return
    if isinstance(expected, dict) and "$json" in expected:
        assert actual == expected["$json"]
        return
    if isinstance(expected, dict) and "$time" in expected:
        assert actual == time(expected["$time"])
        assert actual.utcoffset() == time(expected["$time"]).utcoffset()
        return
    if isinstance(expected, dict) and "$repeat" in expected and isinstance(actual, list):
        check(actual, [expected["$repeat"]["value"]] * expected["$repeat"]["count"], context)
        return
    if isinstance(expected, dict) and "$case" in expected:
        name, *held = expected["$case"]
        assert type(actual).__name__ == class_name(name)
        if not held:
            assert field_names(type(actual)) == []
        else:
            check(actual.value if field_names(type(actual)) == ["value"] else actual, held[0], context)
        return
    if isinstance(expected, dict) and not any(key.startswith("$") for key in expected):
        fields = {field_name(actual, name): value for name, value in expected.items()}
        assert set(field_names(type(actual))) == set(fields)
        for name, value in fields.items():
            check(getattr(actual, name), value, context)
        return
    if isinstance(expected, list):
        assert isinstance(actual, (list, tuple))
        assert len(actual) == len(expected)
        for got, wanted in zip(actual, expected, strict=True):
            check(got, wanted, context)
        return
    if isinstance(expected, dict) and "$map" in expected:
        assert isinstance(actual, list if context and context.is_component else dict)
        found = dict(actual)
        assert len(actual) == len(found) == len(expected["$map"])
        for key, value in expected["$map"]:
            check(found[argument(key)], value, context)
        return
    if isinstance(expected, str) and isinstance(actual, enum.Enum):
        assert actual.value == expected
        return
    wanted = argument(expected, "list" if isinstance(actual, list) else "")
    if isinstance(actual, float):
        wanted = float(wanted)
        assert math.isnan(actual) == math.isnan(wanted)
        assert math.isnan(wanted) or (actual == wanted and math.copysign(1, actual) == math.copysign(1, wanted))
        return
    assert type(actual) is type(wanted)
    assert actual == wanted


def cases() -> Iterator[Any]:
    """Give each case with its file, for each form of the guest: the cases of a file share an instance, so they run in order."""
    for form, of_guest in FORMS.items():
        for path in sorted((ROOT / "conformance" / "cases").glob("*.json")):
            file = json.loads(path.read_text())
            for case in file["cases"]:
                needs = {*file.get("needs", []), *case.get("needs", [])}.union(*(step.get("needs", []) for step in case.get("steps", [])))
                lacks = needs - CAPABILITIES - of_guest
                marks = [pytest.mark.skip(reason=f"a {form} in this host lacks {', '.join(sorted(lacks))}")] if lacks else []
                yield pytest.param(form, path.stem, case, id=f"{form}: {path.stem}: {case['name']}", marks=marks)


END = object()
"""What the step `next` gives at the end."""


def read(file: Any, most: int) -> bytes:
    """Read so many bytes, or until the end."""
    data = b""
    while len(data) < most and (more := file.read(most - len(data))):
        data += more
    return data


class Runner:
    """Holds the instance that the cases of a file share."""

    def __init__(self, plugin: undergo.Plugin, *, is_component: bool) -> None:
        self.plugin = plugin
        self.is_component = is_component
        self.context: Any = None
        self.special = False

    def run(self, case: dict[str, Any]) -> None:
        steps = case.get("steps", [case])
        own: dict[str, Any] = {key: case[key] for key in ("limits", "env") if key in case}
        if "steps" in case and "args" in case:
            own["args"] = case["args"]
        if self.context is None or case.get("fresh") or own or self.special or not self.context.instance.alive:
            self.context = self.start(own, Kept())
        self.special = bool(own)
        places: dict[str | None, Context] = {None: self.context}
        try:
            for step in steps:
                place = step.get("in")
                if place not in places:
                    places[place] = self.start(own, self.context.kept)
                self.step(places[place], step)
        finally:
            self.context.kept.close()
            self.context.written.clear()

    def start(self, own: dict[str, Any], kept: Kept) -> Context:
        limits = own.get("limits", {})
        memory, timeout = limits.get("memory_mib"), limits.get("timeout_ms")
        host = Host()
        host.instance = self.plugin.instantiate(
            imports={"host": host},
            sandbox=undergo.Sandbox(args=own.get("args", ()), env=own.get("env", {}), stdout="discard", stderr="discard"),
            limits=undergo.Limits(
                memory=f"{memory}MiB" if memory else None,
                timeout=timeout / 1000 if timeout else None,
                handles=limits.get("handles"),
            ),
        )
        return Context(host.instance, host, kept, is_component=self.is_component)

    def step(self, context: Context, step: dict[str, Any]) -> None:
        expected = step.get("error")
        if expected is None:
            result = self.do(context, step)
            if step.get("end"):
                assert result is END
            elif "result" in step:
                check(result, step["result"], context)
        else:
            with pytest.raises(Exception) as caught:  # noqa: PT011
                self.do(context, step)
            self.check_error(caught.value, expected)
        if "alive" in step:
            assert context.instance.alive is step["alive"]

    def do(self, context: Context, step: dict[str, Any]) -> Any:
        kept = context.kept
        if "call" in step:
            name = python_name(step["call"])
            return self.call(context, getattr(kept[step["on"]], name) if "on" in step else context.instance.exports[name], step)
        if "new" in step:
            return self.call(context, context.instance.exports[class_name(step["new"])], step)
        if "close" in step:
            return kept[step["close"]].close()
        if "next" in step:
            return next(kept[step["next"]], END)
        if "read" in step:
            return read(kept[step["read"]], step["most"])
        if "write" in step:
            return kept[step["write"]].write(argument(step["data"]))
        if "written" in step:
            return bytes(context.written[step["written"]])
        assert step.get("reset"), step
        return context.instance.reset()

    def call(self, context: Context, function: Any, step: dict[str, Any]) -> Any:
        given = step.get("args", [])
        annotations = [parameter.annotation for parameter in inspect.signature(function).parameters.values()]
        pairs = itertools.zip_longest(given, annotations[: len(given)], fillvalue="")
        return function(*[argument(value, annotation, context) for value, annotation in pairs])

    def check_error(self, error: BaseException, expected: dict[str, Any]) -> None:
        if expected["kind"] == "host-error":
            # What a host function raised is what the caller gets.
            assert isinstance(error, ValueError)
            assert not isinstance(error, undergo.Error)
        else:
            assert isinstance(error, undergo.Error), error
            assert error.kind == expected["kind"], error
            assert expected.get("path", "") in f"{error.path} {error}"
        assert expected.get("contains", "") in str(error)
        if "chain" in expected:
            self.check_chain(error, expected["chain"])

    def check_chain(self, error: BaseException | None, chain: list[dict[str, Any]]) -> None:
        for link in chain:
            assert isinstance(error, undergo.GuestError)
            assert str(error) == link["text"]
            assert type(error).__name__ == class_name(link.get("name", "guest-error"))
            if "fields" in link:
                check(error, link["fields"])
            error = error.__cause__
        assert error is None


@pytest.fixture(scope="module")
def component() -> undergo.Plugin:
    return undergo.Plugin(guest_path("conformance-component"))


@pytest.fixture(scope="module")
def runners(plugin: undergo.Plugin, component: undergo.Plugin) -> Callable[[str, str], Runner]:
    made: dict[tuple[str, str], Runner] = {}
    plugins = {"module": plugin, "component": component}
    return lambda form, file: made.setdefault((form, file), Runner(plugins[form], is_component=form == "component"))


@pytest.mark.parametrize(("form", "file", "case"), list(cases()))
def test_case(form: str, file: str, case: dict[str, Any], runners: Callable[[str, str], Runner]) -> None:
    runners(form, file).run(case)


def test_each_export_has_a_case(plugin: undergo.Plugin) -> None:
    steps = [step for param in cases() for step in param.values[2].get("steps", [param.values[2]])]
    called = {python_name(step["call"]) for step in steps if "call" in step}
    called |= {class_name(step["new"]) for step in steps if "new" in step}
    assert set(plugin.exports) <= called
