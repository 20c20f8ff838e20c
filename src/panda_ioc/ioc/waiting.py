"""Waiting for the event loop in a thread of EPICS, as `validate` has to."""

import asyncio
import concurrent.futures
from collections.abc import Coroutine
from typing import Any, TypeVar

from panda_ioc.errors import CommandTimeout

T = TypeVar("T")

PUT_TIMEOUT = 10.0
"""Seconds that a put may keep a thread of EPICS waiting."""


def wait(loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, T], what: str) -> T:
    """The result of a coroutine that runs in the loop; `what` is named if it takes too long.

    All that time EPICS holds the lock of the record that is put to, so nothing in the loop may ask
    for it.
    """
    future = asyncio.run_coroutine_threadsafe(coroutine, loop)
    concurrent.futures.wait([future], PUT_TIMEOUT)
    if not future.done():
        future.cancel()
        raise CommandTimeout(f"{what}: no answer in {PUT_TIMEOUT:g} s")
    return future.result()
