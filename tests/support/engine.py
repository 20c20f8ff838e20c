"""A RunEngine of Bluesky that leaves nothing behind."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from bluesky.run_engine import RunEngine


@contextmanager
def run_engine() -> Iterator[RunEngine]:
    """A RunEngine whose event loop is ended and closed."""
    engine = RunEngine({})
    try:
        yield engine
    finally:
        asyncio.run_coroutine_threadsafe(_cancel_all(), engine.loop).result(10)
        engine.loop.call_soon_threadsafe(engine.loop.stop)
        engine._th.join(10)
        engine.loop.close()


async def _cancel_all() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
