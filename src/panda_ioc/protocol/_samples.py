"""Memory in which the samples of an acquisition lie one after another, frame heads left out.

So frames are merged by being received: any run of samples is a view, never a copy. Memory once
handed out is not written again; a new slab is begun when the next frame does not fit in this one.
"""

from itertools import accumulate, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panda_ioc.protocol.responses import FrameData

HEAD_BYTES = 8


class SampleStore:
    """Slabs of samples of one layout.

    Attributes:
        memory: the bytes of the slab, with space for one frame head behind the last sample
        end: where in it the next byte of a sample goes

    Args:
        slab_bytes: size of a slab; larger frames get a slab of their own
    """

    def __init__(self, slab_bytes: int) -> None:
        self._slab_bytes = slab_bytes
        self.start(np.dtype("V1"))

    def start(self, layout: np.dtype[Any]) -> None:
        """Begin an acquisition; what was not taken is forgotten."""
        self.row_bytes = layout.itemsize
        self._layout = layout
        self._before = 0
        self._begin_slab(np.empty(0, layout))

    def _begin_slab(self, rows: NDArray[Any]) -> None:
        self._rows = rows
        self._capacity = max(0, rows.nbytes - HEAD_BYTES)
        self.memory = rows.view(np.uint8).data
        self.end = self._whole = self._taken = 0

    @property
    def room(self) -> int:
        """Bytes that this slab still has."""
        return self._capacity - self.end

    @property
    def samples(self) -> int:
        """Samples committed since `start`."""
        return self._before + self._whole // self.row_bytes

    def make_room(self, size: int) -> list[FrameData]:
        """Begin a slab that has room for `size` bytes; returns what the old one held untaken."""
        untaken = self.take()
        self._before = self.samples
        rows = -(-(max(size, self._slab_bytes) + HEAD_BYTES) // self.row_bytes)
        self._begin_slab(np.empty(rows, self._layout))
        return untaken

    def commit(self) -> None:
        """A whole frame ends at `end`."""
        self._whole = self.end

    def take(self) -> list[FrameData]:
        """All committed samples not yet taken, as one piece; none if there are none."""
        return self.take_each([self._whole - self._taken])

    def take_each(self, sizes: list[int]) -> list[FrameData]:
        """All committed samples not yet taken, in pieces of these sizes in bytes; no empty ones."""
        row, rows = self.row_bytes, self._rows
        cuts = [cut // row for cut in accumulate(sizes, initial=self._taken)]
        self._taken = self._whole
        return [FrameData(rows[start:end]) for start, end in pairwise(cuts) if end > start]
