"""The registers at the end of a block, and how their changes reach the inputs wired to them.

All sources of a wire have the same four methods: `value_at`, `attach`, `detach` and `record`.
An output can be behind: its block then catches up before anybody looks, see `wave_output`.
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


def nothing() -> None:
    """Do nothing."""


class Shown:
    """What a block shows.

    Attributes:
        shown: the last that the block put.
        lazy: whether the block makes no events of it, and catches up when somebody looks.
        catch_up: brings an output that is lazy up to date.
        rearrange: what to do when others begin or cease to listen.
    """

    __slots__ = ("_record", "catch_up", "engine", "lazy", "name", "rearrange", "shown")

    def __init__(self, engine: Engine, name: str) -> None:
        self.engine = engine
        self.name = name
        self.shown = 0
        self.lazy = False
        self.catch_up: Callable[[], None] = nothing
        self.rearrange: Callable[[], None] = nothing
        self._record: Callable[[Change], None] | None = None

    @property
    def value(self) -> int:
        """The last that the block put."""
        if self.lazy:
            self.catch_up()
        return self.shown

    @property
    def record(self) -> Callable[[Change], None] | None:
        return self._record

    @record.setter
    def record(self, record: Callable[[Change], None] | None) -> None:
        self.catch_up()
        self._record = record
        self.rearrange()


class BitOutput(Shown):
    """A bit on the bus."""

    __slots__ = ("edges", "listeners")

    def __init__(self, engine: Engine, name: str) -> None:
        super().__init__(engine, name)
        self.edges: deque[int] = deque(maxlen=EDGES)
        self.listeners: list[tuple[int, tuple[Event, Event], Line]] = []

    @property
    def last_change(self) -> int | None:
        """The period from which on it has its value, None if it never changed."""
        self.catch_up()
        return self.edges[-1] if self.edges else None

    def put(self, tick: int, value: int) -> None:
        """Show a level from the period after `tick` on; use it once a tick."""
        if value == self.shown:
            return
        self.shown = value
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
        if self._record is not None:
            self._record((at, self.name, value))

    def value_at(self, tick: int) -> int:
        if self.lazy:
            self.catch_up()
        value = self.shown
        for edge in reversed(self.edges):
            if edge <= tick:
                break
            value ^= 1
        return value

    def attach(self, line: Line) -> None:
        self.catch_up()
        self.listeners.append((line.latency, (line.event(0), line.event(1)), line))
        self.rearrange()

    def detach(self, line: Line) -> None:
        self.listeners = [listener for listener in self.listeners if listener[2] is not line]
        self.rearrange()


class PositionOutput(Shown):
    """A number on the position bus, or one that the server reads."""

    __slots__ = ("first", "listeners", "second")

    def __init__(self, engine: Engine, name: str) -> None:
        super().__init__(engine, name)
        # The last two changes, as (tick, value before it).
        self.first = self.second = (engine.now, 0)
        self.listeners: list[tuple[int, Line]] = []

    @property
    def last_change(self) -> int:
        """The period from which on it has its value."""
        self.catch_up()
        return self.first[0]

    def put(self, tick: int, value: int) -> None:
        """Show a number from the period after `tick` on; use it once a tick."""
        if value == self.shown:
            return
        at = tick + 1
        self.second = self.first
        self.first = (at, self.shown)
        self.shown = value
        for latency, line in self.listeners:
            self.engine.post(at + latency, line.event(value))
        if self._record is not None:
            self._record((at, self.name, value))

    def value_at(self, tick: int) -> int:
        """Tell the number in a period, at most one before that of the last event."""
        if self.lazy:
            self.catch_up()
        if tick >= self.first[0]:
            return self.shown
        return self.first[1] if tick >= self.second[0] else self.second[1]

    def attach(self, line: Line) -> None:
        self.catch_up()
        self.listeners.append((line.latency, line))
        self.rearrange()

    def detach(self, line: Line) -> None:
        self.listeners = [listener for listener in self.listeners if listener[1] is not line]
        self.rearrange()


Output: TypeAlias = "BitOutput | PositionOutput | Motion"
