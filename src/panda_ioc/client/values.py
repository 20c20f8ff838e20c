"""Values instead of text: what a script can do with each field of a PandA, as commands.

Built on the tables of `panda_ioc.device`, so that a script and a PV see the same values. Where a PV
has an index, a script has a label: enums, muxes and units are text, checked before it is sent.
"""

import base64
import binascii
import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from panda_ioc.device.codecs import CODECS, Codec, IntCodec, Value
from panda_ioc.device.kinds import RW, Access, AttributeKind, R
from panda_ioc.device.model import Device, Field
from panda_ioc.device.tables import TableLayout
from panda_ioc.errors import BadValue, ProtocolError
from panda_ioc.protocol._exchange import Exchange, ExchangeGenerator
from panda_ioc.protocol.commands import Append, Command, Put
from panda_ioc.protocol.responses import FieldInfo, TableFieldInfo

Rows = NDArray[Any] | Mapping[str, ArrayLike]
"""A table: a structured array, or its columns by name."""

MICROSECONDS: Mapping[str, int] = MappingProxyType(
    {"us": 1, "ms": 1000, "s": 1_000_000, "min": 60_000_000}
)

_SHOWN_CHOICES = 16
_CODECS: Mapping[str, Codec] = MappingProxyType(
    {**CODECS, "raw": IntCodec(-(1 << 63), (1 << 63) - 1)}
)


def _attribute(name: str, access: Access, codec: str, description: str) -> AttributeKind:
    return AttributeKind(name, access, codec, description, reported=False)


_INFO = _attribute("INFO", R, "text", "Type of the field")
_RAW = _attribute("RAW", RW, "raw", "Value as the hardware has it")
_MORE: Mapping[str, tuple[AttributeKind, ...]] = MappingProxyType(
    {
        "uint": (_attribute("MAX", R, "raw", "Largest value"),),
        "scalar": (
            _RAW,
            _attribute("UNITS", R, "text", "Units of the value"),
            _attribute("SCALE", R, "double", "Value of one step"),
            _attribute("OFFSET", R, "double", "Value of raw 0"),
        ),
        "lut": (_attribute("RAW", R, "text", "Function as a number"),),
        "time": (_attribute("RAW", RW, "raw", "Clock ticks"),),
        "bit_out": (
            _attribute("CAPTURE_WORD", R, "text", "Field that captures it"),
            _attribute("OFFSET", R, "raw", "Its bit in there"),
        ),
        "bit_mux": (_attribute("MAX_DELAY", R, "raw", "Longest DELAY"),),
        "pos_out": (_attribute("SCALED", R, "double", "Value in UNITS"),),
        "table": (
            _attribute("MAX_LENGTH", R, "raw", "Words that it has room for"),
            _attribute("LENGTH", R, "raw", "Words that it holds"),
            _attribute("ROW_WORDS", R, "raw", "Words of a row"),
            _attribute("MODE", R, "text", "How it is used"),
        ),
    }
)
"""Type or subtype -> attributes that the bridge does not follow, but a script may ask for."""


class SwitchCodec(Codec):
    """A bit, as False or True."""

    def decode(self, text: str) -> bool:
        return bool(CODECS["bit"].decode(text))

    def encode(self, value: Value) -> str:
        return CODECS["bit"].encode(int(value) if isinstance(value, bool) else value)


@dataclass(frozen=True)
class LabelCodec(Codec):
    """One of some labels; may be given by its index, too."""

    labels: Sequence[str]

    def decode(self, text: str) -> str:
        return text

    def encode(self, value: Value) -> str:
        if isinstance(value, str):
            check_choice(value, self.labels)
            return value
        if not 0 <= value < len(self.labels) or value != int(value):
            raise BadValue(f"{value!r} is not an index of the {len(self.labels)} choices")
        return self.labels[int(value)]


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


def check_choice(value: str, choices: Sequence[str]) -> None:
    """BadValue unless value is a choice; says which there are, or which are like it."""
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
        description: the box's own; empty if it gave none
        units: name on the wire of the units of time that it is in; "" if it is not a time
        layout: of a table, else None
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
        """BadValue unless this can be done with it."""
        if access in self.access:
            return
        if self.access is Access.NONE:
            names = ", ".join(self.attributes)
            raise BadValue(f"{self.wire} has no value, only attributes: {names}")
        what = "read" if access is R else "written"
        raise BadValue(f"{self.wire} can not be {what}")

    def decode(self, text: str) -> Value:
        """The value in the text of the wire; BadValue names the field."""
        value: Value = self._named(self._codec.decode, text)
        return value

    def encode(self, value: Value) -> str:
        """The text for a value; BadValue names the field."""
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
        except (TypeError, ValueError) as error:
            raise BadValue(f"{self.wire}: {value!r} can not be sent: {error}") from error


# -- commands -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class GetValue(Command[Value]):
    """The value of a field or attribute; a time in the given units, if not in those of the box."""

    node: Node
    units: str = ""

    def execute(self, version: tuple[int, int]) -> ExchangeGenerator[Value]:
        self.node.check(R)
        value = Exchange(f"{self.node.wire}?")
        if not self.units:
            yield value
            return self.node.decode(value.value)
        units = _units(self.node, self.units)
        yield [units, value]
        factor = MICROSECONDS[units.value] / MICROSECONDS[self.units]
        return float(self.node.decode(value.value)) * factor


