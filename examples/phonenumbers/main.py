"""Normalises phone numbers, in this process and in a pool of processes.

Usage: main.py phonenumbers.wasm
"""

import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import undergo
from sample import lines

LINES = 2_000
BATCH = 250


def main() -> None:
    """Normalise some lines here, and all of them in two processes."""
    plugin = undergo.Plugin(sys.argv[1])
    given, expected = lines(LINES)

    # An instance answers in this process. A list crosses the boundary once, whatever its length.
    normalize = plugin.instantiate().normalize
    normal = normalize(given[:9], "DE")
    for number, text in zip(given, normal, strict=False):
        print(f"{number:<24} {text or '-'}")
    assert normal == expected[:9]

    # A bound function goes to other processes, which load the plugin when it first arrives.
    bound = plugin.bind(limits=undergo.Limits(memory="512MiB", timeout=60.0))
    batches = [given[start : start + BATCH] for start in range(0, LINES, BATCH)]
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as processes:
        found = [number for batch in processes.map(partial(bound.normalize, region="DE"), batches) for number in batch]
    assert found == expected
    print(f"{len(found)} lines, {found.count('')} without a number")


# A process that is spawned imports this file.
if __name__ == "__main__":
    main()
