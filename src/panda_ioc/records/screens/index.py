"""The index: every block with its label, whether it is well and active; and the other screens."""

from collections.abc import Iterable, Iterator, Mapping

from panda_ioc.device.model import Block, Device
from panda_ioc.records.screens.controls import ScreenRecords
from panda_ioc.records.screens.layout import GAP, MARGIN, MAX_WIDTH, TOP, Cell, Row, place_rows
from panda_ioc.records.screens.text import width
from panda_ioc.records.screens.widgets import DOT, LINE, Dot, Led, Open, Update, Widget
from panda_ioc.records.sources import SOURCE
from panda_ioc.records.specs import pv_name

LABEL = 110
_ACTIVITY = ("ACTIVE", "OUT", "VAL", "CONN")
"""Bits that tell best what a block does; the first of them that it has is shown."""


def index_cells(device: Device, served: ScreenRecords, screens: Mapping[str, str]) -> list[Cell]:
    """Return all widgets of the index; `screens` gives the file of each other screen by title."""
    top: Row = [Open(text=text, file=file, width=110) for text, file in screens.items()]
    rows: list[Row] = [top, [10]]
    types: dict[str, list[Block]] = {}
    for block in device.blocks:
        types.setdefault(block.type, []).append(block)
    button = max((width(block.wire) for block in device.blocks), default=0) + 16
    for blocks in types.values():
        rows += _type_rows(served, blocks, button, _per_line(button))
    return place_rows(rows, MARGIN, TOP)[0]


def _per_line(button: int) -> int:
    """Return how many blocks fit side by side."""
    block = button + 2 * DOT + LABEL + 4 * GAP
    return max(1, (MAX_WIDTH - 2 * MARGIN + GAP) // block)


def _type_rows(
    served: ScreenRecords, blocks: list[Block], button: int, per_line: int
) -> Iterator[Row]:
    for start in range(0, len(blocks), per_line):
        row: list[Widget | int] = []
        for block in blocks[start : start + per_line]:
            row += _block(served, block, button)
        yield row


def _block(served: ScreenRecords, block: Block, button: int) -> Iterable[Widget | int]:
    label = f"{block.wire}:LABEL"
    return [
        Open(
            text=block.wire,
            file=f"{block.type}.bob",
            block="" if block.number is None else block.wire,
            width=button,
            height=LINE,
            tip=block.description or "",
        ),
        _health(served, block),
        _activity(served, block),
        Update(pv=served.pv(label), text=True, width=LABEL) if served.find(label) else LABEL,
    ]


def _health(served: ScreenRecords, block: Block) -> Widget | int:
    name = f"{block.wire}:HEALTH"
    spec = served.find(name)
    if spec and spec.good:
        return Dot(pv=served.pv(name), good=spec.good, tip=f"Health of {block.wire}")
    return DOT


def _activity(served: ScreenRecords, block: Block) -> Widget | int:
    """Return the bit that shows best what a block does."""
    for name in _bits(block):
        spec = served.find(name)
        if spec and spec.rtype == "bi":
            return Led(pv=served.pv(name), tip=name)
    return DOT


def _bits(block: Block) -> Iterator[str]:
    """Return records of bits: outputs first, as they tell most, then inputs."""
    outputs = [f for f in block.fields if f.info.type == "bit_out"]
    outputs.sort(key=lambda f: _ACTIVITY.index(f.name) if f.name in _ACTIVITY else 99)
    yield from (pv_name(f.wire) for f in outputs)
    inputs = [f for f in block.fields if f.info.type == "bit_mux"]
    yield from (f"{pv_name(f.wire)}:{SOURCE}" for f in inputs)
