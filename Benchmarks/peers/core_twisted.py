"""What Twisted needs for the benchmarks of core-bench."""

from twisted.internet import epollreactor

epollreactor.install()

from twisted.internet import reactor, task
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.threads import deferToThread

import measure
from measure import Benchmark


def deferred(count):
    def add(number):
        return number + 1

    last = 0

    def keep(number):
        nonlocal last
        last = number

    for number in range(count):
        d = Deferred()
        d.addCallback(add).addCallback(add).addCallback(keep)
        d.callback(number)
    assert last == count + 1


def turn_of_the_loop():
    d = Deferred()
    reactor.callLater(0, d.callback, None)
    return d


def nothing():
    pass


pending = []


def make_pending():
    pending.extend(reactor.callLater(1000 + number % 997, nothing) for number in range(100_000))


def cancel_pending():
    for call in pending:
        call.cancel()
    pending.clear()


async def call_later_cancel(count):
    for turn in range(count // 100):
        for number in range(100):
            reactor.callLater(10 + (turn + number) % 91, nothing).cancel()
        await turn_of_the_loop()


async def call_later_turn_cancel(count):
    made = []
    for turn in range(count // 100):
        for call in made:
            call.cancel()
        made = [reactor.callLater(10 + (turn + number) % 91, nothing) for number in range(100)]
        await turn_of_the_loop()
    for call in made:
        call.cancel()


async def sleep_zero(count):
    for _ in range(count):
        await turn_of_the_loop()


async def defer_to_thread(count):
    def body(number):
        return number

    for number in range(count):
        await deferToThread(body, number)


async def timer_wake(count):
    async def body(number):
        for _ in range(count // 1000):
            await task.deferLater(reactor, (1000 + number) / 1e6)

    for sleeper in [ensureDeferred(body(number)) for number in range(1000)]:
        await sleeper


benchmarks = [
    Benchmark("deferred", deferred),
    Benchmark(
        "call-later-cancel",
        call_later_cancel,
        minimum_count=100_000,
        set_up=make_pending,
        tear_down=cancel_pending,
    ),
    Benchmark(
        "call-later-turn-cancel",
        call_later_turn_cancel,
        minimum_count=100_000,
        set_up=make_pending,
        tear_down=cancel_pending,
    ),
    Benchmark("sleep-zero", sleep_zero),
    Benchmark("defer-to-thread", defer_to_thread),
    Benchmark("timer-wake", timer_wake, minimum_count=1000),
]

options = measure.options()
if options.idle:
    reactor.callLater(3600, reactor.stop)
    reactor.run()
else:
    task.react(lambda _: ensureDeferred(measure.run(benchmarks, options)))
