"""Point selects by gevent's greenlets with psycopg and a pool of 16 connections: 64 greenlets, queries a second."""

from gevent import monkey

monkey.patch_all()

import os
import random
import time

import gevent
import gevent.queue
import psycopg

SECONDS = float(os.environ.get("BENCH_SECONDS", "3"))


def select(pool, until):
    count = 0
    while time.monotonic() < until:
        connection = pool.get()
        try:
            connection.execute(
                "SELECT abalance FROM pgbench_accounts WHERE aid = %s",
                (random.randint(1, 1_000_000),),
                prepare=True,
                binary=True,
            ).fetchone()
        finally:
            pool.put(connection)
        count += 1
    return count


def rate(pool, seconds):
    start = time.monotonic()
    greenlets = [gevent.spawn(select, pool, start + seconds) for _ in range(64)]
    gevent.joinall(greenlets, raise_error=True)
    return sum(greenlet.value for greenlet in greenlets) / (time.monotonic() - start)


pool = gevent.queue.LifoQueue()
for _ in range(16):
    pool.put(psycopg.connect(os.environ["DATABASE_URL"], autocommit=True))
rate(pool, SECONDS / 10)
print("select", rate(pool, SECONDS))
