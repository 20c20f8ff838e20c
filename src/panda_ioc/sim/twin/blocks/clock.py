"""CLOCK: a square wave while enabled."""

from panda_ioc.sim.twin.block import Backplane
from panda_ioc.sim.twin.fields import bit_in, bit_out, strobe, unsigned32
from panda_ioc.sim.twin.outputs import EDGES
from panda_ioc.sim.twin.wave_output import Generator, WaveOutput
from panda_ioc.sim.twin.waves import Wave

NEVER = -(2**63)


class Clock(Generator):
    """Registers ENABLE and the settings once: what comes at a tick acts one tick later."""

    ENABLE: int = bit_in()
    PERIOD: int = strobe()
    WIDTH: int = strobe()
    OUT: WaveOutput = bit_out()

    def __init__(self, board: Backplane, name: str) -> None:
        super().__init__(board, name)
        self.OUT = self.outputs["OUT"] = WaveOutput(board.engine, f"{name}.OUT", self)
        self._restart = NEVER
        self._edge = NEVER
        self._next: tuple[int, int] | None = None
        self._high = self._low = 0

    def on(self, tick: int, changed: int) -> None:
        self.OUT.tell()
        if tick == self._restart:
            self._start(tick)
        elif tick == self._edge:
            self._toggle()
        if changed & ANY:
            self._next = self._shape() if self.ENABLE else None
            self._restart = tick + 1
        # A restart overrides what would come later.
        at = self._restart if self._restart > tick else self._edge
        self.OUT.arrange()
        if at > tick and not self.OUT.lazy:
            self.wake(at)

    def _toggle(self) -> None:
        level = 1 - self.OUT.shown
        self.OUT.put(self._edge, level)
        self._edge += self._high if level else self._low

    def catch_up(self) -> None:
        """Skip whole periods, but for the last edges, of which delay lines know."""
        last, period = self.last_done, self._high + self._low
        if self.OUT.lazy and self._edge != NEVER:
            self._edge += max(0, (last - EDGES - self._edge) // period) * period
            while self._edge <= last:
                self._toggle()

    def steady(self) -> bool:
        return not self.changed and self._restart < self.engine.now

    def wave(self) -> Wave | None:
        if self._edge == NEVER:
            return None
        period = self._high + self._low
        rise = self._edge + 1 - (self._high if self.OUT.shown else period)
        return Wave(rise, period, self._high)

    def resume(self) -> None:
        if self._edge >= self.engine.now:
            self.wake(self._edge)

    def _start(self, tick: int) -> None:
        self._edge = NEVER
        self.OUT.put(tick, 0 if self._next is None else 1)
        if self._next is not None:
            self._high, self._low = self._next
            self._edge = tick + self._high

    def _shape(self) -> tuple[int, int] | None:
        """Calculate the ticks high and low, or None for a clock that is off."""
        period, width = self.PERIOD, self.WIDTH
        if period <= width and period | width:
            period = unsigned32(width + 1)
        elif period == 1:
            period = 2
        high = width or period // 2
        return (high, period - high) if period else None


ENABLE, PERIOD, WIDTH = Clock.masks("ENABLE", "PERIOD", "WIDTH")
ANY = ENABLE | PERIOD | WIDTH
TYPES = {"CLOCK": Clock}
