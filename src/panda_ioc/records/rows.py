"""`POSITIONS:n:*` and `BITS:n:*`: the buses of the PandA as rows, for tables on a screen.

A row is a name and aliases of the records of a field: positions sorted by name, bits in the order
of the bus.
"""

from collections.abc import Iterator, Mapping
from typing import cast

from panda_ioc.device.model import Device
from panda_ioc.protocol.responses import ExtOutBitsFieldInfo
from panda_ioc.records.specs import RecordSpec, pv_name

BITS_PER_WORD = 32

_POSITION_COLUMNS = {
    "VAL": "SCALED",
    "CAPTURE": "CAPTURE",
    "DATASET": "DATASET",
    "SCALE": "SCALE",
    "OFFSET": "OFFSET",
    "UNITS": "UNITS",
}


def row_aliases(device: Device) -> Mapping[str, tuple[str, ...]]:
    """Return the aliases in the rows, by record name."""
    aliases: dict[str, tuple[str, ...]] = {}
    for alias, name in (*_position_aliases(device), *_bit_aliases(device)):
        aliases[name] = (*aliases.get(name, ()), alias)
    return aliases


def row_names(device: Device) -> Iterator[RecordSpec]:
    """Return the NAME record of each row."""
    for row, field in enumerate(device.positions):
        yield _name(f"POSITIONS:{row}:NAME", field.wire)
    for row, bit in _bits(device):
        yield _name(f"BITS:{row}:NAME", bit)


def _name(name: str, wire: str) -> RecordSpec:
    return RecordSpec(name=name, rtype="stringin", desc="What this row shows", value=wire)


def _position_aliases(device: Device) -> Iterator[tuple[str, str]]:
    for row, field in enumerate(device.positions):
        for column, attribute in _POSITION_COLUMNS.items():
            yield f"POSITIONS:{row}:{column}", f"{pv_name(field.wire)}:{attribute}"


def _bit_aliases(device: Device) -> Iterator[tuple[str, str]]:
    for row, bit in _bits(device):
        yield f"BITS:{row}:VAL", pv_name(bit)
    for number, word in enumerate(device.bit_words):
        for bit_number in range(BITS_PER_WORD):
            row = number * BITS_PER_WORD + bit_number
            yield f"BITS:{row}:CAPTURE", f"{pv_name(word.wire)}:CAPTURE"


def _bits(device: Device) -> Iterator[tuple[int, str]]:
    for number, word in enumerate(device.bit_words):
        for bit_number, bit in enumerate(cast(ExtOutBitsFieldInfo, word.info).bits):
            if bit in device.fields:
                yield number * BITS_PER_WORD + bit_number, bit
