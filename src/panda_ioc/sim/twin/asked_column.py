"""What PCAP gathers of a position that follows a trajectory, without its changes."""

from panda_ioc.sim.twin.block import Backplane
from panda_ioc.sim.twin.column import RecordedColumn
from panda_ioc.sim.twin.motion import Motion


class AskedColumn(RecordedColumn):
    """Asks for sums and extremes of all ticks since the last step."""

    asks = frozenset({"VALUE"})

    def __init__(self, board: Backplane, source: Motion, tick: int) -> None:
        self._motion = source
        super().__init__(board, source, tick)

    def _follow(self, tick: int) -> None:
        line = self.lines["VALUE"]
        self._latency = line.latency
        self._motion.attach(line)
        self._value = self._motion.value_at(tick - line.latency)

    def _advance(self, tick: int) -> None:
        if self._gate and tick > self._done:
            self._gather(self._done - self._latency, tick - self._latency)
        self._done = max(self._done, tick)
        self._value = self._motion.value_at(tick - self._latency)

    def _gather(self, first: int, end: int) -> None:
        for trajectory, start, stop in self._motion.parts(first, end):
            low, high = trajectory.extremes(start, stop)
            self._min, self._max = min(self._min, low), max(self._max, high)
            before, after = trajectory.totals(start), trajectory.totals(stop)
            self._sum += after[0] - before[0]
            self._squares += after[1] - before[1]
