"""What PCAP gathers of one position between two captures."""

from panda_ioc.sim.twin.block import Backplane, Block
from panda_ioc.sim.twin.fields import pos_in
from panda_ioc.sim.twin.outputs import WireSource

VALUE, DIFF, SUM_LOW, SUM_HIGH, MIN, MAX, SQUARES_LOW, SQUARES_MIDDLE, SQUARES_HIGH = range(9)
MODES = 9
NOTHING = (2**31 - 1, -(2**31))


class RecordedColumn(Block):
    """Sum, squares, extremes and differences of a position, over the ticks of an open gate.

    Follows the position by itself; PCAP calls `step` at each tick at which gate or trigger may
    have changed. `words` are those of the last capture, by mode.
    """

    VALUE: int = pos_in()

    def __init__(self, board: Backplane, source: WireSource, tick: int) -> None:
        super().__init__(board, source.name)
        self.words = [0] * MODES
        self._source = source
        self._done = tick
        self._gate = 0
        self._start = self._difference = 0
        self._clear()
        self._follow(tick)

    def _follow(self, tick: int) -> None:
        """Begin with what the position's line holds in the middle of a tick.

        Blocks that are yet to act in this tick send their changes themselves, and so win.
        """
        source, line = self._source, self.lines["VALUE"]
        latency = line.latency
        self.VALUE = self._value = value = source.value_at(tick - latency)
        for at in range(tick + 1, tick + 1 + latency + 1):
            before, value = value, source.value_at(at - latency)
            if value != before:
                self.engine.post(at, line.event(value))
        source.attach(line)

    def stop(self) -> None:
        """Follow the position no more."""
        self._source.detach(self.lines["VALUE"])

    def _clear(self) -> None:
        self._sum = self._squares = 0
        self._min, self._max = NOTHING

    def on(self, tick: int, changed: int) -> None:
        self._advance(tick)

    def _advance(self, tick: int) -> None:
        """Take in the periods before `tick`, in which nothing changed."""
        if self._gate and tick > self._done:
            self._take(tick - self._done)
        self._done = max(self._done, tick)
        self._value = self.VALUE

    def _take(self, ticks: int) -> None:
        value = self._value
        self._sum += value * ticks
        self._squares += value * value * ticks
        self._min = min(self._min, value)
        self._max = max(self._max, value)

    def step(self, tick: int, on: bool, gate: int, pulse: bool, shift: int) -> None:
        """Take in period `tick`.

        Args:
            on: whether PCAP is armed.
            gate: whether the gate is open.
            pulse: whether there is a capture; its own sample counts to the next row.
            shift: bits by which sums are shifted.
        """
        self._advance(tick)
        self._step_difference(on, gate, pulse)
        if pulse:
            self._capture(shift)
        if pulse or not on:
            self._clear()
        if gate:
            self._take(1)
        self._gate = gate
        self._done = tick + 1

    def _step_difference(self, on: bool, gate: int, pulse: bool) -> None:
        if not on:
            self._difference = 0
        elif self._gate and (pulse or not gate):
            self._difference += self._value - self._start
        if pulse:
            self.words[DIFF] = self._difference & 0xFFFF_FFFF
            self._difference = 0
        if gate and (pulse or not self._gate):
            self._start = self._value

    def _capture(self, shift: int) -> None:
        words, total, squares = self.words, self._sum >> shift, self._squares >> shift
        words[SUM_LOW] = total & 0xFFFF_FFFF
        words[SUM_HIGH] = total >> 32 & 0xFFFF_FFFF
        words[MIN] = self._min & 0xFFFF_FFFF
        words[MAX] = self._max & 0xFFFF_FFFF
        words[SQUARES_LOW] = squares & 0xFFFF_FFFF
        words[SQUARES_MIDDLE] = squares >> 32 & 0xFFFF_FFFF
        words[SQUARES_HIGH] = squares >> 64 & 0xFFFF_FFFF
