"""The one table that says what each type of PandA field is.

A row gives, for a (type, subtype) of the wire: whether it can be read and written, the codec of its
value, and its attributes. An attribute is a row like any other, one level down. Types are those
that a PandA server 4.1 can announce. Other types, of newer servers, are `UNKNOWN`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Flag, auto
from types import MappingProxyType

from panda_ioc.device.codecs import CodecName
from panda_ioc.protocol.responses import FieldInfo


class Access(Flag):
    """What clients of the PandA may do with a value."""

    NONE = 0
    READ = auto()
    WRITE = auto()
    READ_WRITE = READ | WRITE


R, W, RW = Access.READ, Access.WRITE, Access.READ_WRITE


@dataclass(frozen=True, slots=True)
class AttributeKind:
    """One attribute of a field.

    Attributes:
        name: on the wire
        access: what may be done with it
        codec: of its value
        description: for clients
    """

    name: str
    access: Access
    codec: CodecName
    description: str


@dataclass(frozen=True, slots=True)
class FieldKind:
    """One row of the table.

    Attributes:
        access: what may be done with the value
        codec: of its value; None for fields without a value
        attributes: that the bridge follows: all are listed by ``*CHANGES?``
    """

    access: Access
    codec: CodecName | None
    attributes: tuple[AttributeKind, ...] = ()


_TIME_UNITS = AttributeKind("UNITS", RW, CodecName.CHOICE, "Units of time setting")
_CAPTURE = AttributeKind("CAPTURE", RW, CodecName.CAPTURE, "What is captured of it")
_DELAY = AttributeKind("DELAY", RW, CodecName.DELAY, "Clock ticks by which the input is delayed")
_POSITION = (
    _CAPTURE,
    AttributeKind("OFFSET", RW, CodecName.DOUBLE, "Offset of the scaled position"),
    AttributeKind("SCALE", RW, CodecName.DOUBLE, "Scale of the scaled position"),
    AttributeKind("UNITS", RW, CodecName.TEXT, "Units of the scaled position"),
)
_TABLE = (AttributeKind("QUEUED_LINES", R, CodecName.UINT, "Rows waiting to be used"),)

# subtype -> codec and attributes, the same under param, read and write
_SUBTYPES: Mapping[str, tuple[CodecName, tuple[AttributeKind, ...]]] = {
    "uint": (CodecName.UINT, ()),
    "int": (CodecName.INT, ()),
    "scalar": (CodecName.SCALAR, ()),
    "bit": (CodecName.BIT, ()),
    "action": (CodecName.ACTION, ()),
    "lut": (CodecName.LUT, ()),
    "enum": (CodecName.CHOICE, ()),
    "time": (CodecName.TIME, (_TIME_UNITS,)),
}
_TYPES = {"param": RW, "read": R, "write": W}

KINDS: Mapping[tuple[str, str | None], FieldKind] = MappingProxyType(
    {
        (type_, subtype): FieldKind(access, codec, attributes)
        for type_, access in _TYPES.items()
        for subtype, (codec, attributes) in _SUBTYPES.items()
    }
    | {
        ("time", None): FieldKind(RW, CodecName.TIME, (_TIME_UNITS,)),
        ("bit_out", None): FieldKind(R, CodecName.BIT),
        ("pos_out", None): FieldKind(R, CodecName.POSITION, _POSITION),
        ("ext_out", "timestamp"): FieldKind(Access.NONE, None, (_CAPTURE,)),
        ("ext_out", "samples"): FieldKind(Access.NONE, None, (_CAPTURE,)),
        ("ext_out", "bits"): FieldKind(Access.NONE, None, (_CAPTURE,)),
        ("bit_mux", None): FieldKind(RW, CodecName.MUX, (_DELAY,)),
        ("pos_mux", None): FieldKind(RW, CodecName.MUX),
        ("table", None): FieldKind(RW, CodecName.TABLE, _TABLE),
    }
)

UNKNOWN = FieldKind(R, CodecName.TEXT)


def kind_of(info: FieldInfo) -> FieldKind:
    """The row for a field; `UNKNOWN` for types that this version has never heard of."""
    return KINDS.get((info.type, info.subtype), UNKNOWN)


# type or subtype -> attributes that can only be read and are not followed, as they never change
_ONLY_READ: Mapping[str, tuple[str, ...]] = {
    "uint": ("MAX",),
    "scalar": ("UNITS", "SCALE", "OFFSET"),
    "lut": ("RAW",),
    "enum": ("LABELS",),
    "bit_out": ("CAPTURE_WORD", "OFFSET"),
    "bit_mux": ("MAX_DELAY",),
    "pos_out": ("SCALED",),
    "bits": ("BITS",),
    "table": ("MAX_LENGTH", "LENGTH", "B", "FIELDS", "ROW_WORDS", "MODE"),
}


def is_read_only(info: FieldInfo, attribute: str = "") -> bool:
    """True if nobody can write the field, or one of its attributes; False if that is not known."""
    kind = kind_of(info)
    if kind is UNKNOWN:
        return False
    if not attribute:
        return Access.WRITE not in kind.access
    if attribute == "INFO" or attribute in _ONLY_READ.get(info.subtype or info.type, ()):
        return True
    return any(each.name == attribute and each.access is R for each in kind.attributes)
