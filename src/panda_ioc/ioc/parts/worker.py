"""A thread for work that the event loop must not wait for."""

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from panda_ioc.errors import PandAError

log = logging.getLogger(__name__)

T = TypeVar("T")


class Worker(ThreadPoolExecutor):
    """One thread; errors in it are logged, because nobody may ask for the result."""

    def __init__(self, name: str) -> None:
        super().__init__(1, name)

    def submit(self, function: Callable[..., T], /, *args: Any, **kwargs: Any) -> "Future[T]":
        """Have the thread call a function."""
        future = super().submit(function, *args, **kwargs)
        future.add_done_callback(_tell)
        return future


def _tell(future: "Future[Any]") -> None:
    error = None if future.cancelled() else future.exception()
    if error is not None and not isinstance(error, PandAError):
        log.error("work in a thread failed", exc_info=error)
