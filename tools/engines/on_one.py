"""One instance in this process."""

from work import Work, tell

if __name__ == "__main__":
    import time

    work = Work()
    normalize = work.plugin.instantiate().normalize
    begin = time.perf_counter()
    done = [(number, normalize(lines, "DE")) for number, lines in work.batches]
    seconds = time.perf_counter() - begin
    work.check(done)
    tell(seconds)
