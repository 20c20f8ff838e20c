"""Deadlines of a receiver: when to flush data held back, and when silence is too long."""

import math


class Deadlines:
    """The two deadlines of a receiver; times are seconds of one monotonic clock.

    Args:
        flush_period: seconds between flushes; None: nothing is held back
        frame_timeout: seconds of silence that are an error; None: none are
        now: the time
    """

    def __init__(self, flush_period: float | None, frame_timeout: float | None, now: float) -> None:
        self._flush_period = math.inf if flush_period is None else flush_period
        self.frame_timeout = math.inf if frame_timeout is None else frame_timeout
        self._flush_at = now + self._flush_period
        self._silent_at = now + self.frame_timeout

    @property
    def next(self) -> float:
        """The next deadline; infinite if there is none."""
        return min(self._flush_at, self._silent_at)

    def received(self, now: float) -> None:
        """Restart the deadline of silence."""
        self._silent_at = now + self.frame_timeout

    def is_silent(self, now: float) -> bool:
        """Whether silence has lasted too long."""
        return self._silent_at <= now

    def take_flush(self, now: float) -> bool:
        """Return whether to flush; if so, the next flush is a period later."""
        if self._flush_at > now:
            return False
        self._flush_at = now + self._flush_period
        return True
