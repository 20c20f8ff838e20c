"""Pauses between attempts to connect, longer each time."""

import asyncio
import random
import time
from collections.abc import Callable

FIRST, LONGEST = 0.1, 1.5
"""Seconds of the first pause, and of the longest."""


class Backoff:
    """Pause between attempts: twice as long each time, with jitter.

    A connection starts the series anew only if it has held for as long as the longest pause: a
    PandA that accepts connections and closes them at once is not asked more often than one that
    refuses them.

    Args:
        clock: tells the time in seconds; tests have one of their own
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._next = FIRST
        self._connected_at: float | None = None

    @property
    def has_held(self) -> bool:
        """Whether the connection that was made last lasted long enough to be called good."""
        return self._connected_at is not None and self._clock() >= self._connected_at + LONGEST

    def connected(self) -> None:
        """Note that an attempt succeeded just now."""
        self._connected_at = self._clock()

    def failed(self) -> float:
        """Note that the connection was lost or could not be made; return the seconds to wait."""
        if self.has_held:
            self._next = FIRST
        self._connected_at = None
        pause, self._next = self._next, min(2 * self._next, LONGEST)
        return pause * random.uniform(0.5, 1.0)

    async def pause(self) -> None:
        """Wait before the next attempt."""
        await asyncio.sleep(self.failed())
