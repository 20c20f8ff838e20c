"""QDEC: counts the steps of a quadrature signal."""

from panda_ioc.sim.twin.block import Backplane, Block
from panda_ioc.sim.twin.fields import bit_in, pos_out, read, register, signed32, strobe
from panda_ioc.sim.twin.outputs import PositionOutput

# Phase of the signal by the levels of B and A.
PHASES = (0, 1, 3, 2)
FORWARD, BACKWARD = 1, 3


class Qdec(Block):
    """Looks at A and B through two registers; after a step it is blind for one tick.

    The register of the direction is cleared one tick after a step back. So a step back that comes
    just after one that was not seen counts forward.
    """

    LINKUP_INCR: int = register()
    A: int = bit_in()
    B: int = bit_in()
    Z: int = bit_in()
    RST_ON_Z: int = register()
    SETP: int = strobe(signed=True)
    HOMED: PositionOutput = read()
    OUT: PositionOutput = pos_out()

    def __init__(self, board: Backplane, name: str) -> None:
        super().__init__(board, name)
        self._new = self._old = 0
        self._stepped = self._back = False

    def on(self, tick: int, changed: int) -> None:
        self._count(tick, changed)
        self._decode()
        self._old = self._new
        self._new = PHASES[self.B << 1 | self.A]
        if self._stepped or self._back or self._new != self._old:
            self.wake(tick + 1)

    def _decode(self) -> None:
        move = (self._new - self._old) & 3
        self._stepped = not self._stepped and move in (FORWARD, BACKWARD)
        self._back = not self._back and move == BACKWARD

    def _count(self, tick: int, changed: int) -> None:
        if not self.LINKUP_INCR & 1:
            self.HOMED.put(tick, 0)
        elif self.RST_ON_Z & 1 and self.Z:
            self.OUT.put(tick, 0)
            self.HOMED.put(tick, 1)
        elif changed & SETP:
            self.OUT.put(tick, self.SETP)
            self.HOMED.put(tick, 1)
        elif self._stepped:
            self.OUT.put(tick, signed32(self.OUT.value + (-1 if self._back else 1)))


(SETP,) = Qdec.masks("SETP")
TYPES = {"QDEC": Qdec}
