"""Each host has what the others have: docs/parity.md is compared with what the hosts' sources declare, in both directions."""

from __future__ import annotations

import re

import parity
import pytest

MISSING = "no:"
"""A cell that begins so says why there is nothing."""


def rows() -> list[dict[str, str]]:
    """Give the rows of all tables, each as its cells by the columns' names."""
    found: list[dict[str, str]] = []
    columns: list[str] = []
    for line in parity.TABLE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if not cells:
            columns = []
        elif not columns:
            columns = cells
        elif not all(re.fullmatch(r":?-+:?", cell) for cell in cells):
            found.append(dict(zip(columns, cells, strict=True)))
    return found


ROWS = rows()
DECLARED = {name: read() for name, read in parity.SURFACES.items()}


def named(host: str) -> set[str]:
    """Give all that the tables name for a host."""
    return {name for row in ROWS for name in re.findall(r"`([^`]+)`", row.get(host, ""))}


def declared(host: str) -> set[str]:
    """Give all that a host's sources declare: classes, and their members."""
    return set(filter(None, DECLARED[host])) | {
        parity.join(host, noun, member) for noun, members in DECLARED[host].items() for member in members
    }


def test_the_tables_have_a_column_for_each_host() -> None:
    assert len(ROWS) > 50
    for row in ROWS:
        assert set(parity.SURFACES) <= set(row), row


@pytest.mark.parametrize("host", parity.SURFACES)
def test_a_host_has_what_the_tables_say(host: str) -> None:
    assert len(declared(host)) > 20
    assert sorted(named(host) - declared(host)) == []


@pytest.mark.parametrize("host", parity.SURFACES)
def test_the_tables_have_what_a_host_has(host: str) -> None:
    assert sorted(declared(host) - named(host)) == []


@pytest.mark.parametrize("host", parity.SURFACES)
def test_what_is_missing_has_a_reason(host: str) -> None:
    silent = [row for row in ROWS if "`" not in row[host] and not re.match(rf"{MISSING} \w+", row[host])]
    assert silent == []
