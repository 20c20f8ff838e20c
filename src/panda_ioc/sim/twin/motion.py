"""A position on the bus that follows a trajectory.

Blocks that can ask (`Block.asks`) get an event only where another trajectory begins; they look up
the position when they are called, and wake up at the tick at which it will matter. All others get
every change, one after the other as time goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeAlias

from panda_ioc.sim.twin.outputs import Change
from panda_ioc.sim.twin.trajectory import HIGHEST, LOWEST, Trajectory, still

if TYPE_CHECKING:
    from panda_ioc.sim.twin.engine import Engine
    from panda_ioc.sim.twin.line import Line

# Ticks for which positions stay known: more than any line or capture looks back.
MEMORY = 100
ALWAYS = -(2**63)

# First period, trajectory, period of its tick 0.
Course: TypeAlias = tuple[int, Trajectory, int]


class Look:
    """The input of a block that asks where the position is.

    Attributes:
        motion: whom to ask.
        line: the input.
    """

    __slots__ = ("line", "motion")

    def __init__(self, motion: Motion, line: Line) -> None:
        self.motion = motion
        self.line = line

    def refresh(self, tick: int) -> None:
        """Give the block the position that its input has in a period."""
        line = self.line
        setattr(line.block, line.name, line.selected(tick - line.latency))

    def next_within(self, tick: int, low: int, high: int) -> int | None:
        """Find the first period, `tick` or later, in which the input is from `low` to `high`."""
        latency = self.line.latency
        at = self.motion.next_within(tick - latency, low, high)
        return None if at is None else at + latency


class Motion:
    """A position that stands still, until it is moved.

    Args:
        name: on the bus.
        plan: makes the block that has this output look at `due` again.
    """

    __slots__ = ("_courses", "_record", "asking", "engine", "listeners", "name", "plan", "sent")

    def __init__(self, engine: Engine, name: str, plan: Callable[[], None]) -> None:
        self.engine = engine
        self.name = name
        self.plan = plan
        self.listeners: list[Line] = []
        self.asking: list[Line] = []
        self._courses: list[Course] = [(ALWAYS, still(0), 0)]
        self._record: Callable[[Change], None] | None = None
        # The last two periods for which a change was sent.
        self.sent = (ALWAYS, ALWAYS)

    @property
    def value(self) -> int:
        return self.value_at(self.engine.now)

    @property
    def last_change(self) -> int:
        """The last period, up to now, in which a trajectory began or went on."""
        now = self.engine.now
        since, trajectory, start = next(c for c in reversed(self._courses) if c[0] <= now)
        if trajectory.ticks is None:
            return now
        return min(now, max(since, start + trajectory.ticks))

    @property
    def record(self) -> Callable[[Change], None] | None:
        return self._record

    @record.setter
    def record(self, record: Callable[[Change], None] | None) -> None:
        self._record = record
        self.plan()

    def put(self, tick: int, value: int) -> None:
        """Stand still from the period after `tick` on; for the block that has this output."""
        self._turn(still(value), tick + 1)

    def follow(self, trajectory: Trajectory, start: int) -> None:
        """Follow a trajectory from a period on, which is not done."""
        self._turn(trajectory, start)
        self.plan()

    def _turn(self, trajectory: Trajectory, start: int) -> None:
        oldest = self.engine.now - MEMORY
        courses = [course for course in self._courses if course[0] < start]
        old = max((i for i, course in enumerate(courses) if course[0] <= oldest), default=0)
        self._courses = [*courses[old:], (start, trajectory, start)]

    def value_at(self, tick: int) -> int:
        for since, trajectory, start in reversed(self._courses):
            if since <= tick:
                return trajectory.value(tick - start)
        return self._courses[0][1].first

    def attach(self, line: Line) -> None:
        if line.name in line.block.asks:
            self.asking.append(line)
            line.block.asked[line.name] = Look(self, line)
        else:
            self.listeners.append(line)
        self.plan()

    def detach(self, line: Line) -> None:
        if line in self.asking:
            self.asking.remove(line)
            del line.block.asked[line.name]
            # What was on its way arrives as from any other output.
            now = self.engine.now
            for tick in range(now, now + line.latency):
                self.engine.post(tick, line.event(line.selected(tick - line.latency)))
        else:
            self.listeners.remove(line)
        self.plan()

    def due(self) -> int | None:
        """Find the next period for which `emit` is to be called."""
        now = self.engine.now
        ticks = [since for since, _, _ in self._courses if since >= now]
        if self.listeners or self._record is not None:
            ticks += self._changes(now)
        return min(ticks, default=None)

    def _changes(self, now: int) -> Iterator[int]:
        """Yield the next change of each course."""
        for (since, trajectory, start), end in self._spans():
            if end is None or end > now:
                at = trajectory.next_change(max(now, since + 1) - start)
                if at is not None and (end is None or at + start < end):
                    yield at + start

    def emit(self, tick: int) -> None:
        """Send what changes in a period; to those who ask, that another course begins."""
        value = self.value_at(tick)
        if any(since == tick for since, _, _ in self._courses):
            self._send(tick, value, self.asking)
        if value != self.value_at(tick - 1):
            self._send(tick, value, self.listeners)
            self.sent = (self.sent[1], tick)
            if self._record is not None:
                self._record((tick, self.name, value))

    def _send(self, tick: int, value: int, lines: list[Line]) -> None:
        for line in lines:
            self.engine.post(tick + line.latency, line.event(value))

    # Questions

    def next_within(self, tick: int, low: int, high: int) -> int | None:
        """Find the first period, `tick` or later, whose position is from `low` to `high`."""
        low, high = max(low, LOWEST), min(high, HIGHEST)
        for (since, trajectory, start), end in self._spans():
            if low <= high and (end is None or end > tick):
                at = trajectory.next_within(max(tick, since) - start, low, high)
                if at is not None and (end is None or at + start < end):
                    return at + start
        return None

    def parts(self, first: int, end: int) -> Iterator[tuple[Trajectory, int, int]]:
        """Yield the trajectories of some periods, each with the ticks that it has of them."""
        for (since, trajectory, start), until in self._spans():
            begin = max(first, since)
            stop = end if until is None else min(end, until)
            if begin < stop:
                yield trajectory, begin - start, stop - start

    def _spans(self) -> Iterator[tuple[Course, int | None]]:
        """Yield courses with the period in which the next one begins."""
        for number, course in enumerate(self._courses, 1):
            after = self._courses[number][0] if number < len(self._courses) else None
            yield course, after
