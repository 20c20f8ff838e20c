"""SEQ: plays a table of lines, each of two phases after a trigger."""

from panda_ioc.sim.twin.block import Backplane, Block
from panda_ioc.sim.twin.fields import bit_in, bit_out, pos_in, read, register, strobe, unsigned32
from panda_ioc.sim.twin.lines import TableLine, make_line
from panda_ioc.sim.twin.outputs import BitOutput, PositionOutput
from panda_ioc.sim.twin.prescaler import PhaseTimer
from panda_ioc.sim.twin.tables import TableReader

UNREADY, WAIT_ENABLE, WAIT_TRIGGER, PHASE1, PHASE2 = range(5)
OK, UNDERRUN, NOT_READY = range(3)
WORDS = 4


class Seq(Block):
    ENABLE: int = bit_in()
    BITA: int = bit_in()
    BITB: int = bit_in()
    BITC: int = bit_in()
    POSA: int = pos_in()
    POSB: int = pos_in()
    POSC: int = pos_in()
    TABLE_ADDRESS: int = strobe()
    TABLE_LENGTH: int = strobe()
    PRESCALE: int = strobe()
    REPEATS: int = register()
    ACTIVE: BitOutput = bit_out()
    OUTA: BitOutput = bit_out()
    OUTB: BitOutput = bit_out()
    OUTC: BitOutput = bit_out()
    OUTD: BitOutput = bit_out()
    OUTE: BitOutput = bit_out()
    OUTF: BitOutput = bit_out()
    TABLE_REPEAT: PositionOutput = read()
    TABLE_LINE: PositionOutput = read()
    LINE_REPEAT: PositionOutput = read()
    STATE: PositionOutput = read()
    HEALTH: PositionOutput = read()

    asks = frozenset({"POSA", "POSB", "POSC"})

    def __init__(self, board: Backplane, name: str) -> None:
        super().__init__(board, name)
        self._reader = TableReader(board, WORDS, make_line)
        self._abort = self._rewind = False
        self._timer = PhaseTimer()
        self._line, self._last = self._reader.ring.line, False
        self._outs = 0
        self._pins = (self.OUTA, self.OUTB, self.OUTC, self.OUTD, self.OUTE, self.OUTF)

    @property
    def table(self) -> TableReader[TableLine]:
        """What reads the table from memory."""
        return self._reader

    def on(self, tick: int, changed: int) -> None:
        for look in self.asked.values():
            look.refresh(tick)
        if not changed & WRITES_OR_ENABLE and tick != self.wish and self._rests():
            return
        reader, abort, rewind = self._reader, self._abort, self._rewind
        self._abort = self._rewind = False
        if changed & PRESCALE:
            self._timer.set_prescale(tick, self.PRESCALE)
        quiet = reader.rests and not (abort or rewind or changed & WRITES)
        if not quiet:
            reader.look(tick, self._lines(), abort)
        state = self.STATE.value
        rise = bool(changed & ENABLE and self.ENABLE)
        ended = state >= PHASE1 and tick == self._timer.end
        take = self._takes(state, rise, ended)
        underrun = take and not reader.ring.valid
        if underrun or reader.refused or rise:
            self._check(tick, underrun, rise and state == WAIT_ENABLE)
        if underrun or reader.refused:
            self._stop(tick, state, failed=True)
        elif changed & ENABLE and not rise:
            self._stop(tick, state, failed=False)
        else:
            self._run(tick, state, rise, ended)
        if take or not quiet:
            source = (self.TABLE_ADDRESS, self.TABLE_LENGTH)
            written = bool(changed & TABLE_LENGTH)
            reader.step(tick, source, written=written, abort=abort, rewind=rewind, take=take)
        self._wake(tick)

    def _rests(self) -> bool:
        """Tell whether bits and positions do nothing, if nothing was to happen by itself."""
        state = self.STATE.value
        return state != WAIT_TRIGGER or not (self.asked or self._triggered(self._line))

    def _lines(self) -> int:
        return self.TABLE_LENGTH >> 2 & 0x7FFFF

    def _takes(self, state: int, rise: bool, ended: bool) -> bool:
        """Tell whether the next line is taken in this tick."""
        if state == WAIT_ENABLE:
            return rise
        return state == PHASE2 and ended and self._line_done() and not self._table_done()

    def _line_done(self) -> bool:
        return self._line.repeats != 0 and self.LINE_REPEAT.value == self._line.repeats

    def _last_line(self) -> bool:
        return self._last or (self._reader.fixed and self.TABLE_LINE.value == self._lines())

    def _table_done(self) -> bool:
        if not (self._line_done() and self._last_line()):
            return False
        return self._reader.streaming or (
            self.REPEATS != 0 and self.TABLE_REPEAT.value == self.REPEATS
        )

    def _check(self, tick: int, underrun: bool, started: bool) -> None:
        if self.HEALTH.value == OK and (underrun or self._reader.refused):
            self.HEALTH.put(tick, UNDERRUN if underrun else NOT_READY)
        elif started:
            self.HEALTH.put(tick, OK)

    def _stop(self, tick: int, state: int, failed: bool) -> None:
        self._show(tick, 0)
        self.ACTIVE.put(tick, 0)
        if state in (UNREADY, WAIT_ENABLE):
            return
        if self._reader.wrapping and not failed:
            self._rewind = True
            self.STATE.put(tick, WAIT_ENABLE)
        else:
            self._abort = True
            self.STATE.put(tick, UNREADY)

    def _run(self, tick: int, state: int, rise: bool, ended: bool) -> None:
        reader = self._reader
        if state == UNREADY:
            self._show(tick, 0)
            if reader.ring.valid and not reader.resetting:
                self.STATE.put(tick, WAIT_ENABLE)
        elif state == WAIT_ENABLE:
            if not reader.ring.valid:
                self.STATE.put(tick, UNREADY)
            elif rise:
                self._start(tick)
        elif state == WAIT_TRIGGER:
            if self._triggered(self._line):
                self._begin(tick)
        elif ended and state == PHASE1:
            self._phase2(tick)
        elif ended:
            self._end_line(tick)

    def _start(self, tick: int) -> None:
        self.ACTIVE.put(tick, 1)
        for count in (self.TABLE_REPEAT, self.TABLE_LINE, self.LINE_REPEAT):
            count.put(tick, 1)
        self._next_line(tick)

    def _end_line(self, tick: int) -> None:
        if self._table_done():
            self.ACTIVE.put(tick, 0)
            self._show(tick, 0)
            self.STATE.put(tick, UNREADY if self._reader.streaming else WAIT_ENABLE)
        elif not self._line_done():
            self.LINE_REPEAT.put(tick, unsigned32(self.LINE_REPEAT.value + 1))
            self._wait_or_begin(tick)
        else:
            self.LINE_REPEAT.put(tick, 1)
            if self._last_line():
                repeat = self.TABLE_REPEAT.value + self._reader.fixed
                self.TABLE_REPEAT.put(tick, unsigned32(repeat))
                self.TABLE_LINE.put(tick, 1)
            else:
                self.TABLE_LINE.put(tick, self.TABLE_LINE.value + 1 & 0x7FFFF)
            self._next_line(tick)

    def _next_line(self, tick: int) -> None:
        self._line, self._last = self._reader.ring.line, self._reader.ring.last
        self._wait_or_begin(tick)

    def _wait_or_begin(self, tick: int) -> None:
        if self._triggered(self._line):
            self._begin(tick)
        else:
            self.STATE.put(tick, WAIT_TRIGGER)

    def _triggered(self, line: TableLine) -> bool:
        bits = (self.BITA, self.BITB, self.BITC)
        return line.triggered(bits, (self.POSA, self.POSB, self.POSC))

    def _begin(self, tick: int) -> None:
        if self._line.times[0] == 0:
            self._phase2(tick)
            return
        self._timer.start(tick + 1, self._line.times[0])
        self._show(tick, self._line.outs[0])
        self.STATE.put(tick, PHASE1)

    def _phase2(self, tick: int) -> None:
        self._timer.start(tick + 1, self._line.times[1])
        self._show(tick, self._line.outs[1])
        self.STATE.put(tick, PHASE2)

    def _show(self, tick: int, outs: int) -> None:
        changed, self._outs = outs ^ self._outs, outs
        number = 0
        while changed:
            if changed & 1:
                self._pins[number].put(tick, outs >> number & 1)
            changed >>= 1
            number += 1

    def _wake(self, tick: int) -> None:
        state = self.STATE.value
        at = self._reader.next(tick)
        if self._abort or self._rewind or state == OTHERWISE[self._reader.ring.valid]:
            at = tick + 1
        elif state >= PHASE1 and (at is None or at > self._timer.end):
            at = self._timer.end
        elif state == WAIT_TRIGGER and self.asked:
            at = self._crossing(tick + 1, at)
        if at is not None:
            self.wake(at)

    def _crossing(self, tick: int, at: int | None) -> int | None:
        """Find the tick at which a trajectory triggers the line, if that is before `at`."""
        awaited = self._line.awaited()
        look = self.asked.get(awaited[0]) if awaited else None
        found = look.next_within(tick, *awaited[1:]) if look and awaited else None
        if at is None or found is None:
            return at if found is None else found
        return min(at, found)


# States that the next tick ends, by whether there is a line.
OTHERWISE = (WAIT_ENABLE, UNREADY)
ENABLE, TABLE_LENGTH, PRESCALE = Seq.masks("ENABLE", "TABLE_LENGTH", "PRESCALE")
WRITES = sum(Seq.masks("TABLE_ADDRESS", "TABLE_LENGTH", "PRESCALE", "REPEATS"))
WRITES_OR_ENABLE = WRITES | ENABLE
TYPES = {"SEQ": Seq}
