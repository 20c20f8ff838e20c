"""Values instead of text: what a script can do with each field and attribute.

Built on the tables of `panda_ioc.device`, so that a script and a PV see the same values. Where a PV
has an index, a script has a label: enums, muxes and units are text, checked before it is sent.
"""

import difflib
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from panda_ioc.device.codecs import CODECS, TEXT, Codec, CodecName, IntCodec, Value, label_at
from panda_ioc.device.kinds import RW, Access, AttributeKind, R
from panda_ioc.device.model import Device, Field
from panda_ioc.device.tables import TableLayout
from panda_ioc.errors import BadValue
from panda_ioc.protocol.responses import FieldInfo, TableFieldInfo

log = logging.getLogger(__name__)

_SHOWN_CHOICES = 16

_INFO = AttributeKind("INFO", R, CodecName.TEXT, "Type of the field")
_RAW = AttributeKind("RAW", RW, CodecName.RAW, "Value as the hardware has it")
_MORE: Mapping[str, tuple[AttributeKind, ...]] = MappingProxyType(
    {
        "uint": (AttributeKind("MAX", R, CodecName.RAW, "Largest value"),),
        "scalar": (
            _RAW,
            AttributeKind("UNITS", R, CodecName.TEXT, "Units of the value"),
            AttributeKind("SCALE", R, CodecName.DOUBLE, "Value of one step"),
            AttributeKind("OFFSET", R, CodecName.DOUBLE, "Value of raw 0"),
        ),
        "lut": (AttributeKind("RAW", R, CodecName.TEXT, "Function as a number"),),
        "time": (AttributeKind("RAW", RW, CodecName.RAW, "Clock ticks"),),
        "bit_out": (
            AttributeKind("CAPTURE_WORD", R, CodecName.TEXT, "Field that captures it"),
            AttributeKind("OFFSET", R, CodecName.RAW, "Its bit in there"),
        ),
        "bit_mux": (AttributeKind("MAX_DELAY", R, CodecName.RAW, "Longest DELAY"),),
        "pos_out": (AttributeKind("SCALED", R, CodecName.DOUBLE, "Value in UNITS"),),
        "table": (
            AttributeKind("MAX_LENGTH", R, CodecName.RAW, "Words that it has room for"),
            AttributeKind("LENGTH", R, CodecName.RAW, "Words that it holds"),
            AttributeKind("ROW_WORDS", R, CodecName.RAW, "Words of a row"),
            AttributeKind("MODE", R, CodecName.TEXT, "How it is used"),
        ),
    }
)
"""Type or subtype -> attributes that the bridge does not follow, but a script may ask for."""


class SwitchCodec(Codec):
    """A bit, as False or True."""

    def decode(self, text: str) -> bool:
        return bool(CODECS[CodecName.BIT].decode(text))

    def encode(self, value: Value) -> str:
        return CODECS[CodecName.BIT].encode(value)


@dataclass(frozen=True)
class LabelCodec(Codec):
    """One of some labels, which may also be given by its index."""

    labels: Sequence[str]

    def decode(self, text: str) -> str:
        return text

    def encode(self, value: Value) -> str:
        if isinstance(value, str):
            check_choice(value, self.labels)
            return value
        return label_at(self.labels, value)


@dataclass(frozen=True)
class CaptureCodec(Codec):
    """A set of capture options in any order, separated by spaces; "No" alone for none."""

    options: Sequence[str]

    def decode(self, text: str) -> str:
        return text

    def encode(self, value: Value) -> str:
        for word in str(value).split():
            check_choice(word, self.options)
        return str(value)


# Instead of, or besides, those of a PV; codecs of choices are made for each field.
_CODECS: Mapping[CodecName, Codec] = MappingProxyType(
    {
        **CODECS,
        CodecName.BIT: SwitchCodec(),
        CodecName.CHOICE: TEXT,
        CodecName.RAW: IntCodec(-(1 << 63), (1 << 63) - 1),
    }
)
_CHOICE_CODECS: Mapping[CodecName, Callable[[Sequence[str]], Codec]] = MappingProxyType(
    {CodecName.CHOICE: LabelCodec, CodecName.MUX: LabelCodec, CodecName.CAPTURE: CaptureCodec}
)


def check_choice(value: str, choices: Sequence[str]) -> None:
    """Raise `BadValue` unless the value is a choice; the message lists choices, or similar ones."""
    if value in choices:
        return
    if len(choices) <= _SHOWN_CHOICES:
        raise BadValue(f"{value!r} is not one of {', '.join(choices)}")
    like = difflib.get_close_matches(value.upper(), choices, 5, 0.4) or choices[:5]
    raise BadValue(f"{value!r} is not one of the {len(choices)} choices, as {', '.join(like)}")


