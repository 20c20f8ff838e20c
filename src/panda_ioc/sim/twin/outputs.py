"""The registers at the end of a block, and how their changes reach the inputs wired to them.

All sources of a wire have the same four methods: `value_at`, `attach`, `detach` and `record`.
A source that knows its future takes the place of an output, see `motion`: its `attach` decides
whether to send events, or to hand itself to the block to be asked.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from heapq import heappush
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from panda_ioc.sim.twin.engine import Engine, Event
    from panda_ioc.sim.twin.line import Line
    from panda_ioc.sim.twin.motion import Motion

Change: TypeAlias = tuple[int, str, int]

# A bit may change in each of the 34 ticks that its longest delay line holds.
EDGES = 40


class WireSource(Protocol):
    """What an input can be wired to."""

    @property
    def name(self) -> str:
        """The name on the bus, such as `CLOCK1.OUT`."""

    def value_at(self, tick: int) -> int:
        """Tell the level in a period that is not long past."""

    def attach(self, line: Line) -> None:
        """Send changes to a line from now on."""

    def detach(self, line: Line) -> None:
        """Send nothing more to a line."""


class Constant:
    """ZERO or ONE."""

    __slots__ = ("name", "value")

    def __init__(self, name: str, value: int) -> None:
        self.name = name
        self.value = value

    def value_at(self, tick: int) -> int:
        return self.value

    def attach(self, line: Line) -> None:
        """Do nothing, as a constant has no changes."""

    def detach(self, line: Line) -> None:
        """Do nothing, as a constant has no changes."""


class BitOutput:
    """A bit on the bus. `value` is the last that the block put."""

    __slots__ = ("edges", "engine", "listeners", "name", "record", "value")

    def __init__(self, engine: Engine, name: str) -> None:
        self.engine = engine
        self.name = name
        self.value = 0
        self.edges: deque[int] = deque(maxlen=EDGES)
        self.listeners: list[tuple[int, tuple[Event, Event], Line]] = []
        self.record: Callable[[Change], None] | None = None

    @property
    def last_change(self) -> int | None:
        """The period from which on it has its value, None if it never changed."""
        return self.edges[-1] if self.edges else None

    def put(self, tick: int, value: int) -> None:
        """Show a level from the period after `tick` on; use it once a tick."""
        if value == self.value:
            return
        self.value = value
        at = tick + 1
        self.edges.append(at)
        engine = self.engine
        for latency, events, _ in self.listeners:
            when = at + latency
            queue = engine.agenda.get(when)
            if queue is None:
                engine.agenda[when] = [events[value]]
                heappush(engine.ticks, when)
            else:
                queue.append(events[value])
        if self.record is not None:
            self.record((at, self.name, value))

    def value_at(self, tick: int) -> int:
        value = self.value
        for edge in reversed(self.edges):
            if edge <= tick:
                break
            value ^= 1
        return value

    def attach(self, line: Line) -> None:
        events = (line.event(0), line.event(1))
        self.listeners.append((line.latency, events, line))

    def detach(self, line: Line) -> None:
        self.listeners = [listener for listener in self.listeners if listener[2] is not line]


class PositionOutput:
    """A number on the position bus, or one that the server reads."""

    __slots__ = ("engine", "first", "listeners", "name", "record", "second", "value")

    def __init__(self, engine: Engine, name: str) -> None:
        self.engine = engine
        self.name = name
        self.value = 0
        # The last two changes, as (tick, value before it).
        self.first = self.second = (engine.now, 0)
        self.listeners: list[tuple[int, Line]] = []
        self.record: Callable[[Change], None] | None = None

    @property
    def last_change(self) -> int:
        """The period from which on it has its value."""
        return self.first[0]

    def put(self, tick: int, value: int) -> None:
        """Show a number from the period after `tick` on; use it once a tick."""
        if value == self.value:
            return
        at = tick + 1
        self.second = self.first
        self.first = (at, self.value)
        self.value = value
        for latency, line in self.listeners:
            self.engine.post(at + latency, line.event(value))
        if self.record is not None:
            self.record((at, self.name, value))

    def value_at(self, tick: int) -> int:
        """Tell the number in a period, at most one before that of the last event."""
        if tick >= self.first[0]:
            return self.value
        return self.first[1] if tick >= self.second[0] else self.second[1]

    def attach(self, line: Line) -> None:
        self.listeners.append((line.latency, line))

    def detach(self, line: Line) -> None:
        self.listeners = [listener for listener in self.listeners if listener[1] is not line]


Output: TypeAlias = "BitOutput | PositionOutput | Motion"
