"""FILTER: the difference between two triggers, or the average since the enable."""

from panda_ioc.sim.twin.block import Backplane, Block
from panda_ioc.sim.twin.divider import WORD, Divider
from panda_ioc.sim.twin.fields import bit_in, bit_out, pos_in, pos_out, read, register, signed32
from panda_ioc.sim.twin.outputs import BitOutput, PositionOutput

AVERAGE = 1
# A sum beyond is an overflow; then it wraps.
SUM_LIMIT, SUM_WRAP = 1 << 62, 1 << 63
OVERFLOW, RETRIGGERED = 1, 2
# Registers between the sum and the comparison, and some more.
MARGIN = 4
# Clocks after which a division that is loaded all the time is full.
FILLED = 40
FOREVER = 1 << 63


class Filter(Block):
    """Sums by multiplication and divides in one go; steps tick by tick where registers move."""

    ENABLE: int = bit_in()
    TRIG: int = bit_in()
    INP: int = pos_in()
    MODE: int = register()
    READY: BitOutput = bit_out()
    OUT: PositionOutput = pos_out()
    HEALTH: PositionOutput = read()

    def __init__(self, board: Backplane, name: str) -> None:
        super().__init__(board, name)
        self._clock = board.engine.now
        # What INP and MODE were in the ticks since the last call.
        self._inp = self._mode = 0
        self._enabled = self._triggered = 0
        self._latch = self._sum = self._number = 0
        self._divider = Divider()
        self._load = self._loaded = self._negative = False
        self._dividend = self._divisor = 0
        self._dividing = self._retriggered = self._overflown = self._stopped = False

    def on(self, tick: int, changed: int) -> None:
        self._skip(tick - self._clock)
        self._clock = tick + 1
        before = self._signature()
        rise = bool(self.ENABLE and not self._enabled)
        self._inp, self._mode = self.INP, self.MODE & 1
        load, divider = self._load, self._divider
        ready, stopped, overflow = divider.ready, self._stopped, self._overflow()
        dividend, divisor = self._dividend, self._divisor
        self._check(tick, rise, ready, overflow)
        if self._mode == AVERAGE:
            self._average(tick, rise, stopped)
        else:
            self._difference(tick, rise, stopped)
        divider.step(load, dividend, divisor)
        self._enabled, self._triggered = self.ENABLE, self.TRIG
        self._plan(tick, before != self._signature())

    def _difference(self, tick: int, rise: bool, stopped: bool) -> None:
        if rise:
            self._latch = self.INP
        elif self.TRIG and not self._triggered:
            if not stopped:
                self.READY.put(tick, 1)
                self.OUT.put(tick, signed32(self.INP - self._latch))
            self._latch = self.INP
        else:
            self.READY.put(tick, 0)

    def _average(self, tick: int, rise: bool, stopped: bool) -> None:
        divider = self._divider
        if not stopped:
            self.READY.put(tick, int(divider.ready))
            if divider.ready:
                quotient = divider.quotient
                self.OUT.put(tick, signed32(-quotient if self._negative else quotient))
        self._load = bool(self.TRIG and self._enabled)
        if self._load:
            self._take()
        if rise:
            self._sum = self._number = 0
        elif self._enabled:
            self._add(1)

    def _take(self) -> None:
        """Give the present sum to the divider."""
        self._divisor = self._number
        self._negative = self._sum < 0
        self._dividend = abs(self._sum)

    def _add(self, ticks: int) -> None:
        total = self._sum + ticks * self._inp
        self._sum = (total + SUM_WRAP) % (2 * SUM_WRAP) - SUM_WRAP
        self._number = self._number + ticks & WORD

    def _overflow(self) -> bool:
        return not -SUM_LIMIT <= self._sum < SUM_LIMIT

    def _check(self, tick: int, rise: bool, ready: bool, overflow: bool) -> None:
        """Find what goes wrong, all by the registers of the tick before."""
        retriggered, overflown = self._retriggered, self._overflown
        if self._load and not self._loaded:
            self._retriggered = self._retriggered or self._dividing
            self._dividing = True
        elif self._dividing and rise:
            self._retriggered = True
        elif ready:
            self._dividing = self._retriggered = False
        self._loaded = self._load
        self._overflown = overflow
        if rise:
            self._stopped = False
            self.HEALTH.put(tick, 0)
        elif overflown or retriggered:
            self._stopped = True
            self.HEALTH.put(tick, overflow * OVERFLOW | retriggered * RETRIGGERED)

    def _skip(self, ticks: int) -> None:
        """Do some clocks in which nothing comes in and no other register moves."""
        if ticks <= 0:
            return
        averaging = self._mode == AVERAGE
        if self._load and averaging:
            self._hold(ticks)
        else:
            if self._load or self._divider.running:
                for _ in range(min(ticks, FILLED)):
                    self._divider.step(self._load, self._dividend, self._divisor)
            if averaging and self._enabled:
                self._add(ticks)

    def _hold(self, ticks: int) -> None:
        """Do clocks with TRIG high, when each loads the divider with the sum of its tick."""
        divider = self._divider
        while ticks and not (divider.full and divider.odd):
            far = min(ticks, self._safe()) if divider.full else 0
            if far > MARGIN:
                self._add(far - MARGIN)
                ticks -= far - MARGIN
            divider.step(True, self._dividend, self._divisor)
            self._take()
            self._add(1)
            ticks -= 1
        if ticks:
            self._add(ticks - 1)
            self._take()
            self._add(1)

    def _safe(self) -> int:
        """Count ticks in which the low word of the sum cannot reach the number."""
        size = abs(self._sum)
        low = size & WORD
        gap = self._number - low
        if gap <= 0 or not self._divider.keeps(self._dividend, self._divisor):
            return 0
        if not self._inp or (abs(self._inp) == 1 and size == low):
            # The sum grows no faster than the number: what is smaller stays smaller.
            return FOREVER
        return (gap if size == low else min(gap, low)) // abs(self._inp)

    def _signature(self) -> tuple[object, ...]:
        return (
            *(self._enabled, self._triggered, self._load, self._loaded, self._stopped),
            *(self._dividing, self._retriggered, self._overflown, self._divider.running),
            *(self._divider.ready, self._mode, self.READY.value, self.HEALTH.value),
            *(self._negative, self._sum < 0, self._overflow()),
        )

    def _plan(self, tick: int, moving: bool) -> None:
        at = tick + 1 if moving else self._next_limit(tick)
        if self._divider.running and not self._load:
            ready = tick + self._divider.ticks_left
            at = ready if at is None else min(at, ready)
        if at is not None and not (self.wish is not None and tick < self.wish <= at):
            self.wake(at)

    def _next_limit(self, tick: int) -> int | None:
        """Find the tick at which the sum goes over a limit, one way or the other.

        Its sign matters while a quotient is ready and TRIG is held: READY stays, and OUT has the
        sign of the sum of the tick before.
        """
        if not (self._mode == AVERAGE and self._enabled and self._inp):
            return None
        # Upwards a limit is reached, downwards it is passed.
        total, step = (self._sum, self._inp) if self._inp > 0 else (-self._sum - 1, -self._inp)
        zero = [0] if self._load and self._divider.ready else []
        limit = next(x for x in (-SUM_LIMIT, *zero, SUM_LIMIT, SUM_WRAP) if x > total)
        return tick + 1 - (total - limit) // step


ENABLE, TRIG, MODE = Filter.masks("ENABLE", "TRIG", "MODE")
TYPES = {"FILTER": Filter}
