"""What is published: each package is installed in an empty environment outside of this checkout, and the greeter is run from it."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import time
from pathlib import Path

import go
import pytest
from host import Host
from hosts import HOSTS
from project import CLI, ROOT, environment

GREETER = ROOT / "examples" / "greeter"


@pytest.fixture(scope="module")
def greeter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    wasm = tmp_path_factory.mktemp("greeter") / "greeter.wasm"
    subprocess.run([CLI, "build", GREETER / "plugin", "-o", wasm], env=environment(go.find()), check=True)
    return wasm


@pytest.mark.parametrize("host", HOSTS.values(), ids=lambda host: host.name)
def test_a_package_is_all_it_takes(host: Host, greeter: Path, tmp_path: Path) -> None:
    reason = host.missing()
    if reason:
        pytest.skip(f"{host.name}: {reason}")
    into, folder = tmp_path / "packages", tmp_path / "elsewhere"
    into.mkdir()
    folder.mkdir()
    packages = host.package(into)
    assert packages
    command = host.installed(packages, GREETER / host.program, folder)
    shutil.copy2(greeter, folder)
    env = {name: value for name, value in environment().items() if not name.startswith(("UNDERGO_BUILD", "CARGO"))}
    done = subprocess.run([*command, "greeter.wasm"], cwd=folder, env=env, capture_output=True, encoding="utf-8", timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout == (GREETER / "expected.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["python", "node", "ruby"])
def test_a_package_is_the_same_once_more(name: str, tmp_path: Path) -> None:
    host = HOSTS[name]
    reason = host.missing()
    if reason:
        pytest.skip(f"{name}: {reason}")
    made = []
    for number in ("1", "2"):
        into = tmp_path / number
        into.mkdir()
        made.append({file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in host.package(into)})
        # So that a time would be another one.
        time.sleep(1.1)
    assert made[0] == made[1]
