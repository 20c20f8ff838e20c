"""Phoebus screens, made from the same specifications as the records.

The same device gives the same files, byte for byte. Screens take the macro P, the prefix; those of
blocks of which there are several take B too, the block.
"""

import re

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
    return {
        file: screen(title, widest, _strip(records, file), cells, records.prefix)
        for file, (title, widest, cells) in _screens(device, records).items()
    }


def _screens(device: Device, records: RecordSet) -> dict[str, tuple[str, str, list[Cell]]]:
    """File name -> title, the longest that it can be with macros replaced, and widgets."""
    served = Served(records)
    own = {
        CAPTURE: ("Capture", capture_cells(device, served)),
        POSITIONS: ("Positions", position_cells(device, served)),
        BITS: ("Bits", bit_cells(device, served)),
        HEALTH: ("Health", health_cells(device, served)),
    }
    single = [block.wire for block in device.blocks if block.number is None]
    own = {file: page for file, page in own.items() if page[1]}
    links = {title: file for file, (title, _) in own.items()}
    links |= {name: f"{name}.bob" for name in ("PCAP", "SYSTEM") if name in single}
    found = {INDEX: ("PandA", "PandA", index_cells(device, served, links))}
    found |= {file: (title, title, cells) for file, (title, cells) in own.items()}
    for type_, blocks in _types(device).items():
        name = block_name(blocks[0])
        shown = Served(records, blocks[0].wire, name)
        cells = BlockScreen(blocks[0], shown, records.tables, CAPTURE).cells()
        found[f"{type_}.bob"] = (name, blocks[-1].wire, cells)
    return found


def _types(device: Device) -> dict[str, list[Block]]:
    """Blocks by their type, without those whose name no file could have."""
    found: dict[str, list[Block]] = {}
    for block in device.blocks:
        if _FILE_NAME.fullmatch(block.type):
            found.setdefault(block.type, []).append(block)
    return found


def _strip(records: RecordSet, file: str) -> Strip:
    served = Served(records)
    health, armed = "PCAP:HEALTH", "PCAP:ARM"
    return Strip(
        status=served.pv("STATUS"),
        health=served.pv(health) if served.find(health) else "",
        armed=served.pv(armed) if served.find(armed) else "",
        index="" if file == INDEX else INDEX,
    )
