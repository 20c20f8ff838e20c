"""A counter that gives a pulse once a period, and phases that last some periods."""

from panda_ioc.sim.twin.fields import unsigned32

# Where a counter of 32 bits begins again.
AROUND = 1 << 32


class Prescaler:
    """Counts ticks from 0 to `period` - 1, and pulses at the end.

    It looks for equality: when the period becomes shorter than what was counted, the counter goes
    round its 32 bits first.
    """

    def __init__(self) -> None:
        self.period = 1
        self._at = self._count = 0

    def restart(self, tick: int) -> None:
        """Count from 0 in period `tick`."""
        self._at, self._count = tick, 0

    def set_period(self, tick: int, period: int) -> int:
        """Change the period from `tick` on; count the pulses since this or `restart` was called."""
        pulses = 0
        first = 0 if self._count < self.period else AROUND
        count = self._count + max(tick - self._at, 0)
        if count >= first:
            pulses, count = divmod(count - first, self.period)
        self._count, self._at = count, max(self._at, tick)
        self.period = period
        return pulses

    def pulse(self, tick: int, later: int = 0) -> int:
        """Find the first pulse not before `tick`, or one that comes some pulses later."""
        first = self._at + unsigned32(self.period - 1 - self._count)
        missed = max(0, -((first - tick) // self.period)) if tick > first else 0
        return first + self.period * (missed + later)


class PhaseTimer:
    """Finds the end of a phase of `time` periods of a prescaler that may change meanwhile."""

    def __init__(self) -> None:
        self.end = -1
        self._prescaler = Prescaler()
        self._start = 0
        self._left = 1

    def start(self, tick: int, time: int) -> None:
        """Begin with the period `tick`."""
        self._prescaler.restart(tick)
        self._start, self._left = tick, time
        self.end = self._prescaler.pulse(tick, time - 1)

    def set_prescale(self, tick: int, prescale: int) -> None:
        """Change the length of a period from `tick` on."""
        self._left -= self._prescaler.set_period(tick, prescale or 1)
        self.end = self._prescaler.pulse(max(tick, self._start), self._left - 1)
