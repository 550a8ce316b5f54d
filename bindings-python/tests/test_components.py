"""Components by anyone: types that Go has no form for, and resources of either side.

They are those of core/tests/component_types.rs and component_resources.rs.
"""

from __future__ import annotations

from typing import Any

import pytest
import undergo
from conftest import ROOT

COMPONENTS = ROOT / "conformance" / "components"


@pytest.fixture
def types() -> Any:
    return undergo.Plugin(COMPONENTS / "types.wasm").instantiate()


@pytest.fixture
def counters() -> Any:
    return undergo.Plugin(COMPONENTS / "counters.wasm").instantiate(imports={"world": {"ping": lambda: None}})


def test_a_char_is_text(types: Any) -> None:
    assert types.letter("ü") == "ü"
    with pytest.raises(undergo.TypeMismatchError, match="one character, got 2"):
        types.letter("ab")
    assert types.plugin.exports["letter"] == "letter(c: str) -> str"


def test_flags_are_bools(types: Any) -> None:
    permissions = types.plugin.types.Permissions
    assert types.allow(permissions(read=True, write=False, execute=True)) == permissions(read=True, write=False, execute=True)
    assert types.allow({"write": True}) == permissions(read=False, write=True, execute=False)
    with pytest.raises(undergo.TypeMismatchError, match="permissions has no field 'delete'"):
        types.allow({"delete": True})


def test_results_within_values_are_classes(types: Any) -> None:
    cases = types.plugin.types
    assert types.outcome(cases.Ok(7)) == (cases.Ok(7),)
    assert types.outcome(cases.Err("no")) == (cases.Err("no"),)
    assert types.nested(cases.Some(None)) == cases.Some(None)
    assert types.nested(cases.Some(3)) == cases.Some(3)


def test_errors_of_any_type_are_exceptions(types: Any) -> None:
    with pytest.raises(undergo.GuestError, match="denied") as denied:
        types.code(2)
    assert isinstance(denied.value, types.plugin.types.ErrorCodeFailure)
    assert denied.value.value is types.plugin.types.ErrorCode.DENIED
    with pytest.raises(types.plugin.types.Fault, match="code: 410, text: gone") as fault:
        types.record_of()
    assert (fault.value.code, fault.value.text) == (410, "gone")
    with pytest.raises(undergo.GuestError, match="the function failed"):
        types.nothing(True)
    assert types.nothing(False) is None


def test_objects_of_a_component(counters: Any) -> None:
    counter = counters.Counter(3)
    assert (counter.value(), counter.add(4)) == (3, 7)
    fork = counters.counter_fork(counter)
    assert counters.total([counter, fork]) == 14
    merged = counters.counter_merge(counter, fork)
    assert merged.value() == 14
    with pytest.raises(undergo.TypeMismatchError, match="was given away"):
        counter.value()
    swapped = counters.swap({"first": merged, "second": counters.Counter(1)})
    assert (swapped.first.value(), swapped.second.value()) == (1, 14)
    assert counters.maybe(0) is None
    with counters.maybe(9) as one:
        assert one.value() == 9
    assert one.closed
    with pytest.raises(undergo.TypeMismatchError, match="closed"):
        one.value()
    swapped.first.close()
    swapped.second.close()
    assert counters.live() == 0


def test_those_of_another_instance_are_refused(counters: Any) -> None:
    other = counters.plugin.instantiate(imports={"world": {"ping": lambda: None}})
    with pytest.raises(undergo.TypeMismatchError, match="belongs to another instance"):
        other.counter_fork(counters.Counter(1))


def test_a_destructor_that_traps_ends_the_instance(counters: Any) -> None:
    counter = counters.Counter(1)
    counters.hostile(1)
    with pytest.raises(undergo.TrapError, match="unreachable"):
        counter.close()
    with pytest.raises(undergo.DeadInstanceError):
        counters.live()


class Item:
    """An object for a component."""

    def __init__(self, n: int) -> None:
        self.n = n

    def rank(self) -> int:
        return self.n


def test_objects_of_the_program() -> None:
    stored: list[Item] = []
    host = {
        "item": lambda name: Item(len(name)),
        "item_open": Item,
        "compare": lambda a, b: int(a.n < b.n),
        "store": stored.append,
    }
    items: Any = undergo.Plugin(COMPONENTS / "items.wasm").instantiate(imports={"test:items/host": host})
    assert (items.peek(Item(3)), items.take(Item(4))) == (3, 4)
    assert (items.made(False), items.made(True)) == (5, 20)
    assert (items.order(Item(1), Item(2)), items.order(Item(2), Item(1))) == (1, 0)
    own = Item(6)
    assert items.back(own) is own
    items.pass_on(own)
    assert stored == [own]
    items.hold(Item(5))
    assert items.held() == 5
    items.let_go()
    assert items.all([Item(1), Item(2)]) == 3
    with pytest.raises(undergo.TypeMismatchError, match="lacks rank"):
        items.peek(object())
    with pytest.raises(undergo.TrapError, match="borrow"):
        items.keep(Item(1))
