"""Waiting for the event loop in a thread of EPICS, as `validate` has to."""

import asyncio
import concurrent.futures
from collections.abc import Coroutine
from typing import Any, TypeVar

from panda_ioc.errors import CommandTimeout

T = TypeVar("T")


def wait(
    loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, T], what: str, timeout: float
) -> T:
    """The result of a coroutine that runs in the loop; CommandTimeout, naming what, after timeout.

    All that time EPICS holds the lock of the record that is put to, so nothing in the loop may ask
    for it; and all other PVA clients wait, too.
    """
    future = asyncio.run_coroutine_threadsafe(coroutine, loop)
    concurrent.futures.wait([future], timeout)
    if not future.done():
        future.cancel()
        raise CommandTimeout(f"{what}: no answer in {timeout:g} s")
    return future.result()
