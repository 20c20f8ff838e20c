"""`MUX:SOURCE`: the present value of what a mux is wired to, whichever that is.

A screen shows it beside the choice, so that one sees whether a block gets what it waits for.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from panda_ioc.device.model import Device, Field
from panda_ioc.records.specs import RecordSpec, pv_name

SOURCE = "SOURCE"

CONSTANTS: Mapping[str, str] = MappingProxyType({"ZERO": "0", "ONE": "1"})
"""Choices of a mux that are no field, and their values."""

_BIT, _POSITION = "bit_mux", "pos_mux"


def muxes(device: Device) -> Iterator[Field]:
    """Yield the fields that are wired to a bit or a position."""
    return (f for f in device.fields.values() if f.info.type in (_BIT, _POSITION))


def source_name(field: Field) -> str:
    """Return the record, without prefix, that shows the value of a mux's source."""
    return f"{pv_name(field.wire)}:{SOURCE}"


def source_records(device: Device) -> Iterator[RecordSpec]:
    """Return one record per mux: a bit, or a position in counts, as the block gets it."""
    for field in muxes(device):
        is_bit = field.info.type == _BIT
        yield RecordSpec(
            name=source_name(field),
            rtype="bi" if is_bit else "longin",
            desc=f"{field.name}: what its source is now",
            labels=("0", "1") if is_bit else (),
        )
