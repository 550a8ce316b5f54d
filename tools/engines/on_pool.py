"""A pool of two instances, which threads of this process call."""

import time
from concurrent.futures import ThreadPoolExecutor

from work import Work, tell

if __name__ == "__main__":
    work = Work()
    with work.plugin.pool(2) as pool, ThreadPoolExecutor(2) as threads:
        begin = time.perf_counter()
        normal = list(threads.map(lambda batch: pool.normalize(batch[1], "DE"), work.batches))
        seconds = time.perf_counter() - begin
    work.check(list(enumerate(normal)))
    tell(seconds)
