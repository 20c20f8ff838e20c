"""The latest samples of an acquisition, until its end says that they are the last."""

from collections.abc import Iterator

import numpy as np

from panda_ioc.capture.scaling import Rows
from panda_ioc.errors import CaptureError
from panda_ioc.protocol.responses import StartData

MAX_BYTES = 1 << 30
"""Most memory that they may take."""


class LastSamples:
    """Room for the latest `size` samples; taken at once, but touched only as far as it is filled.

    Raises:
        CaptureError: so many take more than `MAX_BYTES`
    """

    def __init__(self, size: int, start: StartData) -> None:
        layout = np.dtype([(f"{field.name}.{field.capture}", field.type) for field in start.fields])
        if size * layout.itemsize > MAX_BYTES:
            raise CaptureError(
                f"the last {size} samples of {layout.itemsize} bytes: at most"
                f" {MAX_BYTES // layout.itemsize} fit in memory"
            )
        self._size = size
        self._layout = layout
        # As bytes: assignment of structured arrays goes field by field.
        self._ring = np.empty((size, layout.itemsize), np.uint8)
        self._taken = 0

    def add(self, rows: Rows) -> None:
        """Take samples in, and let the oldest go."""
        skipped = max(0, len(rows) - self._size)
        raw = rows[skipped:].view(np.uint8).reshape(-1, self._layout.itemsize)
        first = (self._taken + skipped) % self._size
        before_end = self._size - first
        self._ring[first : first + len(raw)] = raw[:before_end]
        self._ring[: max(0, len(raw) - before_end)] = raw[before_end:]
        self._taken += len(rows)

    def rows(self, left_out: int = 0) -> Iterator[Rows]:
        """What is there but the newest `left_out`, in one or two pieces, oldest first."""
        count = max(0, min(self._taken, self._size) - left_out)
        first = self._taken % self._size if self._taken > self._size else 0
        end = min(self._size, first + count)
        for raw in (self._ring[first:end], self._ring[: count - (end - first)]):
            yield raw.reshape(-1).view(self._layout)
