"""The mux and delay line in front of an input of a block."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panda_ioc.errors import TwinError
from panda_ioc.sim.twin.fields import BIT_IN
from panda_ioc.sim.twin.outputs import Constant, WireSource

if TYPE_CHECKING:
    from panda_ioc.sim.twin.block import Block
    from panda_ioc.sim.twin.engine import Engine, Event

LONGEST_DELAY = 31
BIT_LATENCY = 2
POSITION_LATENCY = 1

ZERO = Constant("ZERO", 0)
ONE = Constant("ONE", 1)


class Line:
    """What one input is wired to.

    A bit arrives 2 + `delay` periods after the bus, a position 1 period after it, each later by
    the registers that the block has in `front` of its inputs.
    """

    __slots__ = ("bit", "block", "delay", "engine", "flag", "latency", "name", "routes")

    def __init__(self, engine: Engine, block: Block, name: str, role: str) -> None:
        self.engine = engine
        self.block = block
        self.name = name
        self.flag = block.flags[name]
        self.bit = role == BIT_IN
        self.delay = 0
        self.latency = block.front + (BIT_LATENCY if self.bit else POSITION_LATENCY)
        # (first period, source), the newest last; older ones are kept while the line holds them.
        self.routes: list[tuple[int, WireSource]] = [(engine.now, ZERO)]

    @property
    def source(self) -> WireSource:
        return self.routes[-1][1]

    def event(self, value: int) -> Event:
        return (self.block, self.name, value, self.flag)

    def wire(self, source: WireSource) -> None:
        """Select another source: its level arrives as a change of the old one would."""
        now = self.engine.now
        old, new = self.source.value_at(now), source.value_at(now)
        self.source.detach(self)
        self.routes = [*self._held(now), (now, source)]
        source.attach(self)
        if not self.bit:
            self.engine.cancel(now + self.latency, self.block, self.name)
        if old != new or not self.bit:
            self.engine.post(now + self.latency, self.event(new))

    def set_delay(self, delay: int) -> None:
        """Take another tap of the delay line: what it holds leaves it from the next period on."""
        if not self.bit or not 0 <= delay <= LONGEST_DELAY:
            text = f"delay {delay} for {self.block.name}.{self.name}"
            raise TwinError(f"{text}: only a bit input has one, of 0 to {LONGEST_DELAY}")
        now, name = self.engine.now, self.name
        self.source.detach(self)
        # What has left the delay line is in the registers in front of the block.
        first, level = now + 1 + self.block.front, int(getattr(self.block, name))
        for tick in range(now, first):
            waiting = self.engine.waiting(tick, self.block, name)
            level = level if waiting is None else waiting
        self.engine.cancel(first, self.block, name)
        self.latency += delay - self.delay
        self.delay = delay
        self.source.attach(self)
        self._replay(first, now, level)

    def _replay(self, first: int, now: int, level: int) -> None:
        for tick in range(first, now + self.latency + 1):
            held = self.selected(tick - self.latency)
            if held != level:
                level = held
                self.engine.post(tick, self.event(level))

    def selected(self, tick: int) -> int:
        """Tell the level that the mux let through in a period."""
        chosen = self.routes[0][1]
        for since, source in self.routes:
            if since <= tick:
                chosen = source
        return chosen.value_at(tick)

    def _held(self, now: int) -> list[tuple[int, WireSource]]:
        """List the routes that the delay line may still hold levels of."""
        oldest = now - LONGEST_DELAY - BIT_LATENCY - self.block.front - 1
        last = max((i for i, route in enumerate(self.routes) if route[0] <= oldest), default=0)
        return self.routes[last:]
