"""How fast records show news: `python news.py` prints JSON, values a second on one core.

`panda_ioc` posts in memory; `pandablocks` stands for softioc's `set`, which goes through the queue
of EPICS. Both on the same In record in one process that has no clients.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

from softioc import builder, softioc
from softioc.asyncio_dispatcher import AsyncioDispatcher

from panda_ioc.ioc.epics.record import Record
from panda_ioc.ioc.epics.start import enlarge_callback_queue, release_memory_lock

PIECE = 1000  # less than the queue holds
ROUNDS = 50


async def main() -> None:
    release_memory_lock()
    enlarge_callback_queue()
    builder.SetDeviceName("BENCH")
    softly = builder.aIn("SET")
    builder.aIn("POST")
    builder.LoadDatabase()
    softioc.iocInit(AsyncioDispatcher(asyncio.get_running_loop()))
    post = Record("BENCH:POST", "ai").post
    shown = Record("BENCH:SET", "ai")
    print(
        json.dumps(
            {
                "panda_ioc": _rate(post, lambda _: True),
                "pandablocks": _rate(softly.set, lambda value: shown.read() == value),
            }
        ),
        flush=True,
    )


def _rate(show: Callable[[float], Any], is_shown: Callable[[float], bool]) -> float:
    value = 0.0
    start = time.perf_counter()
    for _ in range(ROUNDS):
        for _ in range(PIECE):
            value += 1.0
            show(value)
        while not is_shown(value):
            time.sleep(0)
    return ROUNDS * PIECE / (time.perf_counter() - start)


if __name__ == "__main__":
    asyncio.run(main())
    sys.stdout.flush()
    os._exit(0)  # EPICS has threads that Python does not know
