"""Phoebus screens, made from the same specifications as the records.

The same device gives the same files, byte for byte. Screens take the macro P, the prefix; those of
blocks of which there are several take B too, the block.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from panda_ioc.device.model import Block, Device
from panda_ioc.records import own
from panda_ioc.records.build import RecordSet
from panda_ioc.records.screens.blocks import BlockScreen, block_name
from panda_ioc.records.screens.buses import bit_cells, position_cells
from panda_ioc.records.screens.controls import ScreenRecords
from panda_ioc.records.screens.index import index_cells
from panda_ioc.records.screens.layout import Cell, Strip, screen
from panda_ioc.records.screens.panels import capture_cells, design_cells, health_cells

__all__ = ["INDEX", "make_screens"]

INDEX = "index.bob"
CAPTURE, POSITIONS, BITS = "capture.bob", "positions.bob", "bit-bus.bob"
DESIGNS, HEALTH = "designs.bob", "health.bob"
_FILE_NAME = re.compile(r"\w+", re.ASCII)


@dataclass(frozen=True)
class _Page:
    """What is on a screen.

    Attributes:
        title: perhaps with macros
        cells: widgets and their places
        widest: the longest title once macros are replaced; "" if it has none
        macros: apart from P
    """

    title: str
    cells: list[Cell]
    widest: str = ""
    macros: Mapping[str, str] = field(default_factory=dict)


def make_screens(device: Device, records: RecordSet) -> dict[str, str]:
    """Return the content of all screens of a device, by file name."""
    return {
        file: screen(
            page.title,
            page.widest or page.title,
            _strip(records, file),
            page.cells,
            {"P": records.prefix, **page.macros},
        )
        for file, page in _pages(device, records).items()
    }


def _pages(device: Device, records: RecordSet) -> dict[str, _Page]:
    """Return the pages, by file name."""
    served = ScreenRecords(records)
    own = {
        CAPTURE: _Page("Capture", capture_cells(device, served)),
        POSITIONS: _Page("Positions", position_cells(device, served)),
        BITS: _Page("Bits", bit_cells(device, served)),
        DESIGNS: _Page("Designs", design_cells(served)),
        HEALTH: _Page("Health", health_cells(device, served)),
    }
    own = {file: page for file, page in own.items() if page.cells}
    links = {page.title: file for file, page in own.items()}
    single = [block.wire for block in device.blocks if block.number is None]
    links |= {name: f"{name}.bob" for name in ("PCAP", "SYSTEM") if name in single}
    return {
        INDEX: _Page("PandA", index_cells(device, served, links)),
        **own,
        **{f"{type_}.bob": _block(blocks, records) for type_, blocks in _types(device).items()},
    }


def _block(blocks: list[Block], records: RecordSet) -> _Page:
    """Return the screen of one type of block."""
    first, name = blocks[0], block_name(blocks[0])
    cells = BlockScreen(
        first, ScreenRecords(records, first.wire, name), records.tables, CAPTURE
    ).cells()
    return _Page(name, cells, blocks[-1].wire, {} if first.number is None else {"B": first.wire})


def _types(device: Device) -> dict[str, list[Block]]:
    """Return the blocks by type, except those whose name no file could have."""
    found: dict[str, list[Block]] = {}
    for block in device.blocks:
        if _FILE_NAME.fullmatch(block.type):
            found.setdefault(block.type, []).append(block)
    return found


def _strip(records: RecordSet, file: str) -> Strip:
    served = ScreenRecords(records)
    health, armed = "PCAP:HEALTH", own.PCAP_ARM
    return Strip(
        status=served.pv(own.STATUS),
        health=served.pv(health) if served.find(health) else "",
        armed=served.pv(armed) if served.find(armed) else "",
        index="" if file == INDEX else INDEX,
    )
