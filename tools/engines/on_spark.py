"""Two Python workers of Spark, which tries the partition of a killed worker again."""

import sys
from collections.abc import Iterable, Iterator

from pyspark import SparkConf, SparkContext
from work import Batch, Done, Task, Work


def run(context: SparkContext, task: Task, work: Work) -> list[Done]:
    """Run all batches. The task is broadcast, so that each worker reads it once."""
    there = context.broadcast(task)

    def partition(batches: Iterable[Batch]) -> Iterator[Done]:
        return map(there.value, batches)

    return list(context.parallelize(work.batches, len(work.batches)).mapPartitions(partition).collect())


if __name__ == "__main__":
    work = Work()
    # Two workers, and four attempts at a partition: a local Spark has one, unless it is told.
    conf = SparkConf().setMaster("local[2,4]").set("spark.ui.enabled", "false").set("spark.local.dir", sys.argv[5])
    conf.set("spark.driver.host", "127.0.0.1").set("spark.driver.bindAddress", "127.0.0.1")
    with SparkContext(conf=conf) as context:
        context.setLogLevel("OFF")
        work.timed(lambda task: run(context, task, work))
