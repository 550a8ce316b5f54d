"""Two processes of joblib.

It promises nothing about a worker that is killed, and raises: the work is then given anew.
"""

from joblib import Parallel, delayed
from joblib.externals.loky.process_executor import TerminatedWorkerError
from work import Batch, Done, Task, Work


def run(task: Task, batches: list[Batch]) -> list[Done]:
    """Run all batches, and all once more if a worker was killed."""
    try:
        return list(Parallel(n_jobs=2, batch_size=1)(delayed(task)(batch) for batch in batches))
    except TerminatedWorkerError:
        return run(task, batches)


if __name__ == "__main__":
    work = Work()
    work.timed(lambda task: run(task, work.batches))
