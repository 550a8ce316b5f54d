"""Two processes of the standard library, spawned or forked by a server.

It promises nothing about a worker that is killed, and says so: the batches without a result are
given to other processes.
"""

import contextlib
import multiprocessing
import sys
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from work import Batch, Done, Task, Work


def run(task: Task, batches: list[Batch]) -> list[Done]:
    """Run the batches, and once more those that a killed worker took along."""
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context(sys.argv[5])) as processes:
        futures: list[Future[Done]] = []
        # One that is killed early ends the pool while batches are still being given to it.
        with contextlib.suppress(BrokenProcessPool):
            for batch in batches:
                futures.append(processes.submit(task, batch))
    done, left = [], batches[len(futures) :]
    for batch, future in zip(batches, futures, strict=False):
        if isinstance(future.exception(), BrokenProcessPool):
            left.append(batch)
        else:
            done.append(future.result())
    return done + run(task, left) if left else done


if __name__ == "__main__":
    work = Work()
    work.timed(lambda task: run(task, work.batches))
