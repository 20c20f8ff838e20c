"""A piece of a trajectory: constant speed, quantised by floor."""

from dataclasses import dataclass
from fractions import Fraction
from math import lcm

from panda_ioc.sim.twin.floor_sums import floor_sums


@dataclass(frozen=True, slots=True)
class Segment:
    """The positions `(slope * i + offset) // divisor` at its ticks i = 0..ticks - 1."""

    ticks: int
    slope: int
    offset: int
    divisor: int

    @classmethod
    def between(cls, ticks: int, start: Fraction, end: Fraction) -> "Segment":
        """Make a segment that begins at a position, and would reach another one at its end."""
        common = lcm(start.denominator, end.denominator)
        slope, offset = int((end - start) * common), int(start * common)
        return cls(ticks, slope, offset * ticks, common * ticks)

    def value(self, tick: int) -> int:
        return (self.slope * tick + self.offset) // self.divisor

    def extremes(self, first: int, end: int) -> tuple[int, int]:
        """Find the least and the largest position of the ticks from `first` to before `end`."""
        ends = self.value(first), self.value(end - 1)
        return min(ends), max(ends)

    def sums(self, end: int) -> tuple[int, int]:
        """Sum the positions of the ticks before `end`, and their squares."""
        total, _, squared = floor_sums(self.slope, self.offset, self.divisor, end - 1)
        return total, squared

    def first_within(self, tick: int, low: int, high: int) -> int | None:
        """Find the first tick, `tick` or later, whose position is from `low` to `high`."""
        slope, offset, divisor = self.slope, self.offset, self.divisor
        if slope > 0:
            tick = max(tick, -((offset - low * divisor) // slope))
        elif slope < 0:
            tick = max(tick, -(((high + 1) * divisor - 1 - offset) // -slope))
        return tick if tick < self.ticks and low <= self.value(tick) <= high else None
