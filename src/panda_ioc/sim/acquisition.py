"""One acquisition: what `*PCAP.ARM=` starts, how far it has got, and how it ends.

No samples are stored. A sample is a function of its index (see `signals`), so an acquisition only
counts: at a rate it counts by the clock; at rate 0 (unlimited) as far as the fastest reader has
asked. The server's capture thread reads what the hardware has made some time later, `drain`. So the
end comes twice: the hardware stops, and `drain` seconds later everything has been read.
"""

import math
import time
from dataclasses import dataclass

from panda_ioc.sim.captured import Column

OK = "Ok"
DISARMED = "Disarmed"
OVERRUN = "Data overrun"
REASONS = (
    OK,
    DISARMED,
    "Early disconnect",
    OVERRUN,
    "Framing error",
    "Driver data overrun",
    "DMA data error",
)


@dataclass(frozen=True)
class Settings:
    """How the simulation captures.

    rate      samples/s; 0 means as fast as the readers take them
    samples   samples in an acquisition; 0 means until `*PCAP.DISARM=`
    period    seconds between frames at a rate
    frame     most samples in a frame; 0 means as many as fit into a frame of 2 MiB
    buffer    bytes of raw samples kept for slow readers, beyond which they overrun
    ramp      data words count 0, 1, 2 ... instead of the signals of `signals`
    hold      samples come only once `Capture.release` says so, as if there were no trigger yet
    drain     seconds for which the capture thread still reads after the hardware has stopped
    """

    rate: float = 1000.0
    samples: int = 0
    period: float = 0.02
    frame: int = 0
    buffer: int = 1 << 26
    ramp: bool = False
    hold: bool = False
    drain: float = 0.008


@dataclass(frozen=True)
class Setup:
    """What is captured: columns in the order of the hardware, and what their values depend on."""

    columns: tuple[Column, ...]
    shift: int = 0
    counters: tuple[tuple[str, tuple[int, int, int, int]], ...] = ()
    hw_time_offset_ns: int | None = None

    @property
    def sample_bytes(self) -> int:
        """Bytes of one sample as the hardware sends it."""
        return 4 * sum(column.words for column in self.columns)


class Acquisition:
    """One acquisition. Use it only under the lock of its Capture, through the Capture."""

    def __init__(self, setup: Setup, settings: Settings) -> None:
        self.setup = setup
        self.settings = settings
        self.window = max(1, settings.buffer // setup.sample_bytes)
        self.arm_time_ns = time.time_ns()
        self.start_time_ns = time.time_ns()
        self.reason = ""
        self._start = math.inf if settings.hold else time.monotonic()
        self._end = math.inf
        self._count = 0

    def running(self) -> bool:
        """Whether the hardware still makes samples."""
        self._check_limit(time.monotonic())
        return self._end == math.inf

    def drained_at(self) -> float:
        """When everything has been read, on the monotonic clock; infinite while it runs."""
        return math.inf if self.running() else self._end + self.settings.drain

    def drained(self) -> bool:
        """Whether everything that the hardware made has been read."""
        return time.monotonic() >= self.drained_at()

    def made(self) -> int:
        """Samples that the hardware has made."""
        self._check_limit(time.monotonic())
        return self._made_by(time.monotonic())

    def read(self) -> int:
        """Samples that the capture thread has read."""
        return self.made() if self.drained() else self._made_by(self._thread_time())

    def release(self) -> None:
        """Let samples come from now on."""
        self._start = min(self._start, time.monotonic())

    def claim(self, count: int) -> None:
        """Make samples exist that a reader wants, at an unlimited rate."""
        if not self.settings.rate and self.running() and self._start < math.inf:
            self._count = max(self._count, count)
            self._check_limit(time.monotonic())

    def stop(self, reason: str) -> None:
        """End it for this reason, unless it has ended already."""
        if self.running():
            now = time.monotonic()
            self._finish(now, self._made_by(now), reason)

    def _finish(self, moment: float, count: int, reason: str) -> None:
        self._end, self._count, self.reason = moment, count, reason

    def _thread_time(self) -> float:
        """The moment whose samples the capture thread is reading now."""
        return time.monotonic() - self.settings.drain

    def _made_by(self, moment: float) -> int:
        if moment >= self._end or not self.settings.rate:
            return self._count
        return int(max(0.0, moment - self._start) * self.settings.rate)

    def _check_limit(self, now: float) -> None:
        limit, rate = self.settings.samples, self.settings.rate
        if limit and self._end == math.inf and self._made_by(now) >= limit:
            self._finish(self._start + limit / rate if rate else now, limit, OK)
