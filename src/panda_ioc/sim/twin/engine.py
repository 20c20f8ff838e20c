"""The one clock of the twin: what happens at which tick."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING, TypeAlias

from panda_ioc.errors import TwinError

if TYPE_CHECKING:
    from panda_ioc.sim.twin.block import Block

FOREVER = 2**63
# Ticks to come above which it is worth looking for wishes that were given up.
MANY = 10_000

# (block, name of its input or register, value, flag of the change); a name of None is a wake-up,
# and its value the generation that it belongs to.
Event: TypeAlias = "tuple[Block, str | None, int, int]"


class Engine:
    """The events to come, by tick, and the tick that the network has reached.

    All ticks before `now` are done. With `waves`, no events are made of a clock's edges that a
    block can count by arithmetic.
    """

    __slots__ = ("agenda", "events", "many", "now", "ticks", "waves")

    def __init__(self, start: int = 0, waves: bool = True) -> None:
        self.now = start
        self.waves = waves
        self.events = 0
        self.agenda: dict[int, list[Event]] = {}
        self.ticks: list[int] = []
        self.many = MANY

    def post(self, tick: int, event: Event) -> None:
        """Put an event at a tick that is not done."""
        queue = self.agenda.get(tick)
        if queue is None:
            self.agenda[tick] = [event]
            heappush(self.ticks, tick)
        else:
            queue.append(event)

    def run_until(self, end: int, most: int = FOREVER) -> None:
        """Do all ticks before `end`; stop after a tick with which there were `most` events."""
        ticks, agenda = self.ticks, self.agenda
        limit = self.events + most
        while ticks and ticks[0] < end:
            if self.events >= limit:
                return
            tick = heappop(ticks)
            if tick < self.now:
                raise TwinError(
                    f"event at tick {tick}: the twin is at {self.now}, use a later tick"
                )
            self.now = tick + 1
            events = agenda.pop(tick)
            self.events += len(events)
            if len(events) != 1:
                for block in _apply(events):
                    changed, block.changed = block.changed, 0
                    block.on(tick, changed)
                continue
            # The same for the one event that most ticks have, which makes it a third faster.
            block, name, value, flag = events[0]
            if name is not None:
                setattr(block, name, value)
            elif value != block.generation:
                continue
            block.on(tick, flag | 1)
        self.now = max(self.now, end)

    def compact(self) -> None:
        """Drop the wishes that blocks have given up, and look again at twice as many ticks."""
        agenda = self.agenda
        for tick, queue in list(agenda.items()):
            queue[:] = [e for e in queue if e[1] is not None or e[2] == e[0].generation]
            if not queue:
                del agenda[tick]
        self.ticks[:] = sorted(agenda)
        self.many = max(MANY, 2 * len(self.ticks))

    def cancel(self, first: int, block: Block, name: str) -> None:
        """Drop what is on its way to an input and arrives at tick `first` or later."""
        for tick, queue in self.agenda.items():
            if tick >= first:
                queue[:] = [e for e in queue if e[0] is not block or e[1] != name]

    def waiting(self, tick: int, block: Block, name: str) -> int | None:
        """Look up the value that an input gets at a tick, if an event brings one."""
        values = [e[2] for e in self.agenda.get(tick, ()) if e[0] is block and e[1] == name]
        return values[-1] if values else None


def _apply(events: list[Event]) -> list[Block]:
    """Set what the events of one tick bring; list the blocks that they concern."""
    concerned = []
    for block, name, value, flag in events:
        if name is not None:
            setattr(block, name, value)
        elif value != block.generation:
            continue
        if not block.changed:
            block.changed = 1
            concerned.append(block)
        # Two changes of a bit in one tick are none.
        block.changed ^= flag
    return concerned
