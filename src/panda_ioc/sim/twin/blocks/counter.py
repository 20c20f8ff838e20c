"""COUNTER: counts edges up or down, between two limits."""

from panda_ioc.sim.twin.block import Backplane, Block
from panda_ioc.sim.twin.edges import edge_chosen
from panda_ioc.sim.twin.fields import bit_in, bit_out, pos_out, register, signed32, strobe
from panda_ioc.sim.twin.outputs import BitOutput, PositionOutput

ON_DISABLE = 1
HIGHEST, LOWEST = 2**31 - 1, -(2**31)


class Counter(Block):
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

    def __init__(self, board: Backplane, name: str) -> None:
        super().__init__(board, name)
        self._count = self._carry = 0
        # The last count that a trigger made, and whether any wrapped since START.
        self._made = self._wrapped = 0
        # What OUT and CARRY show on disable.
        self._end = self._end_carry = 0
        self._max, self._min = HIGHEST, LOWEST

    def on(self, tick: int, changed: int) -> None:
        if changed == ONLY_TRIG and not self._sees_trigger():
            return
        if changed & OUT_MODE:
            # OUT_MODE selects behind the last register: it acts in its own period.
            self._show(tick - 1)
        if changed & ENABLE and self.ENABLE:
            self._count, self._wrapped = self.START, 0
        elif changed & SET:
            self._count, self._wrapped = self.SET, 0
        elif changed & ENABLE:
            self._carry, self._end, self._end_carry = 0, self._made, self._wrapped
        elif changed & TRIG and self.ENABLE:
            self._carry = 0
            if edge_chosen(self.TRIG_EDGE, self.TRIG):
                self._trigger()
        if changed & LIMITS:
            self._max, self._min = self.MAX, self.MIN
            if self.MAX == 0 and self.MIN == 0:
                self._max, self._min = HIGHEST, LOWEST
        self._show(tick)

    def _sees_trigger(self) -> bool:
        """Tell whether an edge of TRIG does anything: the other edge ends a carry."""
        if not self.ENABLE:
            return False
        return self._carry != 0 or edge_chosen(self.TRIG_EDGE, self.TRIG)

    def _trigger(self) -> None:
        step = self.STEP or 1
        count = self._count - step if self.DIR else self._count + step
        span = signed32(self._max - self._min + 1)
        if count > self._max:
            count -= span
            self._carry = self._wrapped = 1
        elif count < self._min:
            count += span
            self._carry = self._wrapped = 1
        self._count = self._made = signed32(count)

    def _show(self, tick: int) -> None:
        if self.OUT_MODE == ON_DISABLE:
            self.OUT.put(tick, self._end)
            self.CARRY.put(tick, self._end_carry)
        else:
            self.OUT.put(tick, self._count)
            self.CARRY.put(tick, self._carry)


ENABLE, TRIG, OUT_MODE, SET = Counter.masks("ENABLE", "TRIG", "OUT_MODE", "SET")
MAX, MIN = Counter.masks("MAX", "MIN")
LIMITS = MAX | MIN
ONLY_TRIG = TRIG | 1
TYPES = {"COUNTER": Counter}
