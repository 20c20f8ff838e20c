"""PCAP: captures positions, bits and timestamps at triggers, while armed and enabled."""

from panda_ioc.sim.twin.block import Backplane, Block
from panda_ioc.sim.twin.edges import edge_chosen
from panda_ioc.sim.twin.fields import bit_in, bit_out, read, register, strobe
from panda_ioc.sim.twin.gating import Gating
from panda_ioc.sim.twin.outputs import BitOutput, PositionOutput
from panda_ioc.sim.twin.program import ENTRIES, Program
from panda_ioc.sim.twin.stream import Stream

NEVER, FAR = -(2**63), 2**63
OK, TOO_CLOSE, OVERRUN = 0, 1, 2
# After the trigger acts: when its row is put together, when a row before that still leaves is
# noticed, and when the first word leaves.
TO_ROW, TO_ERROR, TO_WORD = 2, 4, 5


class Pcap(Block):
    """Arming, the clock of the timestamps, and the words that leave.

    All of PCAP is one register behind the buses, and so are TRIG_EDGE and SHIFT_SUM.
    DMA_FULL is not in the PandA's list of fields: the reader of the words writes it when
    there is no room for more.

    Attributes:
        stream: the rows captured.
        completion: why the last acquisition ended, in the words of the server.
        enabled_at: the period in which the acquisition began, None before.
    """

    ENABLE: int = bit_in()
    GATE: int = bit_in()
    TRIG: int = bit_in()
    TRIG_EDGE: int = register()
    SHIFT_SUM: int = register()
    START_WRITE: int = strobe()
    WRITE: int = strobe()
    ARM: int = strobe()
    DISARM: int = strobe()
    DMA_FULL: int = strobe()
    ACTIVE: BitOutput = bit_out()
    HEALTH: PositionOutput = read()

    front = 1

    def __init__(self, board: Backplane, name: str) -> None:
        super().__init__(board, name)
        self.stream = Stream(self.flush)
        self.completion = "Ok"
        self._gating = Gating()
        self._program = Program(board, self._gating)
        self._edge = self._shift = 0
        self._armed = False
        self._armed_at = NEVER
        self.enabled_at: int | None = None
        self._trig = self._gate = 0
        self._on = False
        # The timestamp of a period, and by how much it grows in each.
        self._stamp, self._stamp_at, self._stamp_step = 0, board.engine.now, 0
        # Triggers whose row is not put together, and the last whose row was.
        self._pending: list[int] = []
        self._last = NEVER
        # Periods in which words leave, as (first, last).
        self._spans: list[tuple[int, int]] = []
        self._error_at = self._wait_until = FAR
        # When what follows the gate sees the end, one tick after it; and the first of these three.
        self._off_at = self._due = FAR

    def on(self, tick: int, changed: int) -> None:
        if self._pending:
            self._collect(tick)
        if changed == ONLY_TRIG and tick != self.wish and self._ignores_edge():
            return
        if changed != 1 or tick == self._due:
            self._act(tick, changed)
        at = self._due
        if self._armed and self._hurries():
            at = min(at, self._pending[0] + TO_ROW)
        if at != FAR:
            self.wake(at)

    def flush(self) -> None:
        """Put together what is due, so that the rows can be looked at now."""
        self._collect(self.engine.now)

    def _hurries(self) -> bool:
        """Tell whether a row must be put together in time; else the next call does as well."""
        pending = self._pending
        return len(pending) > 1 or (len(pending) == 1 and pending[0] < self._last + ENTRIES)

    def _ignores_edge(self) -> bool:
        """Note the level of TRIG after an edge, and tell whether that was all."""
        trig = self.TRIG & self.ENABLE
        if trig != self._trig and edge_chosen(self._edge, trig):
            return False
        self._trig = trig
        return True

    def _act(self, tick: int, changed: int) -> None:
        if changed & (START_WRITE | WRITE):
            self._write(changed)
        was_armed = self._armed
        arming = changed & ARM != 0
        self._frame(tick, was_armed or arming)
        if changed & CONTROL or tick == self._due:
            self._arm_or_end(tick, changed)
            self._count(tick, was_armed, arming)
            self._off_at = tick + 1 if was_armed and not self._armed else FAR
            self._due = min(self._off_at, self._error_at, self._wait_until)
        self._edge, self._shift = self.TRIG_EDGE, self.SHIFT_SUM & 0x3F

    def _write(self, changed: int) -> None:
        if changed & WRITE:
            self._program.add(self.WRITE)
        if changed & START_WRITE:
            self._program.restart()

    def _frame(self, tick: int, on: bool) -> None:
        gate = self.GATE & self.ENABLE if on else 0
        trig = self.TRIG & self.ENABLE
        pulse = trig != self._trig and edge_chosen(self._edge, trig)
        self._trig = trig
        if on == self._on and gate == self._gate and not pulse:
            return
        self._on, self._gate = on, gate
        if on or pulse:
            self._program.prepare(tick)
        timestamp = self._stamp + (tick - self._stamp_at) * self._stamp_step
        self._gating.step(tick, on, gate, pulse, timestamp, self._shift)
        self._program.step(tick, on, gate, pulse, self._shift)
        if pulse:
            self._pending.append(tick)

    def _count(self, tick: int, was_armed: bool, arming: bool) -> None:
        """Set the timestamp of the next period."""
        now = self._stamp + (tick - self._stamp_at) * self._stamp_step
        if arming and self.ENABLE:
            now = 1
        elif not arming and not was_armed:
            now = 0
        elif was_armed and self.ENABLE:
            now += 1
        self._stamp, self._stamp_at = now, tick + 1
        self._stamp_step = int(self._armed and self.ENABLE)

    def _arm_or_end(self, tick: int, changed: int) -> None:
        if not self._armed:
            if changed & ARM:
                self._arm(tick)
            return
        if self.enabled_at is None and self.ENABLE:
            self.enabled_at = tick
        if tick == self._error_at:
            self._end(tick, "Framing error", TOO_CLOSE)
        elif changed & DMA_FULL:
            self._end(tick, "DMA data error", OVERRUN)
        elif changed & DISARM:
            self._end(tick, "Disarmed")
        elif tick == self._wait_until or self._enable_fell(tick, changed):
            self._end_or_wait(tick)

    def _enable_fell(self, tick: int, changed: int) -> bool:
        """Tell whether ENABLE, seen high while armed, has fallen."""
        return changed & ENABLE != 0 and not self.ENABLE and tick > self._armed_at + 1

    def _arm(self, tick: int) -> None:
        self._armed = True
        self._armed_at = tick
        self.enabled_at = tick + 1 if self.ENABLE else None
        self.ACTIVE.put(tick, 1)
        self.HEALTH.put(tick, OK)

    def _end_or_wait(self, tick: int) -> None:
        """End, but not while words of a row leave."""
        last = max((last for first, last in self._spans if first <= tick <= last), default=NEVER)
        if last == NEVER:
            self._end(tick, "Ok")
        else:
            self._wait_until = last + 1

    def _end(self, tick: int, completion: str, health: int = OK) -> None:
        self._armed = False
        self.completion = completion
        self.ACTIVE.put(tick, 0)
        self.HEALTH.put(tick, health)
        self.stream.cut(tick + 1)
        self._spans = []
        self._last = NEVER
        self._error_at = self._wait_until = FAR

    def _collect(self, tick: int) -> None:
        """Put together the rows of triggers two ticks ago."""
        while self._pending and self._pending[0] + TO_ROW <= tick:
            trigger = self._pending.pop(0)
            if self._armed:
                self._row(trigger)

    def _row(self, trigger: int) -> None:
        row, first = self._program.row(), trigger + TO_WORD
        if len(row) > 1 and trigger < self._last + len(row):
            # Words of the row before that leave from now on are already those of this one.
            self.stream.patch(first, row)
            self._error_at = min(self._error_at, trigger + TO_ERROR)
            self._due = min(self._due, self._error_at)
            return
        self._last = trigger
        self.stream.add(first, row)
        if self._spans and self._spans[0][1] < trigger:
            self._spans = [span for span in self._spans if span[1] >= trigger]
        if self._spans and self._spans[-1][1] == first - 1:
            first = self._spans.pop()[0]
        self._spans.append((first, trigger + TO_WORD + len(row) - 1))


ENABLE, ARM, DISARM, DMA_FULL = Pcap.masks("ENABLE", "ARM", "DISARM", "DMA_FULL")
ONLY_TRIG = Pcap.masks("TRIG")[0] | 1
CONTROL = ENABLE | ARM | DISARM | DMA_FULL
START_WRITE, WRITE = Pcap.masks("START_WRITE", "WRITE")
TYPES = {"PCAP": Pcap}
