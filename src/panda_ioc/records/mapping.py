"""The one table that says which record serves a value: codec x access -> record.

A row gives the EPICS record type and fields. What depends on the field, as states that may not fit,
and limits and units that introspection found, is added in `device_records`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

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

INPUTS: Mapping[str, RecordKind] = MappingProxyType(
    {
        "uint": RecordKind("ai", _WHOLE),
        "int": RecordKind("longin"),
        "delay": RecordKind("longin"),
        "position": RecordKind("longin"),
        "scalar": RecordKind("ai", _REAL),
        "double": RecordKind("ai", _REAL),
        "time": RecordKind("ai", _REAL),
        "bit": RecordKind("bi", labels=_BIT),
        "action": RecordKind("bi", labels=_BIT),
        "lut": RecordKind("stringin"),
        "choice": RecordKind("stringin"),
        "mux": RecordKind("stringin"),
        "text": RecordKind("stringin"),
        "capture": RecordKind("stringin"),
    }
)

OUTPUTS: Mapping[str, RecordKind] = MappingProxyType(
    {
        "uint": RecordKind("ao", _WHOLE),
        "int": RecordKind("longout"),
        "delay": RecordKind("longout"),
        "position": RecordKind("longout"),
        "scalar": RecordKind("ao", _REAL, settle=Settle.READ_BACK),
        "double": RecordKind("ao", _REAL, settle=Settle.READ_BACK),
        "time": RecordKind("ao", _REAL, settle=Settle.READ_BACK),
        "bit": RecordKind("bo", labels=_BIT),
        "action": RecordKind("bo"),
        "lut": RecordKind("stringout", settle=Settle.READ_BACK),
        "choice": RecordKind("mbbo"),
        "mux": RecordKind("stringout"),
        "text": RecordKind("stringout", settle=Settle.READ_BACK),
        "capture": RecordKind("mbbo", settle=Settle.POLL),
    }
)

# Digits after the point that show one clock tick, for each unit of time.
TIME_PREC: Mapping[str, int] = MappingProxyType({"min": 9, "s": 9, "ms": 6, "us": 3})
