"""LUT: a bit looked up by five bits or their edges."""

from panda_ioc.sim.twin.block import Block
from panda_ioc.sim.twin.fields import bit_in, bit_out, register
from panda_ioc.sim.twin.outputs import BitOutput

LEVEL, RISING, FALLING, EITHER = 0, 1, 2, 3


class Lut(Block):
    INPA: int = bit_in()
    INPB: int = bit_in()
    INPC: int = bit_in()
    INPD: int = bit_in()
    INPE: int = bit_in()
    TYPEA: int = register()
    TYPEB: int = register()
    TYPEC: int = register()
    TYPED: int = register()
    TYPEE: int = register()
    FUNC: int = register()
    OUT: BitOutput = bit_out()

    def on(self, tick: int, changed: int) -> None:
        row = (
            _bit(self.TYPEA, self.INPA, changed & INPA) << 4
            | _bit(self.TYPEB, self.INPB, changed & INPB) << 3
            | _bit(self.TYPEC, self.INPC, changed & INPC) << 2
            | _bit(self.TYPED, self.INPD, changed & INPD) << 1
            | _bit(self.TYPEE, self.INPE, changed & INPE)
        )
        self.OUT.put(tick, self.FUNC >> row & 1)
        if changed & ANY_INPUT:
            # An edge is over one tick later.
            self.wake(tick + 1)


def _bit(kind: int, level: int, edge: int) -> int:
    kind &= 3
    if kind == LEVEL:
        return level
    return int(edge != 0 and (kind == EITHER or level == (kind == RISING)))


INPA, INPB, INPC, INPD, INPE = Lut.masks("INPA", "INPB", "INPC", "INPD", "INPE")
ANY_INPUT = INPA | INPB | INPC | INPD | INPE
TYPES = {"LUT": Lut}
