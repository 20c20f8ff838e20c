"""Lines of a table of SEQ."""

from collections.abc import Sequence
from dataclasses import dataclass

from panda_ioc.sim.twin.fields import signed32
from panda_ioc.sim.twin.trajectory import HIGHEST, LOWEST

IMMEDIATE = 0
BITS = range(1, 7)
POSITIONS = range(7, 13)
INPUTS = ("POSA", "POSB", "POSC")


@dataclass(frozen=True, slots=True)
class TableLine:
    """One line.

    Attributes:
        repeats: how often to do it; 0 is for ever.
        trigger: what to wait for.
        position: what the trigger compares with.
        times: of the two phases, in units of the prescaler.
        outs: levels in the two phases, OUTA in bit 0.
    """

    repeats: int
    trigger: int
    position: int
    times: tuple[int, int]
    outs: tuple[int, int]

    def triggered(self, bits: Sequence[int], positions: Sequence[int]) -> bool:
        """Tell whether the trigger holds."""
        if self.trigger in BITS:
            return bits[(self.trigger - 1) // 2] == (self.trigger - 1) % 2
        if self.trigger in POSITIONS:
            position = positions[(self.trigger - 7) // 2]
            falling = (self.trigger - 7) % 2
            return position <= self.position if falling else position >= self.position
        return self.trigger == IMMEDIATE

    def awaited(self) -> tuple[str, int, int] | None:
        """Tell the position input that is the trigger, and from where to where it holds."""
        if self.trigger not in POSITIONS:
            return None
        number, falling = divmod(self.trigger - POSITIONS.start, 2)
        if falling:
            return INPUTS[number], LOWEST, self.position
        return INPUTS[number], self.position, HIGHEST


def make_line(words: Sequence[int]) -> TableLine:
    first, position, time1, time2 = words
    return TableLine(
        repeats=first & 0xFFFF,
        trigger=first >> 16 & 0xF,
        position=signed32(position),
        times=(time1, time2 or 1),
        outs=(first >> 20 & 0x3F, first >> 26),
    )
