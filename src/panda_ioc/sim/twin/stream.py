"""The words that leave PCAP."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence


class Stream:
    """Rows as (period in which the first word leaves, words); one word leaves each period.

    Args:
        flush: makes PCAP add what is due; it puts rows together when it is called anyway.
    """

    def __init__(self, flush: Callable[[], None]) -> None:
        self._rows: deque[tuple[int, list[int]]] = deque()
        self._flush = flush

    @property
    def rows(self) -> deque[tuple[int, list[int]]]:
        """All rows that are put together so far and have not been taken."""
        self._flush()
        return self._rows

    def add(self, first: int, words: list[int]) -> None:
        self._rows.append((first, words))

    def patch(self, period: int, words: Sequence[int]) -> None:
        """Replace the words of the newest row that leave from `period` on."""
        if self._rows:
            first, row = self._rows[-1]
            row[period - first :] = words[period - first : len(row)]

    def cut(self, last: int) -> None:
        """Drop the words of the periods after `last`: their row stays incomplete."""
        while self._rows and self._rows[-1][0] + len(self._rows[-1][1]) > last + 1:
            first, words = self._rows.pop()
            if first <= last:
                self._rows.append((first, words[: last + 1 - first]))

    def take(self, now: int) -> list[list[int]]:
        """Remove and return the rows whose words have all left before period `now`."""
        taken, rows = [], self.rows
        while rows and rows[0][0] + len(rows[0][1]) <= now:
            taken.append(rows.popleft()[1])
        return taken

    def words(self, until: int) -> Iterator[tuple[int, int]]:
        """Yield (period, word) for those that have left before period `until`."""
        for first, words in self.rows:
            for period, word in enumerate(words, first):
                if period < until:
                    yield period, word
