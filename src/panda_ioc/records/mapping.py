"""The one table that says which record serves a value: codec x access -> record.

A row gives the EPICS record type and fields. What depends on the field, as states that may not fit,
and limits and units that introspection found, is added in `device_records`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from panda_ioc.device.codecs import CodecName
from panda_ioc.records.specs import FieldValue, Settle


@dataclass(frozen=True, slots=True)
class RecordKind:
    """One row: a record type, its fields, and what a put to it waits for."""

    rtype: str
    fields: Mapping[str, FieldValue] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    settle: Settle = Settle.NOTHING


_WHOLE = {"PREC": 0}
_REAL = {"PREC": 6}
_BIT = ("0", "1")

INPUTS: Mapping[CodecName, RecordKind] = MappingProxyType(
    {
        CodecName.UINT: RecordKind("ai", _WHOLE),
        CodecName.INT: RecordKind("longin"),
        CodecName.DELAY: RecordKind("longin"),
        CodecName.POSITION: RecordKind("longin"),
        CodecName.SCALAR: RecordKind("ai", _REAL),
        CodecName.DOUBLE: RecordKind("ai", _REAL),
        CodecName.TIME: RecordKind("ai", _REAL),
        CodecName.BIT: RecordKind("bi", labels=_BIT),
        CodecName.ACTION: RecordKind("bi", labels=_BIT),
        CodecName.LUT: RecordKind("stringin"),
        CodecName.CHOICE: RecordKind("stringin"),
        CodecName.MUX: RecordKind("stringin"),
        CodecName.TEXT: RecordKind("stringin"),
        CodecName.CAPTURE: RecordKind("stringin"),
    }
)

OUTPUTS: Mapping[CodecName, RecordKind] = MappingProxyType(
    {
        CodecName.UINT: RecordKind("ao", _WHOLE),
        CodecName.INT: RecordKind("longout"),
        CodecName.DELAY: RecordKind("longout"),
        CodecName.POSITION: RecordKind("longout"),
        CodecName.SCALAR: RecordKind("ao", _REAL, settle=Settle.READ_BACK),
        CodecName.DOUBLE: RecordKind("ao", _REAL, settle=Settle.READ_BACK),
        CodecName.TIME: RecordKind("ao", _REAL, settle=Settle.READ_BACK),
        CodecName.BIT: RecordKind("bo", labels=_BIT),
        CodecName.ACTION: RecordKind("bo"),
        CodecName.LUT: RecordKind("stringout", settle=Settle.READ_BACK),
        CodecName.CHOICE: RecordKind("mbbo"),
        CodecName.MUX: RecordKind("stringout"),
        CodecName.TEXT: RecordKind("stringout", settle=Settle.READ_BACK),
        CodecName.CAPTURE: RecordKind("mbbo", settle=Settle.POLL),
    }
)

# Digits after the point that show one clock tick, for each unit of time.
TIME_PREC: Mapping[str, int] = MappingProxyType({"min": 9, "s": 9, "ms": 6, "us": 3})
