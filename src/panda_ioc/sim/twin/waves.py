"""A periodic bit, and the questions that it answers without its edges."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wave:
    """A bit that is low before `start`, then high for `width` of each `period` ticks."""

    start: int
    period: int
    width: int

    def level(self, tick: int) -> int:
        return int(tick >= self.start and (tick - self.start) % self.period < self.width)

    def rises(self, after: int, last: int) -> int:
        """Count the rising edges from the tick behind `after` to `last`."""
        return self._before(last - self.start) - self._before(after - self.start)

    def falls(self, after: int, last: int) -> int:
        """Count the falling edges from the tick behind `after` to `last`."""
        down = self.start + self.width
        return self._before(last - down) - self._before(after - down)

    def _before(self, place: int) -> int:
        return max(0, place // self.period + 1)

    def next_edge(self, tick: int) -> int:
        """Find the first edge behind a tick."""
        if tick < self.start:
            return self.start
        place = (tick - self.start) % self.period
        return tick - place + (self.width if place < self.width else self.period)

    def later(self, ticks: int) -> "Wave":
        return Wave(self.start + ticks, self.period, self.width)
