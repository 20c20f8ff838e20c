"""Rows of words, kept until they are too many."""

from collections.abc import Sequence

import numpy as np

from panda_ioc.sim.hardware import Words

_BLOCK = 4096


class Rows:
    """The newest rows of an acquisition.

    Args:
        width: words in a row
        most: rows to keep at least; older ones are dropped some time after that
    """

    def __init__(self, width: int, most: int) -> None:
        self._width = width
        self._most = most
        self._blocks: dict[int, Words] = {}
        self._first = 0
        self.count = 0

    def add(self, rows: Sequence[Sequence[int]]) -> None:
        """Append rows."""
        words = np.array(rows, np.uint32).reshape(-1, self._width)
        while len(words):
            number, place = divmod(self.count, _BLOCK)
            if number not in self._blocks:
                self._blocks[number] = np.zeros((_BLOCK, self._width), "<u4")
            part = words[: _BLOCK - place]
            self._blocks[number][place : place + len(part)] = part
            self.count += len(part)
            words = words[len(part) :]
        self._drop()

    def _drop(self) -> None:
        # A client that was told of the oldest row a moment ago still finds it.
        keep = (self.count - self._most) // _BLOCK - 1
        while self._first < keep:
            self._blocks.pop(self._first, None)
            self._first += 1

    def words(self, start: int, stop: int) -> Words:
        """Return rows start..stop-1; those that are not there are zeros."""
        found = np.zeros((stop - start, self._width), "<u4")
        for number in range(start // _BLOCK, (stop - 1) // _BLOCK + 1):
            block = self._blocks.get(number)
            if block is None:
                continue
            low, high = max(start, number * _BLOCK), min(stop, (number + 1) * _BLOCK)
            found[low - start : high - start] = block[
                low - number * _BLOCK : high - number * _BLOCK
            ]
        return found
