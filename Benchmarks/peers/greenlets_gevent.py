"""What gevent needs for the benchmarks of greenlet-bench."""

import os
import sys

import gevent
from gevent import socket as gsocket
from gevent.event import Event
from gevent.lock import Semaphore

import measure
from measure import Benchmark


def spawn_join(count):
    def body(number):
        return number

    def loop():
        for number in range(count):
            gevent.spawn(body, number).get()

    gevent.spawn(loop).get()


def park_wake(count):
    ping, pong = Semaphore(0), Semaphore(0)

    def other():
        for _ in range(count // 2):
            ping.acquire()
            pong.release()

    def one():
        for _ in range(count // 2):
            ping.release()
            pong.acquire()

    gevent.joinall([gevent.spawn(other), gevent.spawn(one)], raise_error=True)


def sockets(count):
    trips = count // 10_000

    def exchange(end):
        for _ in range(trips):
            end.sendall(b"x")
            end.recv(1)

    def echo(end):
        for _ in range(trips):
            end.recv(1)
            end.sendall(b"x")

    pairs = [gsocket.socketpair() for _ in range(5_000)]
    greenlets = []
    for one, other in pairs:
        greenlets += [gevent.spawn(exchange, one), gevent.spawn(echo, other)]
    gevent.joinall(greenlets, raise_error=True)
    for one, other in pairs:
        one.close()
        other.close()


benchmarks = [
    Benchmark("spawn-join", spawn_join),
    Benchmark("park-wake", park_wake, minimum_count=2),
    Benchmark("sockets", sockets, minimum_count=1_000_000),
]



def resident():
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def parked():
    """Prints what a hundred thousand parked greenlets take of real memory, in MiB."""
    before = resident()
    wake = Event()
    greenlets = [gevent.spawn(wake.wait) for _ in range(100_000)]
    gevent.sleep(0)
    print("parked", (resident() - before) / 2**20)
    wake.set()
    gevent.joinall(greenlets)


if "parked" in sys.argv:
    parked()
    sys.exit()
try:
    measure.run(benchmarks, measure.options()).send(None)  # no body here is a coroutine
except StopIteration:
    pass
