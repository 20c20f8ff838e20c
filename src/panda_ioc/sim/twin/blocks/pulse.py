"""PULSE: a train of pulses for each trigger, or a delay line."""

import logging

from panda_ioc.sim.twin.block import Backplane, Block
from panda_ioc.sim.twin.edges import edge_chosen
from panda_ioc.sim.twin.fields import bit_in, bit_out, read, strobe, unsigned32
from panda_ioc.sim.twin.fifo import Fifo
from panda_ioc.sim.twin.outputs import BitOutput, PositionOutput

log = logging.getLogger(__name__)

TIME = (1 << 48) - 1
QUEUE = 256
# The shortest delay and width that the queue can follow.
SHORTEST = 5
# Ticks from a trigger to its pulse by the queue; without a delay the output is forced meanwhile.
CATCH_UP = 4


class Pulse(Block):
    """Queues the time of each pulse, counted from the enable, and makes it when that has come.

    The head of the queue keeps the time of the last pulse. After the next enable the pulse comes
    once more at that time, though nobody triggered it, unless a new one was queued by then.
    """

    ENABLE: int = bit_in()
    TRIG: int = bit_in()
    TRIG_EDGE: int = strobe()
    DELAY_L: int = strobe()
    DELAY_H: int = strobe()
    WIDTH_L: int = strobe()
    WIDTH_H: int = strobe()
    PULSES: int = strobe()
    STEP_L: int = strobe()
    STEP_H: int = strobe()
    OUT: BitOutput = bit_out()
    QUEUED: PositionOutput = read()
    DROPPED: PositionOutput = read()

    def __init__(self, board: Backplane, name: str) -> None:
        super().__init__(board, name)
        self._set_up()
        self._enabled = False
        self._start = 0
        # (time, level) of the edges to come, and the one that is on its way to the queue.
        self._queue = Fifo(QUEUE, (0, 0))
        self._word: tuple[int, int] | None = None
        self._free = board.engine.now
        self._forced = self._forced_until = 0
        self._pulse = 0
        self._edges = self._edge = 0
        self._noted = False

    def on(self, tick: int, changed: int) -> None:
        if changed == ONLY_TRIG and tick != self.wish and self._ignores(self.TRIG):
            return
        if changed & SETTINGS:
            self._set_up()
        if not self.ENABLE or changed & SETTINGS:
            self._disable(tick)
            return
        if self._enabled:
            self._run(tick, changed)
        else:
            self._enable(tick)
        self.OUT.put(tick, self._forced | self._pulse)
        self.QUEUED.put(tick, self._queue.depth)
        at = self._next(tick)
        if at is not None:
            self.wake(at)

    def _ignores(self, level: int) -> bool:
        """Tell whether an edge of TRIG to a level does nothing."""
        if not self._enabled:
            return not self.ENABLE
        return self._width != 0 and not edge_chosen(self.TRIG_EDGE, level)

    def _set_up(self) -> None:
        self._width = _at_least(_time(self.WIDTH_L, self.WIDTH_H))
        self._delay = _at_least(_time(self.DELAY_L, self.DELAY_H))
        self._step = max(_time(self.STEP_L, self.STEP_H), self._width + 1) & TIME
        self._pulses = self.PULSES or 1
        self._busy = (self._step * (self._pulses - 1) + self._width) & TIME

    def _disable(self, tick: int) -> None:
        self._enabled = False
        self._queue.reset()
        self._word = None
        self._forced = self._pulse = self._edges = 0
        self.OUT.put(tick, 0)
        self.QUEUED.put(tick, 0)
        if self.ENABLE:
            # A write lasts one tick.
            self.wake(tick + 1)

    def _enable(self, tick: int) -> None:
        self._enabled = True
        self._start = tick
        self._free = tick + 1
        self._forced_until = self._edge = 0
        self.DROPPED.put(tick, 0)
        self._queue.step(None, False)

    def _run(self, tick: int, changed: int) -> None:
        now = (tick - self._start) & TIME
        last = now == self._forced_until
        word = self._trigger(tick, now) if changed & TRIG else None
        if last:
            self._forced = 0
        due = now == (self._queue.head[0] if self._width == 0 else self._edge)
        read = due and (self._width == 0 or self._edges == 1)
        if self._edges:
            if now == self._edge:
                self._turn(now)
        elif now == self._queue.head[0]:
            self._rise(now)
        self._queue.step(self._word, read)
        self._word = word

    def _trigger(self, tick: int, now: int) -> tuple[int, int] | None:
        """Take a trigger; return what to queue for it, if anything."""
        if self._width and not edge_chosen(self.TRIG_EDGE, self.TRIG):
            return None
        if tick < self._free or not self._queue.ready:
            self.DROPPED.put(tick, unsigned32(self.DROPPED.value + 1))
            return None
        if self._width == 0:
            if self._delay:
                return (now + self._delay) & TIME, self.TRIG
            self._forced = self.TRIG
            return None
        self._free = tick + 1 + self._busy
        if self._delay:
            return (now + self._delay) & TIME, 1
        self._forced = 1
        self._forced_until = (now + CATCH_UP) & TIME
        return self._forced_until, 1

    def _rise(self, now: int) -> None:
        if not self._queue.valid and not self._noted:
            self._noted = True
            log.warning("%s: a pulse that nobody triggered, as the FPGA makes it", self.name)
        if self._width == 0:
            self._pulse = self._queue.head[1]
            return
        self._pulse = 1
        self._edges = unsigned32(2 * self._pulses - 1)
        early = 0 if self._delay else CATCH_UP
        self._edge = (now + self._width - early) & TIME

    def _turn(self, now: int) -> None:
        self._pulse = 1 - (self._edges & 1)
        pause = self._width if self._pulse else self._step - self._width
        self._edge = (now + pause) & TIME
        self._edges -= 1

    def _next(self, tick: int) -> int | None:
        """Find the tick at which something happens by itself."""
        if self._word is not None or self._queue.moving:
            return tick + 1
        at = self._start + (self._edge if self._edges else self._queue.head[0])
        if self._forced:
            end = self._start + self._forced_until
            if end > tick and not tick < at < end:
                return end
        return at if at > tick else None


def _time(low: int, high: int) -> int:
    return (high & 0xFFFF) << 32 | low


def _at_least(time: int) -> int:
    return time and max(time, SHORTEST)


TRIG, *_SETTINGS = Pulse.masks(
    *("TRIG", "TRIG_EDGE", "DELAY_L", "DELAY_H", "WIDTH_L", "WIDTH_H", "PULSES"),
    *("STEP_L", "STEP_H"),
)
SETTINGS = sum(_SETTINGS)
ONLY_TRIG = TRIG | 1
TYPES = {"PULSE": Pulse}
