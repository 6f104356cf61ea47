"""Point selects through psycopg's own pool: 64 tasks, 16 connections, queries a second."""

import asyncio
import os
import random
import time

from psycopg_pool import AsyncConnectionPool

SECONDS = float(os.environ.get("BENCH_SECONDS", "3"))


async def select(pool, until):
    count = 0
    while time.monotonic() < until:
        async with pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT abalance FROM pgbench_accounts WHERE aid = %s",
                (random.randint(1, 1_000_000),),
                prepare=True,
                binary=True,
            )
            await cursor.fetchone()
        count += 1
    return count


async def rate(pool, seconds):
    start = time.monotonic()
    counts = await asyncio.gather(*(select(pool, start + seconds) for _ in range(64)))
    return sum(counts) / (time.monotonic() - start)


async def main():
    async with AsyncConnectionPool(
        os.environ["DATABASE_URL"], min_size=16, max_size=16, kwargs={"autocommit": True}
    ) as pool:
        await pool.wait()
        await rate(pool, SECONDS / 10)
        print("select", await rate(pool, SECONDS))


asyncio.run(main())
