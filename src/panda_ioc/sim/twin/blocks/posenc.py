"""POSENC: follows a position by steps, as quadrature or as step and direction."""

from panda_ioc.sim.twin.block import Backplane, Block
from panda_ioc.sim.twin.fields import bit_in, bit_out, pos_in, read, register, strobe
from panda_ioc.sim.twin.outputs import BitOutput, PositionOutput
from panda_ioc.sim.twin.prescaler import Prescaler

STEP_DIRECTION = 1
DISABLED, AT_POSITION, SLEWING = range(3)
# Levels of A and B by phase.
A = (0, 1, 1, 0)
B = (0, 0, 1, 1)


class Posenc(Block):
    """Steps at the pulses of a prescaler that runs by itself, also while disabled."""

    ENABLE: int = bit_in()
    INP: int = pos_in()
    PERIOD: int = strobe()
    PROTOCOL: int = register()
    A: BitOutput = bit_out()
    B: BitOutput = bit_out()
    STATE: PositionOutput = read()

    def __init__(self, board: Backplane, name: str) -> None:
        super().__init__(board, name)
        self._prescaler = Prescaler()
        self._prescaler.restart(board.engine.now)
        self._position = 0
        self._stepping = self._tracking = False
        self._back = self._phase = 0

    def on(self, tick: int, changed: int) -> None:
        pulse = self._clock(tick, changed)
        if changed & PROTOCOL:
            # PROTOCOL selects behind the last register: it acts in its own period.
            self._switch(tick)
        stepped = self._stepping
        if not self.ENABLE:
            self._position = self._back = self._phase = 0
            self._stepping = self._tracking = False
        else:
            self._follow(pulse, started=bool(changed & ENABLE))
        self._show(tick, stepped)
        self._plan(tick, bool(changed & ENABLE) or stepped)

    def _clock(self, tick: int, changed: int) -> bool:
        period = self.PERIOD or 1
        if self.PERIOD == 1 and self.PROTOCOL == STEP_DIRECTION:
            # A period of 0 stays 1 tick, as in the FPGA.
            period = 2
        if period != self._prescaler.period:
            self._prescaler.set_period(tick, period)
        pulse = self._prescaler.pulse(tick) == tick
        if changed & PERIOD:
            self._prescaler.restart(tick + 1)
        return pulse

    def _follow(self, pulse: bool, started: bool) -> None:
        if self._stepping:
            self._phase = (self._phase + (-1 if self._back else 1)) & 3
        ahead = self._position < self.INP
        if started:
            self._stepping = self._tracking = False
            self._position = self.INP
        else:
            self._tracking = self._position != self.INP
            self._stepping = self._tracking and pulse
            if self._stepping:
                self._position += 1 if ahead else -1
        self._back = 0 if ahead else 1

    def _switch(self, tick: int) -> None:
        if self.PROTOCOL & 1:
            self.B.put(tick - 1, self._back)
        else:
            self.A.put(tick - 1, A[self._phase])
            self.B.put(tick - 1, B[self._phase])

    def _show(self, tick: int, stepped: bool) -> None:
        if self.PROTOCOL & 1:
            self.A.put(tick, int(stepped))
            self.B.put(tick, self._back)
        else:
            self.A.put(tick, A[self._phase])
            self.B.put(tick, B[self._phase])
        enabled = SLEWING if self._tracking else AT_POSITION
        self.STATE.put(tick, enabled if self.ENABLE else DISABLED)

    def _plan(self, tick: int, unsettled: bool) -> None:
        if self._stepping or unsettled:
            self.wake(tick + 1)
        elif self.ENABLE and self._position != self.INP:
            self.wake(self._prescaler.pulse(tick + 1))


ENABLE, PERIOD, PROTOCOL = Posenc.masks("ENABLE", "PERIOD", "PROTOCOL")
TYPES = {"POSENC": Posenc}
