"""What `undergo new` begins: in each host language the plugin builds, and the program beside it runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from host import Host
from hosts import HOSTS
from programs import run
from project import CLI

PRINTED = "Hello, Ada! (mathematician, admin)\nHELLO, BOB!\nrefused: a person without a name can't be greeted\n"


@pytest.mark.parametrize("host", HOSTS.values(), ids=lambda host: host.name)
def test_what_is_new_runs(host: Host, tmp_path: Path) -> None:
    reason = host.missing()
    if reason:
        pytest.skip(f"{host.name}: {reason}")
    run([CLI, "new", "my-plugin", "--host", host.name], tmp_path)
    folder = tmp_path / "my-plugin"
    run([CLI, "build"], folder)
    assert run(host.command(folder / host.program, folder), folder) == PRINTED
