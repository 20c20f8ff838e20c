"""CLOCK: a square wave while enabled."""

from panda_ioc.sim.twin.block import Backplane, Block
from panda_ioc.sim.twin.fields import bit_in, bit_out, strobe, unsigned32
from panda_ioc.sim.twin.outputs import BitOutput

NEVER = -(2**63)


class Clock(Block):
    """Registers ENABLE and the settings once: what comes at a tick acts one tick later."""

    ENABLE: int = bit_in()
    PERIOD: int = strobe()
    WIDTH: int = strobe()
    OUT: BitOutput = bit_out()

    def __init__(self, board: Backplane, name: str) -> None:
        super().__init__(board, name)
        self._restart = NEVER
        self._edge = NEVER
        self._next: tuple[int, int] | None = None
        self._high = self._low = 0

    def on(self, tick: int, changed: int) -> None:
        if tick == self._restart:
            self._start(tick)
        elif tick == self._edge:
            level = 1 - self.OUT.value
            self.OUT.put(tick, level)
            self._edge = tick + (self._high if level else self._low)
        if changed & ANY:
            self._next = self._shape() if self.ENABLE else None
            self._restart = tick + 1
        # A restart overrides what would come later.
        at = self._restart if self._restart > tick else self._edge
        if at > tick:
            self.wake(at)

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
