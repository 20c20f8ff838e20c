"""COUNTER: counts edges up or down, between two limits."""

from typing import NamedTuple

from panda_ioc.sim.twin.block import Backplane
from panda_ioc.sim.twin.edges import EITHER, FALLING, RISING, edge_chosen
from panda_ioc.sim.twin.fields import bit_in, bit_out, pos_out, register, signed32, strobe
from panda_ioc.sim.twin.outputs import EDGES, BitOutput, PositionOutput
from panda_ioc.sim.twin.wave_output import LazyBlock, WaveOutput, WaveView
from panda_ioc.sim.twin.waves import Wave

ON_DISABLE = 1
NEVER = -(2**63)
HIGHEST, LOWEST = 2**31 - 1, -(2**31)


class Settings(NamedTuple):
    """What decides what an edge of TRIG does, as it was until the tick in work."""

    enable: int
    edge: int
    mode: int
    step: int


class Counter(LazyBlock):
    ENABLE: int = bit_in()
    TRIG: int = bit_in()
    DIR: int = bit_in()
    TRIG_EDGE: int = register()
    OUT_MODE: int = register()
    SET: int = strobe(signed=True)
    START: int = register(signed=True)
    STEP: int = register(signed=True)
    MAX: int = strobe(signed=True)
    MIN: int = strobe(signed=True)
    CARRY: BitOutput = bit_out()
    OUT: PositionOutput = pos_out()

    wave_input = "TRIG"

    def __init__(self, board: Backplane, name: str) -> None:
        super().__init__(board, name)
        self._count = self._carry = 0
        # The last count that a trigger made, and whether any wrapped since START.
        self._made = self._wrapped = 0
        # What OUT and CARRY show on disable.
        self._end = self._end_carry = 0
        self._max, self._min = HIGHEST, LOWEST
        # While edges are asked for: the last tick of which they are counted, and the settings.
        self._done, self._held = NEVER, self._settings()
        for output in (self.OUT, self.CARRY):
            output.catch_up, output.rearrange = self.catch_up, self._rearrange

    def on(self, tick: int, changed: int) -> None:
        if self.look is not None:
            changed = self._with_edge(self.look, tick, changed)
        if changed == ONLY_TRIG and not self._sees_trigger():
            return
        self._act(tick, changed)
        if changed & ~ONLY_TRIG:
            self._rearrange()

    def _act(self, tick: int, changed: int) -> None:
        if changed & OUT_MODE:
            # OUT_MODE selects behind the last register: it acts in its own period.
            self._show(tick - 1, self.OUT_MODE)
        if changed & ENABLE and self.ENABLE:
            self._count, self._wrapped = self.START, 0
        elif changed & SET:
            self._count, self._wrapped = self.SET, 0
        elif changed & ENABLE:
            self._carry, self._end, self._end_carry = 0, self._made, self._wrapped
        elif changed & TRIG and self.ENABLE:
            self._carry = 0
            if edge_chosen(self.TRIG_EDGE, self.TRIG):
                self._trigger(self._step())
        if changed & LIMITS:
            self._max, self._min = self.MAX, self.MIN
            if self.MAX == 0 and self.MIN == 0:
                self._max, self._min = HIGHEST, LOWEST
        self._show(tick, self.OUT_MODE)

    def _sees_trigger(self) -> bool:
        """Tell whether an edge of TRIG does anything: the other edge ends a carry."""
        if not self.ENABLE:
            return False
        return self._carry != 0 or edge_chosen(self.TRIG_EDGE, self.TRIG)

    def _step(self) -> int:
        step = self.STEP or 1
        return -step if self.DIR else step

    def _trigger(self, step: int) -> None:
        count = self._count + step
        span = signed32(self._max - self._min + 1)
        if count > self._max:
            count -= span
            self._carry = self._wrapped = 1
        elif count < self._min:
            count += span
            self._carry = self._wrapped = 1
        self._count = self._made = signed32(count)

    def _show(self, tick: int, mode: int) -> None:
        if mode == ON_DISABLE:
            self.OUT.put(tick, self._end)
            self.CARRY.put(tick, self._end_carry)
        else:
            self.OUT.put(tick, self._count)
            self.CARRY.put(tick, self._carry)

    # Edges that are asked for

    def can_ask(self) -> bool:
        """Tell whether nobody waits for a change, and the count can stay within the limits."""
        seen = self.OUT.listeners or self.CARRY.listeners or self.OUT.record or self.CARRY.record
        inside = self._min <= self._count <= self._max
        return not seen and inside and abs(self._step()) <= self._max - self._min + 1

    def _rearrange(self) -> None:
        source = self.lines["TRIG"].source
        if isinstance(source, WaveOutput):
            source.arrange()

    def ask(self, look: WaveView | None) -> None:
        super().ask(look)
        self._done, self._held = self.last_done, self._settings()
        self.OUT.lazy = self.CARRY.lazy = look is not None

    def _settings(self) -> Settings:
        return Settings(self.ENABLE, self.TRIG_EDGE & 3, self.OUT_MODE, self._step())

    def _with_edge(self, look: WaveView, tick: int, changed: int) -> int:
        """Catch up to the tick before; flag an edge of this tick."""
        self._count_until(look, tick - 1)
        self._done, self._held = tick, self._settings()
        if look.wave is not None and tick > look.since:
            self.TRIG = look.wave.level(tick)
            if look.wave.next_edge(tick - 1) == tick:
                return changed | TRIG
        return changed

    def catch_up(self) -> None:
        if self.look is not None:
            self._count_until(self.look, self.last_done)

    def _count_until(self, look: WaveView, last: int) -> None:
        start, self._done = max(self._done, look.since), max(self._done, last)
        wave = look.wave
        if wave is None or last <= start or not self._held.enable:
            return
        skipped = last - EDGES - 2 * wave.period
        if skipped > start:
            self._skip(wave, start, skipped)
            start = skipped
        # The last edges one by one: others may look back.
        edge = wave.next_edge(start)
        while edge <= last:
            self._carry = 0
            if edge_chosen(self._held.edge, wave.level(edge)):
                self._trigger(self._held.step)
            self._show(edge, self._held.mode)
            edge = wave.next_edge(edge)

    def _skip(self, wave: Wave, after: int, last: int) -> None:
        """Count all edges up to a tick, too long ago for CARRY to matter."""
        edge, step = self._held.edge, self._held.step
        number = wave.rises(after, last) if edge in (RISING, EITHER) else 0
        number += wave.falls(after, last) if edge in (FALLING, EITHER) else 0
        if number:
            count = self._count + number * step
            if not self._min <= count <= self._max:
                self._wrapped = 1
                if self._held.mode != ON_DISABLE:
                    # A pulse, so that a client that looks now and then sees that there were some.
                    self.CARRY.put(last - 1, 1)
                count = self._min + (count - self._min) % (self._max - self._min + 1)
            self._count = self._made = count
        self._carry = 0
        self._show(last, self._held.mode)


ENABLE, TRIG, OUT_MODE, SET = Counter.masks("ENABLE", "TRIG", "OUT_MODE", "SET")
MAX, MIN = Counter.masks("MAX", "MIN")
LIMITS = MAX | MIN
ONLY_TRIG = TRIG | 1
TYPES = {"COUNTER": Counter}
