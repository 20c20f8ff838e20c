"""The samples of one acquisition that the twin makes."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

import numpy as np

from panda_ioc.sim.captured import CapturedColumn
from panda_ioc.sim.hardware import End, Words
from panda_ioc.sim.settings import Setup, SimSettings
from panda_ioc.sim.twin_hardware.rows import Rows


class StoredSamples:
    """Rows as PCAP made them. The thread that runs the twin adds them; any thread may read.

    Args:
        setup: what is captured
        settings: how much is kept
        stop: stops the hardware for a reason, if it has not stopped by itself
    """

    on_demand = False
    period = 0

    def __init__(self, setup: Setup, settings: SimSettings, stop: Callable[[str], None]) -> None:
        self.width = setup.sample_bytes // 4
        self.window = max(1, settings.buffer // setup.sample_bytes)
        self._drain = settings.drain
        self._stop = stop
        self._places = _places(setup.columns)
        self._lock = threading.RLock()
        self._rows = Rows(self.width, self.window)
        # When there were how many rows, the newest last.
        self._marks = deque([(0.0, 0)])
        self._claimed = 0
        self._armed_ns = time.time_ns()
        self._started_ns: int | None = None
        self._end: End | None = None

    # For the hardware

    def begin(self, time_ns: int) -> None:
        """Note when the acquisition was enabled, if that is news."""
        with self._lock:
            self._started_ns = self._started_ns or max(self._armed_ns, time_ns)

    def add(self, rows: Sequence[Sequence[int]]) -> None:
        """Append complete rows."""
        now = time.monotonic()
        with self._lock:
            self._rows.add(rows)
            self._marks.append((now, self._rows.count))
            while len(self._marks) > 1 and self._marks[1][0] <= now - self._drain:
                self._marks.popleft()

    def finish(self, reason: str) -> None:
        """Note that the hardware has stopped."""
        with self._lock:
            self._end = self._end or End(time.monotonic(), reason)

    def ahead(self) -> int:
        """Return how many rows there are that no reader has asked for yet; 0 without readers."""
        with self._lock:
            return self._rows.count - self._claimed if self._claimed else 0

    # For the server

    def made_by(self, moment: float) -> int:
        """Return how many samples had been made by a moment of the monotonic clock."""
        with self._lock:
            return next((count for at, count in reversed(self._marks) if at <= moment), 0)

    def end(self) -> End | None:
        """Return how it ended, None while it goes on."""
        with self._lock:
            return self._end

    def claim(self, count: int) -> None:
        """Note how far the fastest reader is."""
        with self._lock:
            self._claimed = max(self._claimed, count)

    def release(self) -> None:
        """Do nothing, as samples come when PCAP is triggered."""

    def started_ns(self) -> int | None:
        """Return when the acquisition was first enabled, None while it waits for that."""
        with self._lock:
            return self._started_ns

    def stop(self, reason: str) -> None:
        """End it for this reason, unless it has ended already."""
        if self.end() is None:
            self._stop(reason)

    def words(self, columns: Sequence[CapturedColumn], start: int, stop: int) -> Words:
        """Return columns of samples start..stop-1: shape (samples, words of the columns)."""
        with self._lock:
            rows = self._rows.words(start, stop)
        places = [self._places[column] for column in columns]
        return np.hstack([rows[:, first:last] for first, last in places])


def _places(columns: Sequence[CapturedColumn]) -> dict[CapturedColumn, tuple[int, int]]:
    """Return where the words of each column are in a row."""
    places, last = {}, 0
    for column in columns:
        places[column] = (last, last + column.words)
        last += column.words
    return places
