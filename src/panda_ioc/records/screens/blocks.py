"""The screen of a block: one line for each field, what belongs together side by side.

Blocks of one type share a screen, whose macro B is the block. What comes in is at the left, what
comes out at the right, positions and tables over the whole width below.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from panda_ioc.device.model import Block, Field
from panda_ioc.device.tables import TableLayout
from panda_ioc.records.screens.controls import (
    BLOCK,
    CONTROL,
    EXT_COLUMNS,
    NAME,
    POSITION_COLUMNS,
    Columns,
    ScreenRecords,
    heading,
    name_width,
)
from panda_ioc.records.screens.layout import (
    GAP,
    MARGIN,
    TOP,
    Cell,
    Row,
    Section,
    place_column,
    place_columns,
)
from panda_ioc.records.screens.tables import table_section
from panda_ioc.records.screens.widgets import Label, Open, Widget, WriteButton
from panda_ioc.records.sources import SOURCE
from panda_ioc.records.specs import pv_name

UNITS, DELAY = 90, 70
_SETTINGS = ("param", "write", "time")
_MUXES = ("bit_mux", "pos_mux")


@dataclass(frozen=True)
class BlockScreen:
    """What is on the screen of a type of blocks.

    Attributes:
        block: the first block of that type
        served: the records
        tables: columns of tables, by name on the wire
        capture: file of the screen for capture
    """

    block: Block
    served: ScreenRecords
    tables: Mapping[str, TableLayout]
    capture: str

    def cells(self) -> list[Cell]:
        inputs = [f for f in self.block.fields if f.info.type in _MUXES]
        settings = [f for f in self.block.fields if f.info.type in _SETTINGS]
        bits = [f for f in self.block.fields if f.info.type == "bit_out"]
        positions = [f for f in self.block.fields if f.info.type == "pos_out"]
        others = [f for f in self.block.fields if f.info.type == "ext_out"]
        tables = [f for f in self.block.fields if f.wire in self.tables]
        shown = (*inputs, *settings, *bits, *positions, *others, *tables)
        status = [f for f in self.block.fields if f not in shown]
        top, y = place_column([Section(self._description, tuple(self._label()))], MARGIN, TOP)
        middle, y = place_columns(
            [
                [
                    Section("Inputs", tuple(self._inputs(inputs))),
                    Section("Settings", tuple(self._settings(settings))),
                ],
                [
                    Section("Status", tuple(self._values(status, CONTROL + 60))),
                    Section("Outputs", tuple(self._values(bits, CONTROL))),
                ],
            ],
            y,
        )
        below = [
            Section("Positions", tuple(self._grid(positions, POSITION_COLUMNS))),
            Section("Captured", tuple(self._grid(others, EXT_COLUMNS))),
            *(table_section(self.served, f, self.tables[f.wire]) for f in tables),
        ]
        return [*top, *middle, *place_column(below, MARGIN, y)[0]]

    @property
    def _description(self) -> str:
        return self.block.description or self.block.type

    def _label(self) -> Iterable[Row]:
        name = f"{self.block.wire}:LABEL"
        if self.served.find(name):
            yield [Label(text="Label", width=NAME), self.served.control(name, 300)]
        if self.served.find(f"{self.block.wire}:ARM"):
            pv = self.served.pv(f"{self.block.wire}:ARM")
            yield [
                Label(text="Capture", width=NAME),
                WriteButton(pv=pv, text="Arm", value="1", width=80),
                WriteButton(pv=pv, text="Disarm", value="0", width=80),
                Open(text="Files and live data", file=self.capture, width=150),
            ]

    def _inputs(self, fields: Sequence[Field]) -> Iterable[Row]:
        if not fields:
            return
        width = name_width([f.name for f in fields])
        delays = any(self.served.find(f"{pv_name(f.wire)}:DELAY") for f in fields)
        yield [
            width,
            heading("source", CONTROL),
            heading("now", UNITS),
            *([heading("delay", DELAY)] if delays else []),
        ]
        for field in fields:
            name = pv_name(field.wire)
            now = self.served.control(f"{name}:{SOURCE}", UNITS)
            gap = UNITS - now.width - GAP if isinstance(now, Widget) else 0
            delay = self.served.control(f"{name}:DELAY", DELAY)
            yield [
                *self.served.line(name, field.name, width),
                now,
                *([gap] if gap > 0 else []),
                *([delay] if delays else []),
            ]

    def _settings(self, fields: Sequence[Field]) -> Iterable[Row]:
        width = name_width([f.name for f in fields])
        for field in fields:
            name = pv_name(field.wire)
            label, control = self.served.line(name, field.name, width)
            if self.served.find(f"{name}:UNITS"):
                units = self.served.control(f"{name}:UNITS", UNITS)
                yield [label, self.served.number(name, CONTROL), units]
            else:
                yield [label, control]

    def _values(self, fields: Sequence[Field], size: int) -> Iterable[Row]:
        width = name_width([f.name for f in fields])
        for field in fields:
            yield self.served.line(pv_name(field.wire), field.name, width, size)

    def _grid(self, fields: Sequence[Field], columns: Columns) -> Iterable[Row]:
        size = name_width([f.name for f in fields])
        return self.served.grid({f.name: f for f in fields}, columns, size)


def block_name(block: Block) -> str:
    """Return what a block is called on the screen of its type."""
    return block.wire if block.number is None else BLOCK
