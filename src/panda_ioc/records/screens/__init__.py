"""Phoebus screens, made from the same specifications as the records.

The same device gives the same files, byte for byte. Screens take the macro P, the prefix; those of
blocks of which there are several take B too, the block.
"""

import re
from collections.abc import Iterator

from panda_ioc.device.model import Block, Device
from panda_ioc.records.build import RecordSet
from panda_ioc.records.screens.blocks import BlockScreen, block_name
from panda_ioc.records.screens.buses import bit_cells, position_cells
from panda_ioc.records.screens.controls import Served
from panda_ioc.records.screens.index import index_cells
from panda_ioc.records.screens.layout import Cell, Strip, screen
from panda_ioc.records.screens.panels import capture_cells, health_cells

__all__ = ["INDEX", "make_screens"]

INDEX = "index.bob"
CAPTURE, POSITIONS, BITS, HEALTH = "capture.bob", "positions.bob", "bit-bus.bob", "health.bob"
_FILE_NAME = re.compile(r"\w+", re.ASCII)


def make_screens(device: Device, records: RecordSet) -> dict[str, str]:
    """File name -> content, for all screens of a device."""
    served = Served(records)
    others: dict[str, tuple[str, list[Cell]]] = {
        CAPTURE: ("Capture", capture_cells(device, served)),
        POSITIONS: ("Positions", position_cells(device, served)),
        BITS: ("Bits", bit_cells(device, served)),
        HEALTH: ("Health", health_cells(device, served)),
    }
    links = {title: file for file, (title, _) in others.items()}
    files = {INDEX: ("PandA", index_cells(device, served, links)), **others}
    for block in _types(device):
        shown = Served(records, block.wire, block_name(block))
        blocks = BlockScreen(block, shown, records.tables, CAPTURE)
        files[f"{block.type}.bob"] = (block_name(block), blocks.cells())
    return {
        file: screen(
            file.removesuffix(".bob"),
            f"{title}  $(P)",
            _strip(served, "" if file == INDEX else INDEX),
            cells,
            records.prefix,
        )
        for file, (title, cells) in files.items()
    }


def _types(device: Device) -> Iterator[Block]:
    """The first block of each type; not of one whose name no file could have."""
    seen: set[str] = set()
    for block in device.blocks:
        if block.type not in seen and _FILE_NAME.fullmatch(block.type):
            yield block
        seen.add(block.type)


def _strip(served: Served, index: str) -> Strip:
    health, armed = "PCAP:HEALTH", "PCAP:ARM"
    return Strip(
        status=served.pv("STATUS"),
        health=served.pv(health) if served.find(health) else "",
        armed=served.pv(armed) if served.find(armed) else "",
        index=index,
    )
