"""The words of a row of PCAP, as START_WRITE and WRITE choose them."""

from panda_ioc.sim.twin.asked_column import AskedColumn
from panda_ioc.sim.twin.block import Backplane
from panda_ioc.sim.twin.column import MODES, VALUE, RecordedColumn
from panda_ioc.sim.twin.gating import BITS, WORDS, Gating
from panda_ioc.sim.twin.line import ZERO
from panda_ioc.sim.twin.motion import Motion
from panda_ioc.sim.twin.outputs import WireSource

ENTRIES = 64
EXTERNAL = 1 << 9
QUADRANT = 32


class Program:
    """Up to 64 entries, each `index << 4 | mode`, and what has to be noted for them.

    The FPGA counts entries in 6 bits: no entry at all means 64.
    """

    def __init__(self, board: Backplane, gating: Gating) -> None:
        self._board = board
        self._gating = gating
        self._memory = [0] * ENTRIES
        self._address = 0
        self._last_word = 0
        self._columns: dict[int, RecordedColumn] = {}
        self._values: list[tuple[list[int], WireSource]] = []
        self._bits: list[int] = []
        # Where the words of an entry are found; None for an entry that does not exist.
        self._places: list[tuple[list[int], int] | None] = []
        self._compiled = False

    @property
    def length(self) -> int:
        return self._address or ENTRIES

    def restart(self) -> None:
        self._address = 0
        self._compiled = False

    def add(self, entry: int) -> None:
        self._memory[self._address] = entry & 0x3FF
        self._address = (self._address + 1) % ENTRIES
        self._compiled = False

    def prepare(self, tick: int) -> None:
        """Begin to follow what the entries need, from period `tick` on."""
        if self._compiled:
            return
        for column in self._columns.values():
            column.stop()
        self._columns, self._values, self._bits = {}, [], []
        self._places = [self._place(entry, tick) for entry in self._memory[: self.length]]
        self._compiled = True

    def _place(self, entry: int, tick: int) -> tuple[list[int], int] | None:
        index, mode = entry >> 4 & 0x1F, entry & 0xF
        if entry & EXTERNAL:
            return self._external(index & 0xF)
        if mode >= MODES:
            return None
        source = self._board.positions.get(index, ZERO)
        if mode == VALUE:
            self._values.append(([0], source))
            return self._values[-1][0], 0
        if index not in self._columns:
            self._columns[index] = _column(self._board, source, tick)
        return self._columns[index].words, mode

    def _external(self, index: int) -> tuple[list[int], int] | None:
        if index >= WORDS:
            return None
        if index >= BITS:
            self._bits.append(index)
        return self._gating.words, index

    def step(self, tick: int, on: bool, gate: int, pulse: bool, shift: int) -> None:
        """Take in period `tick`; the arguments are those of `RecordedColumn.step`."""
        for column in self._columns.values():
            column.step(tick, on, gate, pulse, shift)
        if pulse:
            self._capture(tick - 1)

    def _capture(self, tick: int) -> None:
        for words, source in self._values:
            words[0] = source.value_at(tick) & 0xFFFF_FFFF
        for index in self._bits:
            self._gating.words[index] = self._quadrant((index - BITS) * QUADRANT, tick)

    def _quadrant(self, first: int, tick: int) -> int:
        bits = self._board.bits
        return sum(
            bits[first + bit].value_at(tick) << bit
            for bit in range(QUADRANT)
            if first + bit in bits
        )

    def row(self) -> list[int]:
        """Collect the words of the last capture."""
        row = []
        for place in self._places:
            if place is not None:
                self._last_word = place[0][place[1]]
            row.append(self._last_word)
        return row


def _column(board: Backplane, source: WireSource, tick: int) -> RecordedColumn:
    if isinstance(source, Motion):
        return AskedColumn(board, source, tick)
    return RecordedColumn(board, source, tick)
