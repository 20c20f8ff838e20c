"""All of a timing diagram."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from panda_ioc.timing.trace import Ticks, Trace


@dataclass(frozen=True, eq=False)
class Marks:
    """Moments that matter, such as captures.

    Attributes:
        name: of the lane
        ticks: when they are
        is_bad: what should not have happened
    """

    name: str
    ticks: Ticks
    is_bad: bool = False

    def within(self, start: int, end: int) -> "Marks":
        """Return those of a part of the time."""
        inside = (self.ticks >= start) & (self.ticks < end)
        return replace(self, ticks=self.ticks[inside])


@dataclass(frozen=True, eq=False)
class Diagram:
    """Signals over a window of time.

    Attributes:
        title: above it
        traces: a lane for each
        marks: a lane for each
        zero: the tick that the axis calls 0
        start, end: first tick shown, and the one after the last
    """

    title: str
    traces: Sequence[Trace]
    zero: int
    start: int
    end: int
    marks: Sequence[Marks] = field(default_factory=tuple)

    @property
    def ticks(self) -> int:
        """How many ticks are shown."""
        return self.end - self.start


def no_ticks() -> Ticks:
    """Return a row of no ticks."""
    return np.zeros(0, np.int64)
