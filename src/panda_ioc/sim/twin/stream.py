"""The words that leave PCAP."""

from collections import deque
from collections.abc import Iterator, Sequence


class Stream:
    """Rows as (period in which the first word leaves, words); one word leaves each period."""

    def __init__(self) -> None:
        self.rows: deque[tuple[int, list[int]]] = deque()

    def add(self, first: int, words: list[int]) -> None:
        self.rows.append((first, words))

    def patch(self, period: int, words: Sequence[int]) -> None:
        """Replace the words of the newest row that leave from `period` on."""
        if self.rows:
            first, row = self.rows[-1]
            row[period - first :] = words[period - first : len(row)]

    def cut(self, last: int) -> None:
        """Drop the words of the periods after `last`: their row stays incomplete."""
        while self.rows and self.rows[-1][0] + len(self.rows[-1][1]) > last + 1:
            first, words = self.rows.pop()
            if first <= last:
                self.rows.append((first, words[: last + 1 - first]))

    def take(self, now: int) -> list[list[int]]:
        """Remove and return the rows whose words have all left before period `now`."""
        rows = []
        while self.rows and self.rows[0][0] + len(self.rows[0][1]) <= now:
            rows.append(self.rows.popleft()[1])
        return rows

    def words(self, until: int) -> Iterator[tuple[int, int]]:
        """Yield (period, word) for those that have left before period `until`."""
        for first, words in self.rows:
            for period, word in enumerate(words, first):
                if period < until:
                    yield period, word
