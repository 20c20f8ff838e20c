"""The latest samples of an acquisition, kept until its end says that they are the last."""

from collections.abc import Iterator

import numpy as np

from panda_ioc.capture._ring import Ring
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
        self._layout = layout
        self._ring = Ring(size, layout.itemsize)

    def add(self, rows: Rows) -> None:
        """Add samples and drop the oldest."""
        self._ring.add(rows.view(np.uint8).reshape(-1, self._layout.itemsize))

    def rows(self, left_out: int = 0) -> Iterator[Rows]:
        """Return what is held without the newest `left_out` samples, in one or two pieces, oldest
        first."""
        for raw in self._ring.pieces(left_out):
            yield raw.reshape(-1).view(self._layout)
