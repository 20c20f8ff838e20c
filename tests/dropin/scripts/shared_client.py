"""One client for many threads, one for many tasks."""

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor

from panda_ioc.pandablocks.asyncio import AsyncioClient
from panda_ioc.pandablocks.blocking import BlockingClient
from panda_ioc.pandablocks.commands import CommandError, Get, Put


def pairs(client: BlockingClient, number: int, count: int) -> int:
    """Puts and reads back a field of its own."""
    field = f"PULSE{number}.PULSES"
    good = 0
    for value in range(1, count + 1):
        client.send(Put(field, str(value)))
        good += client.send(Get(field)) == str(value)
        if value % 50 == 0:
            try:
                client.send(Put(f"PULSE{number}.NOPE", "1"))
            except CommandError as error:
                good += f"PULSE{number}.NOPE" in str(error)
    return good


async def task(client: AsyncioClient, number: int, count: int) -> int:
    field = f"PULSE{number}.PULSES"
    good = 0
    for value in range(1, count + 1):
        await client.send(Put(field, str(value)))
        good += await client.send(Get(field)) == str(value)
    return good


async def tasks(host: str) -> None:
    async with AsyncioClient(host) as client:
        print(await asyncio.gather(*(task(client, number, 100) for number in (1, 2, 3, 4))))


with BlockingClient(sys.argv[1]) as shared, ThreadPoolExecutor(4) as pool:
    print(list(pool.map(lambda number: pairs(shared, number, 250), (1, 2, 3, 4))))
asyncio.run(tasks(sys.argv[1]))
