"""The newest or the first samples of the running acquisition, for the screen.

One thread feeds raw samples in (a copy of at most the window's size for each piece), another takes
snapshots; only what is taken is scaled. Memory is bounded by the size of the window.
"""

import threading
from collections.abc import Collection
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panda_ioc.capture._ring import Raw, Ring
from panda_ioc.capture.scaling import Column, Rows, columns_of
from panda_ioc.errors import BadValue, CaptureError
from panda_ioc.protocol.responses import EndReason, StartData

MAX_SAMPLES = 10_000_000
"""Largest window: with 40-byte samples 400 MB, touched only as far as it is filled."""


class Keep(Enum):
    """Which samples of an acquisition a window keeps."""

    LATEST = "Latest N"
    FIRST = "First N"


@dataclass(frozen=True)
class Snapshot:
    """The content of the window at one moment.

    Attributes:
        acquisition: 1, 2, ... of those seen by this window; 0 before the first
        version: another number whenever anything in here has changed
        received: samples of this acquisition
        dropped: those of them that no snapshot has shown, nor will
        running: whether the acquisition goes on
        reason: why it ended, if it has
        columns: physical values by ``NAME.CAPTURE``, all of one length, oldest first
    """

    acquisition: int = 0
    version: int = 0
    received: int = 0
    dropped: int = 0
    running: bool = False
    reason: EndReason | None = None
    columns: dict[str, NDArray[Any]] = field(default_factory=dict)


class LiveWindow:
    """The latest N samples, or the first N, of the running or last acquisition; a `Sink`.

    A change of size or mode counts at once, as far as the samples for it are still there; else the
    first N begin with the next acquisition, the latest N with the next samples.

    Attributes:
        failed: it was taken out of its stream because of an error
    """

    def __init__(self, size: int = 1000, keep: Keep = Keep.LATEST) -> None:
        self._lock = threading.Lock()
        self._size = _checked(size)
        self._keep = keep
        self._ring = Ring(self._size, 0)
        self._layout: np.dtype[Any] = np.dtype([])
        self._columns: tuple[Column, ...] = ()
        self._running = False
        self._reason: EndReason | None = None
        self._acquisition = self._version = 0
        self.failed = False
        self._clear()

    def _clear(self) -> None:
        self._received = 0
        self._closed = False  # the first N are complete, or were missed
        self._shown = 0
        self._dropped = 0

    @property
    def version(self) -> int:
        """The version of the next `snapshot`, which tells cheaply whether anything has changed."""
        return self._version

    def configure(self, size: int | None = None, keep: Keep | None = None) -> None:
        """Change the window; raise `BadValue` if the size is not 1 ... `MAX_SAMPLES`."""
        with self._lock:
            rows = self._rows()
            size = self._size if size is None else _checked(size)
            gone = self._received > len(rows)
            if keep is not None and keep is not self._keep:
                self._keep = keep
                rows = rows[:0] if gone else rows
            self._closed = gone and self._keep is Keep.FIRST
            self._size = size
            self._refill(rows[:size] if self._keep is Keep.FIRST else rows[-size:])
            self._version += 1

    def _refill(self, rows: Raw) -> None:
        self._ring = Ring(self._size, rows.shape[1])
        self._ring.add(rows)

    def start(self, start: StartData) -> None:
        """Begin an acquisition, perhaps with other columns; raise `CaptureError` if they cannot be
        scaled."""
        columns = columns_of(start)
        layout = np.dtype([(column.name, column.field.type) for column in columns])
        with self._lock:
            self._columns, self._layout = columns, layout
            self._clear()
            self._ring = Ring(self._size, layout.itemsize)
            self._acquisition += 1
            self._version += 1
            self._running, self._reason = True, None

    def samples(self, rows: Rows) -> None:
        """Copy samples."""
        count = len(rows)
        raw = rows.view(np.uint8).reshape(count, rows.itemsize)
        with self._lock:
            self._received += count
            self._version += 1
            if self._keep is Keep.FIRST:
                raw = raw[: 0 if self._closed else self._size - self._ring.taken]
                self._closed |= len(raw) < count
            self._ring.add(raw)

    def end(self, reason: EndReason, untrusted: int) -> None:
        """End the acquisition; remove its last `untrusted` samples, which may be corrupt."""
        with self._lock:
            rows = self._rows()
            kept_from = self._received - len(rows) if self._keep is Keep.LATEST else 0
            good = max(0, self._received - untrusted - kept_from)
            if good < len(rows):
                self._refill(rows[:good])
            self._running, self._reason = False, reason
            self._version += 1

    def closed(self, error: Exception | None) -> None:
        """End the stream; the content stays, and `reason` tells if it cannot go on."""
        with self._lock:
            self.failed = error is not None
            if self._running or isinstance(error, CaptureError):
                self._running, self._reason = False, EndReason.UNKNOWN_EXCEPTION
                self._version += 1

    def snapshot(self, names: Collection[str] | None = None) -> Snapshot:
        """Return the content of the window: all columns, or only those named ``NAME.CAPTURE``."""
        with self._lock:
            rows = self._rows()
            self._count_dropped(len(rows))
            columns, layout = self._columns, self._layout
            state = (
                self._acquisition,
                self._version,
                self._received,
                self._dropped,
                self._running,
                self._reason,
            )
        samples = rows.reshape(-1).view(layout) if columns else rows
        values = {
            column.name: column.values(samples)
            for column in columns
            if names is None or column.name in names
        }
        return Snapshot(*state, values)

    def _count_dropped(self, held: int) -> None:
        if self._keep is Keep.LATEST:
            self._dropped += max(0, self._received - held - self._shown)
            self._shown = self._received
        else:
            self._dropped = self._received - held

    def _rows(self) -> Raw:
        """Return a copy of the samples held, oldest first."""
        return np.concatenate(self._ring.pieces())


def _checked(size: int) -> int:
    if not 1 <= size <= MAX_SAMPLES:
        raise BadValue(f"live window of {size} samples: give 1 to {MAX_SAMPLES}")
    return size
