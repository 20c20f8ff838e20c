"""Where an encoder is at each tick: segments of constant speed, answered without a tick loop."""

from bisect import bisect_right
from collections.abc import Sequence
from fractions import Fraction
from functools import cached_property
from itertools import accumulate

from panda_ioc.errors import TwinError
from panda_ioc.sim.twin.segment import Segment

LOWEST, HIGHEST = -(2**31), 2**31 - 1
UP, DOWN = 1, -1
FOREVER = 0

# Ticks, and the positions at the begin and at the end.
Leg = tuple[int, Fraction, Fraction]


class Trajectory:
    """Positions by tick, counted from the start of the motion.

    Before tick 0 the position is the first one, after the last tick it is that of the end.

    Args:
        legs: (ticks, begin, end) of each piece of constant speed.
        repeats: how often to do it all; 0 is for ever.
    """

    def __init__(self, legs: Sequence[Leg], repeats: int = 1) -> None:
        self._segments = [Segment.between(*leg) for leg in map(_checked, legs)]
        if not legs or repeats < 0:
            raise TwinError(f"a trajectory of {len(legs)} pieces, {repeats} times: nothing moves")
        self._ends = list(accumulate(segment.ticks for segment in self._segments))
        ranges = [segment.extremes(0, segment.ticks) for segment in self._segments]
        self._lows, self._highs = [low for low, _ in ranges], [high for _, high in ranges]
        self.cycle = self._ends[-1]
        self.ticks = self.cycle * repeats if repeats else None
        self.first = self._segments[0].value(0)
        self.last = self._segments[-1].value(self._segments[-1].ticks)

    def value(self, tick: int) -> int:
        """Tell the position at a tick."""
        if tick < 0:
            return self.first
        if self.ticks is not None and tick >= self.ticks:
            return self.last
        index, place = self._locate(tick % self.cycle)
        return self._segments[index].value(place)

    def next_within(self, tick: int, low: int, high: int) -> int | None:
        """Find the first tick, `tick` or later, whose position is from `low` to `high`."""
        if tick < 0:
            if low <= self.first <= high:
                return tick
            tick = 0
        while self.ticks is None or tick < self.ticks:
            done, place = divmod(tick, self.cycle)
            found = self._find(place, low, high)
            if found is not None:
                return done * self.cycle + found
            if place == 0:
                # No cycle has it.
                break
            tick = (done + 1) * self.cycle
        if self.ticks is None or not low <= self.last <= high:
            return None
        return max(tick, self.ticks)

    def next_crossing(self, tick: int, position: int, sense: int) -> int | None:
        """Find the first tick, `tick` or later, at which a position is reached or passed.

        Args:
            tick: where to begin; it counts if the position is beyond already.
            position: what to reach.
            sense: UP or DOWN.
        """
        if sense == UP:
            return self.next_within(tick, position, HIGHEST)
        return self.next_within(tick, LOWEST, position)

    def next_change(self, tick: int) -> int | None:
        """Find the first tick, `tick` or later, whose position is not that of the tick before."""
        if self.ticks is not None and tick > self.ticks:
            return None
        value = self.value(tick - 1)
        up = self.next_crossing(tick, value + 1, UP)
        down = self.next_crossing(tick, value - 1, DOWN)
        return min((at for at in (up, down) if at is not None), default=None)

    def sum(self, first: int, end: int) -> int:
        """Sum the positions of the ticks from `first` to before `end`."""
        return self.totals(end)[0] - self.totals(first)[0]

    def sum_of_squares(self, first: int, end: int) -> int:
        """Sum the squares of the positions of the ticks from `first` to before `end`."""
        return self.totals(end)[1] - self.totals(first)[1]

    def totals(self, end: int) -> tuple[int, int]:
        """Sum the positions, and their squares, from tick 0 to before `end`.

        What is before tick 0 counts negative, so that differences are right.
        """
        if end <= 0:
            return end * self.first, end * self.first**2
        beyond = 0
        if self.ticks is not None and end > self.ticks:
            beyond, end = end - self.ticks, self.ticks
        done, place = divmod(end, self.cycle)
        total, squares = self._part(place)
        whole = self._before[-1]
        return (
            total + done * whole[0] + beyond * self.last,
            squares + done * whole[1] + beyond * self.last**2,
        )

    def extremes(self, first: int, end: int) -> tuple[int, int]:
        """Find the least and the largest position of the ticks from `first` to before `end`."""
        if end <= first:
            raise TwinError(f"no ticks from {first} to before {end}")
        ranges = []
        if first < 0:
            ranges.append((self.first, self.first))
        if self.ticks is not None and end > self.ticks:
            ranges.append((self.last, self.last))
            end = self.ticks
        first = max(first, 0)
        if first < end:
            ranges += self._ranges(first, end)
        return min(low for low, _ in ranges), max(high for _, high in ranges)

    def _ranges(self, first: int, end: int) -> list[tuple[int, int]]:
        if end - first >= self.cycle:
            return [(min(self._lows), max(self._highs))]
        first, end = first % self.cycle, (end - 1) % self.cycle + 1
        if first < end:
            return self._spans(first, end)
        return [*self._spans(first, self.cycle), *self._spans(0, end)]

    def _spans(self, first: int, end: int) -> list[tuple[int, int]]:
        """List the extremes of each segment in a part of a cycle."""
        (start, place), (stop, rest) = self._locate(first), self._locate(end - 1)
        if start == stop:
            return [self._segments[start].extremes(place, rest + 1)]
        between = zip(self._lows[start + 1 : stop], self._highs[start + 1 : stop], strict=True)
        return [
            self._segments[start].extremes(place, self._segments[start].ticks),
            *between,
            self._segments[stop].extremes(0, rest + 1),
        ]

    def _locate(self, place: int) -> tuple[int, int]:
        """Find the segment of a tick of the cycle, and the tick in it."""
        index = bisect_right(self._ends, place)
        return index, place - self._ends[index] + self._segments[index].ticks

    def _find(self, place: int, low: int, high: int) -> int | None:
        """Find a position from `low` to `high` in the rest of a cycle."""
        start, tick = self._locate(place)
        for index in range(start, len(self._segments)):
            if self._lows[index] <= high and self._highs[index] >= low:
                segment = self._segments[index]
                found = segment.first_within(tick, low, high)
                if found is not None:
                    return self._ends[index] - segment.ticks + found
            tick = 0
        return None

    @cached_property
    def _before(self) -> list[tuple[int, int]]:
        """The sums before each segment of a cycle, and those of the whole cycle at the end."""
        before = [(0, 0)]
        for segment in self._segments:
            total, squares = segment.sums(segment.ticks)
            before.append((before[-1][0] + total, before[-1][1] + squares))
        return before

    def _part(self, place: int) -> tuple[int, int]:
        """Sum a cycle before one of its ticks."""
        index, tick = self._locate(place)
        (total, squares), own = self._before[index], self._segments[index].sums(tick)
        return total + own[0], squares + own[1]


def still(position: int) -> Trajectory:
    """Make a trajectory that stays where it is."""
    return Trajectory([(1, Fraction(position), Fraction(position))])


def _checked(leg: Leg) -> Leg:
    ticks, *ends = leg
    if ticks < 1:
        raise TwinError(f"a motion of {ticks} ticks of 8 ns is too short, use at least 1")
    for position in ends:
        if not LOWEST <= position < HIGHEST + 1:
            raise TwinError(f"position {float(position):g} does not fit into 32 bits")
    return leg
