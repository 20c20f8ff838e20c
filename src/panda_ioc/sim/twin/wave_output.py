"""The output of a CLOCK: a wave to those who can ask, events to others.

It is a wave, and `lazy`, while nobody records it and every input wired to it is one that can ask.
Such an input gets no events of edges that the bus shows after the period `now` of that moment.
Before the wave changes, or somebody else listens, `tell` brings all up to date and posts what is
in the delay lines; from there on edges are events, until `arrange` finds that it can be lazy.
"""

from __future__ import annotations

from typing import NamedTuple

from panda_ioc.sim.twin.block import Backplane, Block
from panda_ioc.sim.twin.engine import Engine
from panda_ioc.sim.twin.line import Line
from panda_ioc.sim.twin.outputs import BitOutput
from panda_ioc.sim.twin.waves import Wave


class WaveView(NamedTuple):
    """The wave as an input sees it, in the periods after `since`; None while it stands still."""

    since: int
    wave: Wave | None


class LazyBlock(Block):
    """A block that can be behind: it catches up when it is called or somebody looks."""

    # The input that can ask a wave.
    wave_input = ""

    def __init__(self, board: Backplane, name: str) -> None:
        super().__init__(board, name)
        self.look: WaveView | None = None

    @property
    def last_done(self) -> int:
        """The last tick at which this block has nothing more to do, but for waves."""
        return self.engine.now - (2 if self.changed else 1)

    def can_ask(self) -> bool:
        """Tell whether edges of `wave_input` need not come as events."""
        return False

    def ask(self, look: WaveView | None) -> None:
        """Ask for edges from now on, or cease to."""
        self.look = look

    def catch_up(self) -> None:
        """Do what was to be done until now."""
        raise NotImplementedError


class Generator(LazyBlock):
    """A block that makes a wave."""

    def steady(self) -> bool:
        """Tell whether the block has nothing to do but the edges of its wave."""
        raise NotImplementedError

    def wave(self) -> Wave | None:
        """Tell the wave on the bus, None if the level stays; only for a block that is steady."""
        raise NotImplementedError

    def resume(self) -> None:
        """Make edges one by one from now on."""
        raise NotImplementedError


class WaveOutput(BitOutput):
    """The output of a block that makes a wave."""

    __slots__ = ("asking", "block")

    def __init__(self, engine: Engine, name: str, block: Generator) -> None:
        super().__init__(engine, name)
        self.block = block
        self.asking: list[Line] = []
        self.catch_up = block.catch_up
        self.rearrange = self.arrange

    def detach(self, line: Line) -> None:
        if line in self.asking:
            self.catch_up()
            self._tell(line)
        super().detach(line)

    def arrange(self) -> None:
        """Be a wave if that is possible now."""
        willing = self.engine.waves and self.record is None and self.block.steady()
        lines = [*self.asking, *(line for _, _, line in self.listeners)]
        if not willing or not all(map(_can_ask, lines)):
            self.tell()
            return
        if not self.lazy:
            self.lazy = True
            self.block.sleep()
        self.catch_up()
        for _, _, line in self.listeners:
            self._ask(line)
        self.listeners = []

    def tell(self) -> None:
        """Make events from now on."""
        if self.lazy:
            self.catch_up()
            for line in list(self.asking):
                self._tell(line)
            self.lazy = False
            self.block.resume()

    def _ask(self, line: Line) -> None:
        wave, block = self.block.wave(), line.block
        self.asking.append(line)
        if isinstance(block, LazyBlock):
            since = self.engine.now + line.latency
            block.ask(WaveView(since, wave and wave.later(line.latency)))

    def _tell(self, line: Line) -> None:
        """Bring the block behind a line up to date, and post what is on its way."""
        block, latency, now = line.block, line.latency, self.engine.now
        if not isinstance(block, LazyBlock) or block.look is None:
            return
        block.catch_up()
        since = block.look.since
        level = line.selected(now - 2 - latency)
        for tick in range(now - 1, now + latency + 1):
            before, level = level, line.selected(tick - latency)
            if level != before and tick > since and tick >= now:
                self.engine.post(tick, line.event(level))
            elif level != before and tick > since and block.changed:
                # The block is yet to be called at the tick in work.
                block.changed ^= line.flag
        setattr(block, line.name, line.selected(now - 1 - latency))
        block.ask(None)
        self.asking.remove(line)
        self.listeners.append((latency, (line.event(0), line.event(1)), line))


def _can_ask(line: Line) -> bool:
    block = line.block
    return isinstance(block, LazyBlock) and line.name == block.wave_input and block.can_ask()
