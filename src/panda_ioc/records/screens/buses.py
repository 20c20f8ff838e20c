"""The buses of the PandA: all positions, and all bits by the words in which they are captured."""

from typing import cast

from panda_ioc.device.model import Device, Field
from panda_ioc.protocol.responses import ExtOutBitsFieldInfo
from panda_ioc.records.screens.controls import POSITION_COLUMNS, ScreenRecords
from panda_ioc.records.screens.layout import (
    MARGIN,
    TOP,
    Cell,
    Row,
    Section,
    place_columns,
    place_rows,
)
from panda_ioc.records.screens.text import width
from panda_ioc.records.screens.widgets import HEAD, Label
from panda_ioc.records.specs import pv_name

NAME, LONGEST_NAME = 160, 400


def position_cells(device: Device, served: ScreenRecords) -> list[Cell]:
    """Return one line for each position."""
    if not device.positions:
        return []
    widest = max(width(field.wire) for field in device.positions) + 4
    name_width = min(max(NAME, widest), LONGEST_NAME)
    fields = {field.wire: field for field in device.positions}
    return place_rows(served.grid(fields, POSITION_COLUMNS, name_width), MARGIN, TOP)[0]


def bit_cells(device: Device, served: ScreenRecords) -> list[Cell]:
    """Return a column for each word."""
    columns = [[_word(served, word)] for word in device.bit_words]
    return place_columns(columns, TOP)[0]


def _word(served: ScreenRecords, word: Field) -> Section:
    name = pv_name(word.wire)
    bits = cast(ExtOutBitsFieldInfo, word.info).bits
    size = max([width(bit) + 4 for bit in bits], default=0)
    rows: list[Row] = [
        [Label(text="capture", width=60), served.control(f"{name}:CAPTURE", 140)],
        [Label(text="dataset", width=60), served.control(f"{name}:DATASET", 140)],
    ]
    for number, bit in enumerate(bits):
        if served.find(pv_name(bit)):
            rows.append(
                [
                    Label(text=str(number), width=20, colour=HEAD),
                    served.control(pv_name(bit), 18),
                    Label(text=bit, width=size),
                ]
            )
    return Section(word.wire, tuple(rows))