@dataclass(frozen=True)
class PutValue(Command[None]):
    """Set a field or attribute; a time in the given units, if not in those of the box."""

    node: Node
    value: Value
    units: str = ""

    def execute(self, version: tuple[int, int]) -> ExchangeGenerator[None]:
        self.node.check(Access.WRITE)
        text = self.node.encode(self.value)
        if self.units:
            units = _units(self.node, self.units)
            yield units
            factor = MICROSECONDS[self.units] / MICROSECONDS[units.value]
            text = self.node.encode(float(text) * factor)
        exchange = Exchange(f"{self.node.wire}={text}")
        yield exchange
        exchange.check_ok()


@dataclass(frozen=True)
class GetTable(Command[NDArray[Any]]):
    """The rows of a table: a structured array of shape (rows,)."""

    node: Node

    def execute(self, version: tuple[int, int]) -> ExchangeGenerator[NDArray[Any]]:
        exchange = Exchange(f"{self.node.wire}.B?")
        yield exchange
        words = words_from_base64(self.node.wire, exchange.multiline)
        columns = layout_of(self.node).unpack(words)
        rows = empty_rows(self.node, len(next(iter(columns.values()), ())))
        for name, values in columns.items():
            rows[name] = values
        return rows


def put_table(node: Node, rows: Rows) -> Command[None]:
    """The command that replaces the rows of a table."""
    return Put(node.wire, pack_rows(node, rows), base64=True)


def append_table(node: Node, rows: Rows, last: bool) -> Command[None]:
    """The command that gives a streaming table its next rows."""
    return Append(node.wire, pack_rows(node, rows), last, base64=True)


def empty_rows(node: Node, count: int) -> NDArray[Any]:
    """So many rows of zeros."""
    return np.zeros(count, [(column.name, column.dtype) for column in layout_of(node).columns])


def pack_rows(node: Node, rows: Rows) -> NDArray[np.uint32]:
    """The words of rows; BadValue names table, column and row of what does not fit."""
    if isinstance(rows, np.ndarray) and rows.dtype.names:
        return layout_of(node).pack({name: rows[name] for name in rows.dtype.names})
    if not isinstance(rows, Mapping):
        raise BadValue(
            f"{node.wire}: give a structured array (see empty), or the columns by name, not "
            f"{type(rows).__name__}"
        )
    return layout_of(node).pack(rows)


def layout_of(node: Node) -> TableLayout:
    """The layout of a table; BadValue if this is none."""
    if node.layout is None:
        raise BadValue(f"{node.wire} is not a table")
    return node.layout


def words_from_base64(name: str, lines: Sequence[str]) -> NDArray[np.uint32]:
    """The 32-bit words of a table that came as base64."""
    try:
        return np.frombuffer(base64.b64decode("".join(lines), validate=True), "<u4")
    except (binascii.Error, ValueError) as error:
        raise ProtocolError(f"{name}.B: not the base64 of 32-bit words: {error}") from error


def _units(node: Node, units: str) -> Exchange:
    """The question for the units of a time, after a check of those that are wanted."""
    if not node.units:
        raise BadValue(f"{node.wire} is not a time: it has no units to choose")
    try:
        check_choice(units, list(MICROSECONDS))
    except BadValue as error:
        raise BadValue(f"{node.units}: {error}") from None
    return Exchange(f"{node.units}?")


# -- from a device --------------------------------------------------------------------------------


def field_node(device: Device, found: Field) -> Node:
    """The node of one field."""
    info, kind = found.info, found.kind
    attributes = {a.name: _attribute_node(device, found, a) for a in _attributes(found)}
    is_time = kind.codec == "time" and "UNITS" in attributes
    choices = _choices(info)
    return Node(
        found.wire,
        " ".join(filter(None, (info.type, info.subtype))),
        kind.access,
        _codec(kind.codec, choices),
        choices,
        info.description or "",
        f"{found.wire}.UNITS" if is_time else "",
        TableLayout.from_info(info, found.wire) if isinstance(info, TableFieldInfo) else None,
        attributes,
    )


def _attributes(found: Field) -> Iterator[AttributeKind]:
    yield from found.kind.attributes
    yield from _MORE.get(found.info.subtype or found.info.type, ())
    yield _INFO


def _attribute_node(device: Device, found: Field, kind: AttributeKind) -> Node:
    choices: Sequence[str] = ()
    if kind.name == "UNITS":
        choices = getattr(found.info, "units_labels", ())
    elif kind.name == "CAPTURE":
        choices = _capture_options(device, found.info)
    codec = _codec(kind.codec, choices)
    return Node(found.attribute(kind), "attribute", kind.access, codec, choices, kind.description)


def _capture_options(device: Device, info: FieldInfo) -> Sequence[str]:
    """Words of CAPTURE: the usual sets' and, for positions, those that the box lists."""
    words = " ".join(getattr(info, "capture_labels", ())).split()
    more = device.capture_options if info.type == "pos_out" else ()
    return tuple(dict.fromkeys([*words, *more]))


def _choices(info: FieldInfo) -> Sequence[str]:
    return tuple(getattr(info, "labels", None) or ())


def _codec(name: str, choices: Sequence[str]) -> Codec | None:
    if name in ("choice", "mux") and choices:
        return LabelCodec(choices)
    if name == "capture" and choices:
        return CaptureCodec(choices)
    return SwitchCodec() if name == "bit" else _CODECS.get(name, _CODECS["text"] if name else None)
