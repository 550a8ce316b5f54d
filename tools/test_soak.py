"""A short run of soak.py: misdeeds next to well-behaved calls."""

from __future__ import annotations

import subprocess
from pathlib import Path

from project import PYTHON, ROOT, environment


def test_well_behaved_calls_notice_nothing_for_ten_seconds() -> None:
    command: list[str | Path] = [PYTHON, ROOT / "tools" / "soak.py", "--seconds", "10", "--threads", "2"]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=600)
    # What it printed has the seed.
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Amiss: 0." in done.stdout
