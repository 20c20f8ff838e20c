"""PCOMP: pulses at positions."""

from collections.abc import Iterator
from typing import TypeAlias

from panda_ioc.sim.twin.block import Backplane, Block
from panda_ioc.sim.twin.fields import bit_in, bit_out, pos_in, read, register, signed32, unsigned32
from panda_ioc.sim.twin.motion import Look
from panda_ioc.sim.twin.outputs import BitOutput, PositionOutput
from panda_ioc.sim.twin.trajectory import HIGHEST, LOWEST

WAIT_ENABLE, WAIT_DIR, WAIT_PRE_START, WAIT_RISING, WAIT_FALLING = range(5)
POSITIVE, EITHER = 0, 2
ALL = 1 << 32
OK, JUMPED, CANNOT_GUESS = range(3)

# Positions from the first to the second; none if the first is higher.
Range: TypeAlias = tuple[int, int]


class Pcomp(Block):
    """Makes at most one change of state a tick, however far the position is ahead.

    All sums and differences of positions have 32 bits, and so wrap.
    """

    ENABLE: int = bit_in()
    INP: int = pos_in()
    PRE_START: int = register(signed=True)
    START: int = register(signed=True)
    WIDTH: int = register(signed=True)
    STEP: int = register(signed=True)
    PULSES: int = register()
    RELATIVE: int = register()
    DIR: int = register()
    ACTIVE: BitOutput = bit_out()
    OUT: BitOutput = bit_out()
    HEALTH: PositionOutput = read()
    PRODUCED: PositionOutput = read()
    STATE: PositionOutput = read()

    asks = frozenset({"INP"})

    def __init__(self, board: Backplane, name: str) -> None:
        super().__init__(board, name)
        self._state = WAIT_ENABLE
        self._latched = 0
        self._up = False
        self._last = self._next = 0

    def on(self, tick: int, changed: int) -> None:
        for look in self.asked.values():
            look.refresh(tick)
        if changed & ENABLE:
            if self.ENABLE:
                self._start(tick)
                self._latched = self.INP
            else:
                self._stop(tick)
        elif self._state != WAIT_ENABLE and self._act(tick, self.INP):
            self.wake(tick + 1)
        for look in self.asked.values():
            self._wait_for(look, tick + 1)

    def _wait_for(self, look: Look, tick: int) -> None:
        """Wake up where a trajectory next does what the state waits for."""
        found = [look.next_within(tick, low, high) for low, high in self._awaited()]
        ticks = [at for at in found if at is not None]
        if ticks:
            self.wake(min(ticks))
        else:
            self.sleep()

    def _awaited(self) -> Iterator[Range]:
        """Yield the positions of INP, from lowest to highest, at which there is something to do."""
        if self._state == WAIT_ENABLE:
            return
        for low, high in RANGES[self._state](self):
            if not self.RELATIVE & 1:
                yield low, high
                continue
            # The distance from the latched position wraps.
            for turn in (-ALL, 0, ALL):
                yield low + self._latched + turn, high + self._latched + turn

    def _ranges_dir(self) -> tuple[Range, ...]:
        if not self.RELATIVE & 1:
            return (LOWEST, self.START - 1), (self.START + 1, HIGHEST)
        threshold = signed32(self.START + self.PRE_START)
        if threshold <= 0:
            return ((LOWEST, HIGHEST),)
        # The lowest position has no opposite.
        return (LOWEST + 1, -threshold), (threshold, HIGHEST)

    def _ranges_pre_start(self) -> tuple[Range, ...]:
        start = self._signed(self.START) if self.RELATIVE & 1 else self.START
        if self._up:
            return ((LOWEST, signed32(start - self.PRE_START) - 1),)
        return ((signed32(start + self.PRE_START) + 1, HIGHEST),)

    def _ranges_next(self) -> tuple[Range, ...]:
        if self._next >= self._last:
            return ((self._next, HIGHEST),)
        return ((LOWEST, self._next),)

    def _act(self, tick: int, position: int) -> bool:
        """Do what a position asks for in the present state, if anything."""
        if self.RELATIVE & 1:
            position = signed32(position - self._latched)
        return ACTIONS[self._state](self, tick, position)

    def _start(self, tick: int) -> None:
        self.ACTIVE.put(tick, 1)
        self.HEALTH.put(tick, OK)
        self.PRODUCED.put(tick, 0)
        if self.DIR & 3 == EITHER:
            self._go(tick, WAIT_DIR)
            return
        self._up = self.DIR & 3 == POSITIVE
        self._next = self._signed(self.WIDTH)
        if self.RELATIVE & 1 and self.START == 0 and self.PRE_START == 0:
            self._last = 0
            self.PRODUCED.put(tick, 1)
            self.OUT.put(tick, 1)
            self._go(tick, WAIT_FALLING)
        else:
            self._go(tick, WAIT_PRE_START)

    def _wait_dir(self, tick: int, position: int) -> bool:
        if self.RELATIVE & 1:
            return self._wait_move(tick, position)
        if position == self.START:
            return False
        self._up = position < self.START
        self._go(tick, WAIT_PRE_START)
        return True

    def _wait_move(self, tick: int, position: int) -> bool:
        threshold = signed32(self.START + self.PRE_START)
        if threshold <= 0:
            self._fail(tick, CANNOT_GUESS)
            return True
        if signed32(abs(position)) < threshold:
            return False
        if self.PRE_START > 0:
            self._up = position <= 0
            self._go(tick, WAIT_PRE_START)
        else:
            self._up = position > 0
            self._next = self._signed(self.START)
            self._rise(tick)
        return True

    def _wait_pre_start(self, tick: int, position: int) -> bool:
        start = self._signed(self.START) if self.RELATIVE & 1 else self.START
        if self._up:
            if position >= signed32(start - self.PRE_START):
                return False
            self._last = signed32(start - 1)
        else:
            if position <= signed32(start + self.PRE_START):
                return False
            self._last = signed32(start + 1)
        self._next = start
        self._go(tick, WAIT_RISING)
        return True

    def _wait_rising(self, tick: int, position: int) -> bool:
        if not self._reached(position):
            return False
        if self._too_far(position):
            self._fail(tick, JUMPED)
        else:
            self._rise(tick)
        return True

    def _wait_falling(self, tick: int, position: int) -> bool:
        if not self._reached(position):
            return False
        if self.PRODUCED.value == self.PULSES:
            self._stop(tick)
        elif self._too_far(position):
            self._fail(tick, JUMPED)
        else:
            self.OUT.put(tick, 0)
            rise = signed32(self._last + self._signed(self.STEP))
            self._last, self._next = self._next, rise
            self._go(tick, WAIT_RISING)
        return True

    def _rise(self, tick: int) -> None:
        self.OUT.put(tick, 1)
        self.PRODUCED.put(tick, unsigned32(self.PRODUCED.value + 1))
        self._last, self._next = self._next, signed32(self._next + self._signed(self.WIDTH))
        self._go(tick, WAIT_FALLING)

    def _reached(self, position: int) -> bool:
        if self._next >= self._last:
            return position >= self._next
        return position <= self._next

    def _too_far(self, position: int) -> bool:
        limit = signed32(self._last + self._signed(self.STEP))
        return (
            self._last <= self._next <= limit <= position
            or self._last >= self._next >= limit >= position
        )

    def _signed(self, distance: int) -> int:
        """Turn a distance into the direction of the motion."""
        return distance if self._up else signed32(-distance)

    def _fail(self, tick: int, health: int) -> None:
        self.HEALTH.put(tick, health)
        self._stop(tick)

    def _stop(self, tick: int) -> None:
        self.OUT.put(tick, 0)
        self.ACTIVE.put(tick, 0)
        self._go(tick, WAIT_ENABLE)

    def _go(self, tick: int, state: int) -> None:
        self._state = state
        self.STATE.put(tick, state)
        self.wake(tick + 1)


ACTIONS = {
    WAIT_DIR: Pcomp._wait_dir,
    WAIT_PRE_START: Pcomp._wait_pre_start,
    WAIT_RISING: Pcomp._wait_rising,
    WAIT_FALLING: Pcomp._wait_falling,
}
RANGES = {
    WAIT_DIR: Pcomp._ranges_dir,
    WAIT_PRE_START: Pcomp._ranges_pre_start,
    WAIT_RISING: Pcomp._ranges_next,
    WAIT_FALLING: Pcomp._ranges_next,
}
(ENABLE,) = Pcomp.masks("ENABLE")
TYPES = {"PCOMP": Pcomp}
