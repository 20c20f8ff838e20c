"""BITS: four bits that the user sets."""

from panda_ioc.sim.twin.block import Block
from panda_ioc.sim.twin.fields import bit_out, register
from panda_ioc.sim.twin.outputs import BitOutput


class Bits(Block):
    A: int = register()
    B: int = register()
    C: int = register()
    D: int = register()
    OUTA: BitOutput = bit_out()
    OUTB: BitOutput = bit_out()
    OUTC: BitOutput = bit_out()
    OUTD: BitOutput = bit_out()

    def on(self, tick: int, changed: int) -> None:
        self.OUTA.put(tick, self.A & 1)
        self.OUTB.put(tick, self.B & 1)
        self.OUTC.put(tick, self.C & 1)
        self.OUTD.put(tick, self.D & 1)


TYPES = {"BITS": Bits}
