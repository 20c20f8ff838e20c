"""Acquisitions: what `*PCAP.ARM=` starts, how far it has got, and how it ends.

No samples are stored. A sample is a function of its index (see `signals`), so an acquisition only
counts: at a rate it counts by the clock; at rate 0 (unlimited) as far as the fastest reader has
asked. The control port and the threads of the data port share these objects under one lock.
"""

import math
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace

from panda_ioc.errors import CommandError

from .captured import Column

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
_KEPT = 16


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
    """

    rate: float = 1000.0
    samples: int = 0
    period: float = 0.02
    frame: int = 0
    buffer: int = 1 << 26
    ramp: bool = False
    hold: bool = False


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

    def __init__(self, serial: int, setup: Setup, settings: Settings):
        self.serial = serial
        self.setup = setup
        self.settings = settings
        self.window = max(1, settings.buffer // setup.sample_bytes)
        self.arm_time_ns = time.time_ns()
        self.start_time_ns = time.time_ns()
        self.reason: str | None = None
        self._start = math.inf if settings.hold else time.monotonic()
        self._count = 0

    def produced(self) -> int:
        """Samples so far; ends the acquisition when it has all that it shall have."""
        if self.reason is None and self.settings.rate:
            self._count = int(max(0.0, time.monotonic() - self._start) * self.settings.rate)
        self._check_end()
        return self._count

    def release(self) -> None:
        """Samples come from now on."""
        self._start = min(self._start, time.monotonic())

    def claim(self, count: int) -> None:
        """At an unlimited rate, a reader that wants more samples makes them exist."""
        if self.reason is None and not self.settings.rate and self._start < math.inf:
            self._count = max(self._count, count)
        self._check_end()

    def _check_end(self) -> None:
        limit = self.settings.samples
        if self.reason is None and limit and self._count >= limit:
            self._count = limit
            self.reason = OK

    def end(self, reason: str) -> None:
        """End it for this reason, unless it has ended already."""
        self.produced()
        if self.reason is None:
            self.reason = reason


@dataclass(frozen=True)
class Progress:
    """What a reader at some position can have: samples up to `end`; why no more will come."""

    end: int
    reason: str | None
    lost: int


class Capture:
    """The one acquisition that may run, and the readers of it. Safe to use from any thread."""

    def __init__(self, settings: Settings):
        self.settings = settings
        self.changed = threading.Condition()
        self._history: deque[Acquisition] = deque(maxlen=_KEPT)
        self._serial = 0
        self._clients: Counter[str] = Counter()
        self._closed = False

    @property
    def _last(self) -> Acquisition | None:
        return self._history[-1] if self._history else None

    def arm(self, setup: Setup) -> None:
        """Begin an acquisition; CommandError if one runs, or nothing would be captured."""
        with self.changed:
            if self._running():
                raise CommandError("Data capture already in progress")
            if not setup.columns:
                raise CommandError("Nothing configured for capture")
            self._serial += 1
            self._history.append(Acquisition(self._serial, setup, self.settings))
            self.changed.notify_all()

    def end(self, reason: str) -> None:
        """End the acquisition that runs, if one does, for this reason."""
        with self.changed:
            if self._last:
                self._last.end(reason)
            self.changed.notify_all()

    def configure(self, **changes: float | int | bool) -> None:
        """Change settings; an acquisition that runs keeps those it began with."""
        self.settings = replace(self.settings, **changes)  # type: ignore[arg-type]

    def release(self) -> None:
        """End the hold of an acquisition that runs, and let later ones begin at once."""
        self.configure(hold=False)
        with self.changed:
            if self._last:
                self._last.release()
            self.changed.notify_all()

    def busy(self) -> bool:
        """Whether an acquisition runs."""
        with self.changed:
            return self._running()

    def _running(self) -> bool:
        if self._last is None:
            return False
        self._last.produced()
        return self._last.reason is None

    def count(self) -> int:
        """Samples of the last acquisition so far."""
        with self.changed:
            return self._last.produced() if self._last else 0

    # Texts of *PCAP queries

    def status(self) -> str:
        """State, data clients connected, data clients that are taking samples."""
        with self.changed:
            state = "Busy" if self._running() else "Idle"
            return f"{state} {self._clients['reading']} {self._clients['taking']}"

    def captured(self) -> str:
        """Samples of the last acquisition so far."""
        return str(self.count())

    def completion(self) -> str:
        """Why the last acquisition ended."""
        with self.changed:
            self._running()
            return (self._last.reason or "Busy") if self._last else OK

    # Readers

    def position(self) -> int:
        """Serial number of the last acquisition that has ended: a new reader begins after it."""
        with self.changed:
            return self._serial - 1 if self._running() else self._serial

    def next_after(self, serial: int, timeout: float) -> Acquisition | None:
        """The first acquisition after `serial` that is still known, waiting at most `timeout` s."""
        with self.changed:
            found = self._find(serial)
            if found is None and not self._closed:
                self.changed.wait(timeout)
                found = self._find(serial)
            return found

    def _find(self, serial: int) -> Acquisition | None:
        return next((known for known in self._history if known.serial > serial), None)

    def progress(self, acquisition: Acquisition, position: int, want: int) -> Progress:
        """How far a reader at `position` that can take `want` samples may go.

        `lost` is how many samples, counted from `position`, are not in the buffer any more.
        """
        with self.changed:
            acquisition.claim(position + want)
            produced = acquisition.produced()
            kept = acquisition.window if acquisition.settings.rate else produced
            end = min(produced, position + want)
            done = end == produced
            return Progress(
                end, acquisition.reason if done else None, max(0, produced - kept - position)
            )

    def wait(self, seconds: float) -> None:
        """Wait for the next frame to be due, or for the end of the acquisition."""
        with self.changed:
            if not self._closed:
                self.changed.wait(seconds)

    def reading(self) -> AbstractContextManager[None]:
        """Count a data client while it is connected."""
        return self._counted("reading")

    def taking(self) -> AbstractContextManager[None]:
        """Count a data client while an acquisition is sent to it."""
        return self._counted("taking")

    @contextmanager
    def _counted(self, what: str) -> Iterator[None]:
        with self.changed:
            self._clients[what] += 1
        try:
            yield
        finally:
            with self.changed:
                self._clients[what] -= 1

    @property
    def closed(self) -> bool:
        """No reader shall wait any more."""
        return self._closed

    def close(self) -> None:
        """Let no reader wait any more."""
        with self.changed:
            self._closed = True
            self.changed.notify_all()
