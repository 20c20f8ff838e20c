"""Levels that come from outside: terminals and encoders, which the user of the twin sets."""

from typing import ClassVar

from panda_ioc.sim.twin.block import Block, Board
from panda_ioc.sim.twin.fields import REGISTER, Field
from panda_ioc.sim.twin.outputs import BitOutput, PositionOutput


class Levels(Block):
    """Outputs that a write sets: what is written at a tick is on the bus from that period on."""

    bits: ClassVar[tuple[str, ...]] = ()
    positions: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        for name in cls.bits:
            setattr(cls, name, Field(REGISTER))
        for name in cls.positions:
            setattr(cls, name, Field(REGISTER, signed=True))
        super().__init_subclass__()

    def __init__(self, board: Board, name: str) -> None:
        super().__init__(board, name)
        for bit in self.bits:
            self.outputs[bit] = BitOutput(board.engine, f"{name}.{bit}")
        for position in self.positions:
            self.outputs[position] = PositionOutput(board.engine, f"{name}.{position}")

    def on(self, tick: int, changed: int) -> None:
        for bit in self.bits:
            self.outputs[bit].put(tick - 1, getattr(self, bit) & 1)
        for position in self.positions:
            self.outputs[position].put(tick - 1, getattr(self, position))


class Terminal(Levels):
    bits = ("VAL",)


class Encoder(Levels):
    bits = ("A", "B", "Z", "CLK", "DATA", "CONN")
    positions = ("VAL",)


TYPES = {"TTLIN": Terminal, "LVDSIN": Terminal, "INENC": Encoder}
