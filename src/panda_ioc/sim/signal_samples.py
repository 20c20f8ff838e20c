"""Samples of signals that nobody wired: no more than a count, as each is a function of its index.

At a rate the count follows the clock; at rate 0 (unlimited) the reader that is fastest. See
`signals` for what the samples are.
"""

import math
import threading
import time
from collections.abc import Mapping, Sequence

from panda_ioc.sim.captured import CapturedColumn
from panda_ioc.sim.hardware import End, Words
from panda_ioc.sim.settings import OK, Setup, SimSettings
from panda_ioc.sim.signals import PERIOD, Limits, ramp_words, signal_words

_FAST_BYTES_PER_SECOND = 10e6


class SignalSamples:
    """The samples of one acquisition.

    Args:
        setup: what is captured
        settings: how many samples there are, and how fast they come
        counters: START, STEP, MIN and MAX of each counter, by the name of its OUT
    """

    def __init__(self, setup: Setup, settings: SimSettings, counters: Mapping[str, Limits]) -> None:
        self._setup = setup
        self._settings = settings
        self._counters = counters
        self._lock = threading.RLock()
        self._started_ns = time.time_ns()
        self._start = math.inf if settings.hold else time.monotonic()
        self._end: End | None = None
        self._count = 0
        self.on_demand = not settings.rate
        fast = self.on_demand or settings.rate * setup.sample_bytes > _FAST_BYTES_PER_SECOND
        self.period = PERIOD if fast and not settings.ramp else 0

    def made_by(self, moment: float) -> int:
        """Return how many samples had been made by a moment of the monotonic clock."""
        with self._lock:
            self._check_limit()
            return self._made_by(moment)

    def end(self) -> End | None:
        """Return how it ended, None while it goes on."""
        with self._lock:
            self._check_limit()
            return self._end

    def claim(self, count: int) -> None:
        """Let there be so many samples, if they are made on demand."""
        with self._lock:
            if self.on_demand and not self._end and self._start < math.inf:
                self._count = max(self._count, count)
                self._check_limit()

    def release(self) -> None:
        """Let samples come, if they are held back."""
        with self._lock:
            self._start = min(self._start, time.monotonic())

    def stop(self, reason: str) -> None:
        """End it for this reason, unless it has ended already."""
        with self._lock:
            now = time.monotonic()
            count = self.made_by(now)
            if not self._end:
                self._count, self._end = count, End(now, reason)

    def started_ns(self) -> int | None:
        """Return when it was armed."""
        return self._started_ns

    def words(self, columns: Sequence[CapturedColumn], start: int, stop: int) -> Words:
        """Return columns of samples start..stop-1: shape (samples, words of the columns)."""
        if self._settings.ramp:
            return ramp_words(self._setup.sample_bytes // 4, start, stop)
        rate, shift = self._settings.rate, self._setup.shift
        return signal_words(columns, rate, shift, self._counters, start, stop)

    def _made_by(self, moment: float) -> int:
        if self.on_demand or (self._end and moment >= self._end.moment):
            return self._count
        return int(max(0.0, moment - self._start) * self._settings.rate)

    def _check_limit(self) -> None:
        now, limit, rate = time.monotonic(), self._settings.samples, self._settings.rate
        if limit and not self._end and self._made_by(now) >= limit:
            self._count, self._end = limit, End(self._start + limit / rate if rate else now, OK)
