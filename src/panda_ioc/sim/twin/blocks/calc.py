"""CALC: the sum of four positions, each with its sign, halved or quartered."""

from panda_ioc.sim.twin.block import Block
from panda_ioc.sim.twin.fields import pos_in, pos_out, register, signed32
from panda_ioc.sim.twin.outputs import PositionOutput

LARGEST_SHIFT = 2


class Calc(Block):
    INPA: int = pos_in()
    INPB: int = pos_in()
    INPC: int = pos_in()
    INPD: int = pos_in()
    TYPEA: int = register()
    TYPEB: int = register()
    TYPEC: int = register()
    TYPED: int = register()
    SHIFT: int = register()
    OUT: PositionOutput = pos_out()

    def on(self, tick: int, changed: int) -> None:
        total = (
            (-self.INPA if self.TYPEA & 1 else self.INPA)
            + (-self.INPB if self.TYPEB & 1 else self.INPB)
            + (-self.INPC if self.TYPEC & 1 else self.INPC)
            + (-self.INPD if self.TYPED & 1 else self.INPD)
        )
        shift = min(self.SHIFT & 3, LARGEST_SHIFT)
        self.OUT.put(tick, signed32(total >> shift))


TYPES = {"CALC": Calc}