@dataclass(frozen=True, repr=False)
class Node:
    """One field or attribute.

    Attributes:
        wire: its name on the wire, "PULSE1.DELAY.UNITS"
        type: "param time", "bit_mux", ...; of an attribute "attribute"
        access: what may be done with it
        codec: of its value; None if it has none
        choices: what it can be set to; empty if that is not a choice
        description: the PandA's own; empty if it gave none
        units: name on the wire of the units of time that it is in; "" if it is not a time
        layout: of a table; None of others, and of a table that makes no sense
        attributes: by name
    """

    wire: str
    type: str
    access: Access
    codec: Codec | None
    choices: Sequence[str] = ()
    description: str = ""
    units: str = ""
    layout: TableLayout | None = None
    attributes: "Mapping[str, Node]" = field(default_factory=dict)

    def __repr__(self) -> str:
        return self.wire

    def check(self, access: Access) -> None:
        """Raise `BadValue` unless this operation is possible."""
        if access in self.access:
            return
        if self.access is Access.NONE:
            names = ", ".join(self.attributes)
            raise BadValue(f"{self.wire} has no value, only attributes: {names}")
        what = "read" if access is R else "written"
        raise BadValue(f"{self.wire} cannot be {what}")

    def decode(self, text: str) -> Value:
        """Decode the text of the wire; `BadValue` names the field."""
        value: Value = self._named(self._codec.decode, text)
        return value

    def encode(self, value: Value) -> str:
        """Encode a value as text; `BadValue` names the field."""
        text: str = self._named(self._codec.encode, value)
        return text

    @property
    def _codec(self) -> Codec:
        if self.codec is None:
            raise BadValue(f"{self.wire} has no value of one line")
        return self.codec

    def _named(self, convert: Any, value: Any) -> Any:
        try:
            return convert(value)
        except BadValue as error:
            raise BadValue(f"{self.wire}: {error}") from None
        except (TypeError, ValueError, ArithmeticError) as error:
            raise BadValue(f"{self.wire}: {value!r} cannot be sent: {error}") from error


def field_node(device: Device, found: Field) -> Node:
    """The node of one field."""
    info, kind = found.info, found.kind
    attributes = {a.name: _attribute_node(device, found, a) for a in _attributes(found)}
    is_time = kind.codec is CodecName.TIME and "UNITS" in attributes
    choices = _choices(info)
    return Node(
        found.wire,
        " ".join(filter(None, (info.type, info.subtype))),
        kind.access,
        _codec(kind.codec, choices),
        choices,
        info.description or "",
        f"{found.wire}.UNITS" if is_time else "",
        _layout(found.wire, info) if isinstance(info, TableFieldInfo) else None,
        attributes,
    )


def _attributes(found: Field) -> Iterator[AttributeKind]:
    yield from found.kind.attributes
    yield from _MORE.get(found.info.subtype or found.info.type, ())
    yield _INFO


def _attribute_node(device: Device, found: Field, kind: AttributeKind) -> Node:
    choices: Sequence[str] = ()
    if kind.codec is CodecName.CHOICE:
        choices = getattr(found.info, "units_labels", ())
    elif kind.codec is CodecName.CAPTURE:
        choices = _capture_options(device, found.info)
    codec = _codec(kind.codec, choices)
    return Node(found.attribute(kind), "attribute", kind.access, codec, choices, kind.description)


def _capture_options(device: Device, info: FieldInfo) -> Sequence[str]:
    """Return the words of CAPTURE: the usual ones and, for positions, those the PandA lists."""
    words = " ".join(getattr(info, "capture_labels", ())).split()
    more = device.capture_options if info.type == "pos_out" else ()
    return tuple(dict.fromkeys([*words, *more]))


def _choices(info: FieldInfo) -> Sequence[str]:
    return tuple(getattr(info, "labels", None) or ())


def _codec(name: CodecName | None, choices: Sequence[str]) -> Codec | None:
    if name is None:
        return None
    if choices and name in _CHOICE_CODECS:
        return _CHOICE_CODECS[name](choices)
    return _CODECS.get(name)


def _layout(wire: str, info: TableFieldInfo) -> TableLayout | None:
    try:
        return TableLayout.from_info(info, wire)
    except BadValue as error:
        log.warning("%s; it cannot be read or written as rows", error)
        return None
