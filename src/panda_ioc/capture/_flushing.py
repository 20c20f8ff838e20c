"""When to flush a file next."""

import time

SOON = 0.05
"""Seconds that a flush period of 0 means; more where flushes take long (see `_PART`)."""
_PART = 4.0  # pauses are at least so many times as long as the flush before


class Flushing:
    """Tells how long to wait for the next flush."""

    def __init__(self) -> None:
        self._flushed_at = -float("inf")
        self._took = 0.0

    def seconds_left(self, period: float) -> float:
        """Seconds until the next flush is due; 0 if it is."""
        pause = max(SOON, period, _PART * self._took)
        return max(0.0, self._flushed_at + pause - time.monotonic())

    def flushed(self, begun: float) -> None:
        """Note that a flush that was begun at this time is done."""
        self._flushed_at = time.monotonic()
        self._took = self._flushed_at - begun
