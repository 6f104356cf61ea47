"""What gevent needs for the benchmarks of core-bench."""

import gevent
from gevent.queue import Channel

import measure
from measure import Benchmark


def ping_pong(count):
    ping, pong = Channel(), Channel()

    def echo():
        for _ in range(count):
            pong.put(ping.get())

    def play():
        for number in range(count):
            ping.put(number)
            pong.get()

    gevent.joinall([gevent.spawn(echo), gevent.spawn(play)], raise_error=True)


def spawn_join(count):
    def body(number):
        return number

    for number in range(count):
        gevent.spawn(body, number).get()


def spawn(count):
    ended = 0

    def body():
        nonlocal ended
        ended += 1

    for _ in range(count // 1000):
        for _ in range(1000):
            gevent.spawn(body)
        while ended < 1000:
            gevent.sleep(0)
        ended = 0


def sleep_zero(count):
    def body():
        for _ in range(count):
            gevent.sleep(0)

    gevent.spawn(body).get()


def yields(count):
    def body():
        for _ in range(count // 2):
            gevent.sleep(0)

    gevent.joinall([gevent.spawn(body), gevent.spawn(body)], raise_error=True)


def timer_wake(count):
    def body(number):
        for _ in range(count // 1000):
            gevent.sleep((1000 + number) / 1e6)

    gevent.joinall([gevent.spawn(body, number) for number in range(1000)], raise_error=True)


benchmarks = [
    Benchmark("ping-pong", ping_pong),
    Benchmark("spawn-join", spawn_join),
    Benchmark("spawn", spawn, minimum_count=1000),
    Benchmark("yield", yields, minimum_count=2),
    Benchmark("sleep-zero", sleep_zero),
    Benchmark("timer-wake", timer_wake, minimum_count=1000),
]

options = measure.options()
if options.idle:
    gevent.sleep(3600)
else:
    try:
        measure.run(benchmarks, options).send(None)  # no body here is a coroutine
    except StopIteration:
        pass
