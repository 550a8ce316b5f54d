"""A plugin that was built when the contract had one version."""

from __future__ import annotations

import datetime
import gzip
from pathlib import Path

import pytest
import undergo

PACKED = Path(__file__).resolve().parents[2] / "core" / "tests" / "guests" / "version1" / "plugin.wasm.gz"


def test_a_plugin_of_version_1_loads_and_answers(tmp_path: Path) -> None:
    file = tmp_path / "version1.wasm"
    file.write_bytes(gzip.decompress(PACKED.read_bytes()))
    imports = {
        "directory": {"find": lambda name: "open", "word": lambda name: name.upper()},
        "log": {"note": lambda text: None},
    }
    plugin = undergo.load(file, imports=imports)
    assert plugin.add(1, 2) == 3
    assert plugin.greet("Ada") == "Hello, Ada!"
    job = {
        "name": "x",
        "state": "done",
        "due": datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc),
        "took": datetime.timedelta(seconds=1),
        "tags": ["a"],
        "scores": [0.5],
        "counts": {"n": 1},
        "details": {"deep": [1, None]},
        "raw": [True],
    }
    back = plugin.echo(job)
    assert (back.due, back.details, back.raw, back.place) == (job["due"], job["details"], job["raw"], None)
    assert [one.name for one in plugin.jobs(["a", "b"])] == ["a", "b"]
    with pytest.raises(undergo.GuestError, match="no names"):
        plugin.jobs([])
    assert plugin.ask("a").value == "open"
    with pytest.raises(undergo.PanicError, match="is not a constant of enum State"):
        plugin.bad()
