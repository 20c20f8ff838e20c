"""DIV: every n-th pulse goes to one output, the others to another."""

from panda_ioc.sim.twin.block import Backplane, Block
from panda_ioc.sim.twin.fields import bit_in, bit_out, read, strobe
from panda_ioc.sim.twin.outputs import BitOutput, PositionOutput


class Div(Block):
    ENABLE: int = bit_in()
    INP: int = bit_in()
    DIVISOR: int = strobe()
    FIRST_PULSE: int = strobe()
    OUTD: BitOutput = bit_out()
    OUTN: BitOutput = bit_out()
    COUNT: PositionOutput = read()

    def __init__(self, board: Backplane, name: str) -> None:
        super().__init__(board, name)
        self._started = False
        self._divided = 0

    def on(self, tick: int, changed: int) -> None:
        last = (self.DIVISOR or 1) - 1
        if not self.ENABLE or changed & SETTINGS:
            self._started = False
            self.COUNT.put(tick, last if self.FIRST_PULSE & 1 else 0)
        elif changed & INP and self.INP:
            self._started = True
            self._divided = int(self.COUNT.value == last)
            self.COUNT.put(tick, 0 if self._divided else self.COUNT.value + 1)
        level = self.INP if self._started else 0
        self.OUTD.put(tick, level & self._divided)
        self.OUTN.put(tick, level & 1 - self._divided)


INP, DIVISOR, FIRST_PULSE = Div.masks("INP", "DIVISOR", "FIRST_PULSE")
SETTINGS = DIVISOR | FIRST_PULSE
TYPES = {"DIV": Div}
