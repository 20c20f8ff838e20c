"""The latest samples, in memory that is taken once."""

import numpy as np
from numpy.typing import NDArray

Raw = NDArray[np.uint8]
"""Samples as bytes, shape (samples, bytes of a sample): structured arrays are copied by field."""


class Ring:
    """Room for the latest `size` samples of `width` bytes; touched only as far as it is filled.

    Attributes:
        size: samples that it can hold
        width: bytes of a sample
        taken: samples that were ever added
    """

    def __init__(self, size: int, width: int) -> None:
        self.size, self.width = size, width
        self.taken = 0
        self._memory: Raw = np.empty((size, width), np.uint8)

    def add(self, raw: Raw) -> None:
        """Add samples and drop the oldest."""
        skipped = max(0, len(raw) - self.size)
        newest = raw[skipped:]
        first = (self.taken + skipped) % self.size
        before_end = self.size - first
        self._memory[first : first + len(newest)] = newest[:before_end]
        self._memory[: max(0, len(newest) - before_end)] = newest[before_end:]
        self.taken += len(raw)

    def pieces(self, left_out: int = 0) -> tuple[Raw, Raw]:
        """Views of what is held without the newest `left_out` samples, oldest first."""
        count = max(0, min(self.taken, self.size) - left_out)
        first = self.taken % self.size if self.taken > self.size else 0
        end = min(self.size, first + count)
        return self._memory[first:end], self._memory[: count - (end - first)]
