"""What the peers' programs in Python share: options, the size of a batch, the median of five."""

import argparse
import time


def options():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", action="append", default=[], help="measure this one; all otherwise")
    parser.add_argument("--quick", action="store_true", help="take shorter batches")
    parser.add_argument("--idle", action="store_true", help="do nothing, with a timer an hour away")
    return parser.parse_args()


class Benchmark:
    """A name and a body that does the thing as many times as its argument says."""

    def __init__(self, name, body, minimum_count=1, set_up=None, tear_down=None):
        self.name = name
        self.body = body
        self.minimum_count = minimum_count
        self.set_up = set_up
        self.tear_down = tear_down

    async def measure(self, quick):
        """Doubles the count until a batch can be timed, then takes the median of five, in nanoseconds;
        of one when batches take seconds."""
        if self.set_up:
            self.set_up()
        enough = 20_000_000 if quick else 100_000_000
        count = self.minimum_count
        while await self._batch(count) < enough:
            count *= 2
        batches = []
        while len(batches) < 5:
            spent = await self._batch(count)
            batches.append(spent / count)
            if spent > 2_000_000_000:
                break
        if self.tear_down:
            self.tear_down()
        return sorted(batches)[len(batches) // 2]

    async def _batch(self, count):
        start = time.process_time_ns()
        waiting = self.body(count)
        if waiting is not None:  # a body that waits is a coroutine
            await waiting
        return time.process_time_ns() - start


async def run(benchmarks, options):
    """Prints a name and its nanoseconds a line."""
    unknown = set(options.only) - {benchmark.name for benchmark in benchmarks}
    if unknown:
        raise SystemExit(f"no benchmark is called {', '.join(unknown)}")
    for benchmark in benchmarks:
        if not options.only or benchmark.name in options.only:
            print(benchmark.name, await benchmark.measure(options.quick))
