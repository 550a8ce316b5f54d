"""What all engines are given: batches of lines, and a worker that is killed in the middle."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import undergo

BATCHES = 20
Batch = tuple[int, list[str]]
Done = tuple[int, list[str]]


class Work:
    """The lines of a run, and how its result is checked and told."""

    def __init__(self) -> None:
        wasm, lines, expected, self.marker = sys.argv[1:5]
        self.plugin = undergo.Plugin(wasm)
        self.plugin.wait_compiled()
        self.lines = Path(lines).read_text(encoding="utf-8").splitlines()
        self.expected = json.loads(Path(expected).read_text(encoding="utf-8"))
        self.bound = self.plugin.bind(limits=undergo.Limits(memory="1GiB", timeout=600))
        size = -(-len(self.lines) // BATCHES)
        self.batches: list[Batch] = [(n, self.lines[n * size : (n + 1) * size]) for n in range(BATCHES)]

    def killing(self) -> Task:
        """Give the task whose worker is killed once, in the middle of the batch in the middle."""
        return Task(self.bound.normalize, self.marker)

    def plain(self) -> Task:
        """Give the task as users would have it."""
        return Task(self.bound.normalize, "")

    def timed(self, run: Callable[[Task], list[Done]]) -> None:
        """Run all batches, the second time with a killed worker, and compare what came back: each line once, in order."""
        begin = time.perf_counter()
        self.check(run(self.plain()))
        seconds = time.perf_counter() - begin
        self.check(run(self.killing()))
        assert Path(self.marker).exists(), "no worker was killed"
        tell(seconds)

    def check(self, done: list[Done]) -> None:
        """Check that nothing was lost, doubled or changed."""
        numbers = [number for number, _ in done]
        assert sorted(numbers) == list(range(BATCHES)), f"batches were lost or doubled: {numbers}"
        found = [line for _, normal in sorted(done) for line in normal]
        assert found == self.expected, "lines are missing or differ"


class Task:
    """Normalises one batch with a function of a plugin that came along."""

    def __init__(self, normalize: Any, marker: str) -> None:
        self.normalize = normalize
        self.marker = marker

    def __call__(self, batch: Batch) -> Done:
        """Give the batch's number and its lines."""
        number, lines = batch
        if self.marker and number == BATCHES // 2:
            self.die_once(lines)
        return number, self.normalize(lines, "DE")

    def die_once(self, lines: list[str]) -> None:
        """Kill this process after half of the batch, unless one has been killed before."""
        try:
            os.close(os.open(self.marker, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return
        self.normalize(lines[: len(lines) // 2], "DE")
        os.kill(os.getpid(), signal.SIGKILL)


def tell(seconds: float) -> None:
    """Tell how long the run without a killed worker took."""
    print(json.dumps({"seconds": round(seconds, 2)}))
