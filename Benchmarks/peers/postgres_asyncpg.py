"""Point selects through asyncpg's pool: 64 tasks, 16 connections, queries a second."""

import asyncio
import os
import random
import time

import asyncpg

SECONDS = float(os.environ.get("BENCH_SECONDS", "3"))


async def select(pool, until):
    count = 0
    while time.monotonic() < until:
        await pool.fetchval(
            "SELECT abalance FROM pgbench_accounts WHERE aid = $1", random.randint(1, 1_000_000)
        )
        count += 1
    return count


async def rate(pool, seconds):
    start = time.monotonic()
    counts = await asyncio.gather(*(select(pool, start + seconds) for _ in range(64)))
    return sum(counts) / (time.monotonic() - start)


async def main():
    async with asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=16, max_size=16) as pool:
        await rate(pool, SECONDS / 10)
        print("select", await rate(pool, SECONDS))


asyncio.run(main())
