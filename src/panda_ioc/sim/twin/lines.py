"""Lines of a table of SEQ, and the time that their phases take."""

from collections.abc import Sequence
from dataclasses import dataclass

from panda_ioc.sim.twin.fields import signed32, unsigned32

IMMEDIATE = 0
BITS = range(1, 7)
POSITIONS = range(7, 13)

# Where a counter of 32 bits begins again.
AROUND = 1 << 32


@dataclass(frozen=True, slots=True)
class Line:
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


def make_line(words: Sequence[int]) -> Line:
    first, position, time1, time2 = words
    return Line(
        repeats=first & 0xFFFF,
        trigger=first >> 16 & 0xF,
        position=signed32(position),
        times=(time1, time2 or 1),
        outs=(first >> 20 & 0x3F, first >> 26),
    )


class PhaseTimer:
    """Finds the end of a phase: `time` periods of `prescale` ticks, which may change meanwhile."""

    def __init__(self) -> None:
        self.end = -1
        self._prescale = 1
        self._time = 1
        # Ticks of the period in work and periods, both at a tick.
        self._at = self._ticks = self._periods = 0

    def start(self, tick: int, time: int) -> None:
        """Begin with the period `tick`."""
        self._at, self._ticks, self._periods = tick, 0, 0
        self._time = time
        self._find_end()

    def set_prescale(self, tick: int, prescale: int) -> None:
        """Change the length of a period from `tick` on."""
        first = 0 if self._ticks < self._prescale else AROUND
        ticks = self._ticks + max(tick - self._at, 0)
        if ticks >= first:
            periods, ticks = divmod(ticks - first, self._prescale)
            self._periods += periods
        self._ticks = ticks
        self._at = max(self._at, tick)
        self._prescale = prescale or 1
        self._find_end()

    def _find_end(self) -> None:
        # The counters look for equality: one that is past it already goes round first.
        rest = unsigned32(self._prescale - 1 - self._ticks)
        periods = unsigned32(self._time - 1 - self._periods)
        self.end = self._at + rest + self._prescale * periods
