"""When data that was held back is to be flushed, and when silence has lasted too long."""

import math


class Deadlines:
    """The two deadlines of whoever receives data; times are seconds of one monotonic clock.

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
        """When something is to be done; infinite if never."""
        return min(self._flush_at, self._silent_at)

    def received(self, now: float) -> None:
        """Begin to count the silence anew."""
        self._silent_at = now + self.frame_timeout

    def is_silent(self, now: float) -> bool:
        """Whether nothing has come for too long."""
        return self._silent_at <= now

    def take_flush(self, now: float) -> bool:
        """Whether to flush; the next time is then a period later."""
        if self._flush_at > now:
            return False
        self._flush_at = now + self._flush_period
        return True
