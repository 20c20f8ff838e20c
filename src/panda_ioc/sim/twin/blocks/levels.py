"""Levels that come from outside: terminals and encoders, which the user of the twin sets."""

from typing import ClassVar

from panda_ioc.sim.twin.block import Backplane, Block
from panda_ioc.sim.twin.fields import REGISTER, TwinField
from panda_ioc.sim.twin.motion import Motion
from panda_ioc.sim.twin.outputs import BitOutput


class Levels(Block):
    """Outputs that a write sets: what is written at a tick is on the bus from that period on.

    Positions may follow trajectories instead, until they are written.
    """

    bits: ClassVar[tuple[str, ...]] = ()
    positions: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        for name in cls.bits:
            setattr(cls, name, TwinField(REGISTER))
        for name in cls.positions:
            setattr(cls, name, TwinField(REGISTER, signed=True))
        super().__init_subclass__()

    def __init__(self, board: Backplane, name: str) -> None:
        super().__init__(board, name)
        for bit in self.bits:
            self.outputs[bit] = BitOutput(board.engine, f"{name}.{bit}")
        self._motions: list[tuple[str, int, Motion]] = []
        for position in self.positions:
            motion = Motion(board.engine, f"{name}.{position}", self._plan)
            self.outputs[position] = motion
            self._motions.append((position, self.flags[position], motion))

    def on(self, tick: int, changed: int) -> None:
        for bit in self.bits:
            self.outputs[bit].put(tick - 1, getattr(self, bit) & 1)
        for name, flag, motion in self._motions:
            if changed & flag:
                motion.put(tick - 1, getattr(self, name))
            motion.emit(tick)
        self._plan()

    def _plan(self) -> None:
        """Wake up when the next position changes."""
        ticks = [due for *_, motion in self._motions if (due := motion.due()) is not None]
        if ticks:
            self.wake(min(ticks))


class Terminal(Levels):
    bits = ("VAL",)


class Encoder(Levels):
    bits = ("A", "B", "Z", "CLK", "DATA", "CONN")
    positions = ("VAL",)


TYPES = {"TTLIN": Terminal, "LVDSIN": Terminal, "INENC": Encoder}
