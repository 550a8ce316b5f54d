"""Two worker processes of Dask, which computes anew what a killed worker had."""

from dask.distributed import Client, LocalCluster
from work import Done, Task, Work


def run(client: Client, task: Task, work: Work) -> list[Done]:
    """Run all batches. The task goes to each worker once."""
    there = client.scatter(task, broadcast=True, hash=False)
    futures = client.map(lambda batch, task: task(batch), work.batches, task=there, pure=False)
    return list(client.gather(futures))


if __name__ == "__main__":
    work = Work()
    cluster = LocalCluster(n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None)
    with cluster, Client(cluster) as client:
        work.timed(lambda task: run(client, task, work))
