"""What `undergo new` begins: in each host language the plugin builds, and the program beside it runs."""

from __future__ import annotations

import subprocess
from pathlib import Path

import go
import pytest
from host import Command, Host
from hosts import HOSTS
from project import CLI, environment

PRINTED = "Hello, Ada! (mathematician, admin)\nHELLO, BOB!\nrefused: a person without a name can't be greeted\n"


def run(command: Command, directory: Path) -> str:
    """Run a command, and give what it printed."""
    done = subprocess.run(command, cwd=directory, env=environment(go.find()), capture_output=True, encoding="utf-8", timeout=600)
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.mark.parametrize("host", HOSTS.values(), ids=lambda host: host.name)
def test_what_is_new_runs(host: Host, tmp_path: Path) -> None:
    reason = host.missing()
    if reason:
        pytest.skip(f"{host.name}: {reason}")
    run([CLI, "new", "my-plugin", "--host", host.name], tmp_path)
    folder = tmp_path / "my-plugin"
    run([CLI, "build"], folder)
    assert run(host.command(folder / host.program, folder), folder) == PRINTED
