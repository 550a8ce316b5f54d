"""Two worker processes of Ray, which tries the task of a killed worker again."""

import sys

import ray
from work import Batch, Done, Task, Work


@ray.remote(max_retries=3)
def call(task: Task, batch: Batch) -> Done:
    """Run one batch."""
    return task(batch)


def run(task: Task, work: Work) -> list[Done]:
    """Run all batches. The task is put into the store once, from which each worker reads it."""
    there = ray.put(task)
    return list(ray.get([call.remote(there, batch) for batch in work.batches]))


if __name__ == "__main__":
    work = Work()
    ray.init(num_cpus=2, include_dashboard=False, _node_ip_address="127.0.0.1", _temp_dir=sys.argv[5], log_to_driver=False)
    work.timed(lambda task: run(task, work))
    ray.shutdown()
