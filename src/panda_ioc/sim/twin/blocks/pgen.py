"""PGEN: the positions of a table, one for each trigger."""

from panda_ioc.sim.twin.block import Backplane, Block
from panda_ioc.sim.twin.fields import (
    bit_in,
    bit_out,
    pos_out,
    read,
    register,
    signed32,
    strobe,
    unsigned32,
)
from panda_ioc.sim.twin.outputs import BitOutput, PositionOutput
from panda_ioc.sim.twin.tables import TableReader

UNREADY, WAIT_ENABLE, RUNNING = range(3)
OK, UNDERRUN, NOT_READY = range(3)


class Pgen(Block):
    ENABLE: int = bit_in()
    TRIG: int = bit_in()
    TABLE_ADDRESS: int = strobe()
    TABLE_LENGTH: int = strobe()
    REPEATS: int = register()
    ACTIVE: BitOutput = bit_out()
    OUT: PositionOutput = pos_out()
    STATE: PositionOutput = read()
    HEALTH: PositionOutput = read()

    def __init__(self, board: Backplane, name: str) -> None:
        super().__init__(board, name)
        self._reader = TableReader(board, 1, lambda words: words[0])
        self._abort = self._rewind = False
        self._line = self._repeat = 0

    @property
    def table(self) -> TableReader[int]:
        """What reads the table from memory."""
        return self._reader

    def on(self, tick: int, changed: int) -> None:
        reader, abort, rewind = self._reader, self._abort, self._rewind
        self._abort = self._rewind = False
        reader.look(tick, self.TABLE_LENGTH, abort)
        triggered = bool(changed & TRIG and self.TRIG and self.ACTIVE.value)
        rise = bool(changed & ENABLE and self.ENABLE)
        underrun = triggered and not reader.ring.valid
        self._check(tick, underrun, rise)
        if underrun or reader.refused:
            self._stop(tick, failed=True)
        elif changed & ENABLE and not rise:
            self._stop(tick, failed=False)
        else:
            self._run(tick, rise, triggered)
        source = (self.TABLE_ADDRESS, self.TABLE_LENGTH)
        written = bool(changed & TABLE_LENGTH)
        reader.step(tick, source, written=written, abort=abort, rewind=rewind, take=triggered)
        leaving = self.STATE.value == OTHERWISE[reader.ring.valid]
        at = tick + 1 if self._abort or self._rewind or leaving else reader.next(tick)
        if at is not None:
            self.wake(at)

    def _check(self, tick: int, underrun: bool, rise: bool) -> None:
        if rise:
            self.HEALTH.put(tick, OK)
        elif self.HEALTH.value == OK and (underrun or self._reader.refused):
            self.HEALTH.put(tick, UNDERRUN if underrun else NOT_READY)

    def _stop(self, tick: int, failed: bool) -> None:
        self.ACTIVE.put(tick, 0)
        self._line = self._repeat = 0
        if self.STATE.value != RUNNING:
            return
        if self._reader.wrapping and not failed:
            self._rewind = True
            self.STATE.put(tick, WAIT_ENABLE)
        else:
            self._abort = True
            self.STATE.put(tick, UNREADY)

    def _run(self, tick: int, rise: bool, triggered: bool) -> None:
        reader, state = self._reader, self.STATE.value
        if state == UNREADY:
            if reader.ring.valid and not reader.resetting:
                self.STATE.put(tick, WAIT_ENABLE)
        elif state == WAIT_ENABLE:
            if not reader.ring.valid:
                self.STATE.put(tick, UNREADY)
            elif rise:
                self.STATE.put(tick, RUNNING)
                self.ACTIVE.put(tick, 1)
                self._line = self._repeat = 1
        elif triggered:
            self._show(tick)

    def _show(self, tick: int) -> None:
        reader = self._reader
        self.OUT.put(tick, signed32(reader.ring.line))
        last_line = (reader.fixed and self._line == self.TABLE_LENGTH) or reader.ring.last
        if last_line and (reader.streaming or (self.REPEATS and self._repeat == self.REPEATS)):
            self.ACTIVE.put(tick, 0)
            self.STATE.put(tick, UNREADY if reader.streaming else WAIT_ENABLE)
        elif last_line:
            self._line = 1
            self._repeat = unsigned32(self._repeat + reader.fixed)
        else:
            self._line = unsigned32(self._line + 1)


# States that the next tick ends, by whether there is a line.
OTHERWISE = (WAIT_ENABLE, UNREADY)
ENABLE, TRIG, TABLE_LENGTH = Pgen.masks("ENABLE", "TRIG", "TABLE_LENGTH")
TYPES = {"PGEN": Pgen}
