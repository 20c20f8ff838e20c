"""One signal over time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Ticks = NDArray[np.int64]


class TraceKind(Enum):
    """What a signal is, and so how it is drawn."""

    BIT = "bit"
    POSITION = "position"
    STATE = "state"


@dataclass(frozen=True, eq=False)
class Trace:
    """The levels of a signal.

    Attributes:
        name: of the signal
        kind: what it is
        first: its level before the first change
        ticks: when it changed, ascending, each tick once
        values: the level from each of these ticks on
        labels: names of the levels of a state
        is_line: a position that moves in straight lines between its points, not in steps
    """

    name: str
    kind: TraceKind
    first: int
    ticks: Ticks
    values: Ticks
    labels: Mapping[int, str] = field(default_factory=dict)
    is_line: bool = False

    @classmethod
    def of(
        cls,
        name: str,
        kind: TraceKind,
        first: int,
        ticks: Sequence[int],
        values: Sequence[int],
        labels: Mapping[int, str] | None = None,
    ) -> "Trace":
        """Make a trace of changes as they were recorded: one of several in a tick counts."""
        at, levels = np.array(ticks, np.int64), np.array(values, np.int64)
        last = np.append(at[1:] != at[:-1], True) if len(at) else np.zeros(0, bool)
        at, levels = at[last], levels[last]
        before = np.concatenate([[first], levels[:-1]]) if len(levels) else levels
        real = levels != before
        return cls(name, kind, first, at[real], levels[real], labels or {})

    @property
    def changes(self) -> int:
        """How often it changed."""
        return len(self.ticks)

    def at(self, tick: int) -> int:
        """Return the level in a period."""
        place = int(np.searchsorted(self.ticks, tick, side="right"))
        return int(self.values[place - 1]) if place else self.first

    def levels(self, ticks: Ticks) -> Ticks:
        """Return the levels in these periods."""
        if not len(self.ticks):
            return np.full(len(ticks), self.first, np.int64)
        places = np.searchsorted(self.ticks, ticks, side="right")
        return np.where(places > 0, self.values[places - 1], self.first)

    @property
    def before(self) -> Ticks:
        """The levels before the changes."""
        return np.concatenate([[self.first], self.values])[:-1]

    @cached_property
    def rises(self) -> Ticks:
        """When a bit rose."""
        rises: Ticks = self.ticks[self.values != 0]
        return rises

    @cached_property
    def falls(self) -> Ticks:
        """When a bit fell."""
        falls: Ticks = self.ticks[self.values == 0]
        return falls

    def later(self, ticks: int, name: str = "") -> "Trace":
        """Return the same signal, seen so many ticks later."""
        return Trace(
            name or self.name, self.kind, self.first, self.ticks + ticks, self.values, self.labels
        )

    def extremes(self, start: int, end: int) -> tuple[int, int]:
        """Return the least and the largest level in the periods from `start` to before `end`."""
        inside = self.values[(self.ticks > start) & (self.ticks < end)]
        levels = np.append(inside, self.at(start))
        return int(levels.min()), int(levels.max())

    def text(self, value: int) -> str:
        """Return how a level is written."""
        return self.labels.get(value, str(value))


def constant(name: str, value: int, kind: TraceKind = TraceKind.BIT) -> Trace:
    """Make a trace that never changes."""
    nothing = np.zeros(0, np.int64)
    return Trace(name, kind, value, nothing, nothing)
