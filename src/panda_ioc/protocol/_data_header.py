"""The XML header that opens each acquisition on the data port.

    <header>
    <data arm_time=".." missed="0" process="Raw" format="Framed" sample_bytes="12" />
    <fields>
    <field name="COUNTER1.OUT" type="int32" capture="Value" scale="1" offset="0" units="" />
    </fields>
    </header>

A header may come from a PandA that is ill, or from something else: every number is checked. It
begins with its root element, so it cannot declare a document type or entities.
"""

import re
import xml.parsers.expat
from collections.abc import Mapping
from typing import Any

import numpy as np

from panda_ioc.errors import BadValue, ProtocolError
from panda_ioc.protocol._exchange import shorten
from panda_ioc.protocol.responses import WIRE_TYPES, FieldCapture, StartData

Element = tuple[str, dict[str, str]]


def column_name(field: FieldCapture) -> str:
    """``NAME.CAPTURE``: what a column is called in a frame."""
    return f"{field.name}.{field.capture}"


SAMPLES = FieldCapture("PCAP.SAMPLES", WIRE_TYPES["uint32"], "Value")
"""The count of clock ticks that servers before 2.1 send first in a raw sample, not naming it."""

GATE_DURATION_FIELD = "PCAP.GATE_DURATION.Value"
"""The column that means and standard deviations are computed with."""
SAMPLES_FIELD = column_name(SAMPLES)
"""The same, of servers before 2.1."""

_NO_UNITS = "(null)"
_SHOWN = 200
_INTEGER = re.compile(r"-?[0-9]{1,19}")


def parse_header(text: bytes) -> StartData:
    """Parse a header, columns in the order of the wire.

    Args:
        text: from ``<header>`` to ``</header>``, UTF-8 (what is not, as units may be, is replaced)
    """
    elements = _elements(text.decode("utf-8", "replace"))
    data = next((attributes for tag, attributes in elements if tag == "data"), None)
    if data is None:
        raise _fault("no <data .../> element")
    if data.get("format") != "Framed":
        raise _fault(f"format {data.get('format')!r} where 'Framed' was asked for")
    fields = [_field(attributes) for tag, attributes in elements if tag == "field"]
    sample_bytes = _integer(data, "sample_bytes")
    offset = data.get("hw_time_offset_ns")
    return StartData(
        fields=_check_size(fields, sample_bytes),
        missed=_integer(data, "missed"),
        process=data.get("process", ""),
        format="Framed",
        sample_bytes=sample_bytes,
        arm_time=data.get("arm_time"),
        start_time=data.get("start_time"),
        hw_time_offset_ns=None if offset is None else _integer(data, "hw_time_offset_ns"),
    )


def frame_layout(start: StartData) -> np.dtype[Any]:
    """How one sample lies in a frame: columns ``NAME.CAPTURE``, packed; `ProtocolError` if two
    columns have one name."""
    try:
        return np.dtype([(column_name(field), field.type) for field in start.fields])
    except ValueError as error:
        raise _fault(str(error)) from None


def _fault(what: str) -> ProtocolError:
    """Return what is wrong, without quoting a whole header of perhaps a megabyte."""
    return ProtocolError(f"data header: {shorten(what, _SHOWN)}")


def _elements(text: str) -> list[Element]:
    found: list[Element] = []
    parser = xml.parsers.expat.ParserCreate()
    parser.StartElementHandler = lambda tag, attributes: found.append((tag, attributes))
    try:
        parser.Parse(text, True)
    except xml.parsers.expat.ExpatError as error:
        raise _fault(f"is not XML: {error}: {text[:_SHOWN]!r}") from None
    return found


def _field(attributes: Mapping[str, str]) -> FieldCapture:
    name, capture, kind = (_text(attributes, key) for key in ("name", "capture", "type"))
    if kind not in WIRE_TYPES:
        raise _fault(f"{name} {capture}: unknown type {kind!r}")
    units = attributes.get("units")
    try:
        return FieldCapture(
            name=name,
            type=WIRE_TYPES[kind],
            capture=capture,
            scale=_number(attributes, "scale"),
            offset=_number(attributes, "offset"),
            units="" if units == _NO_UNITS else units,
        )
    except BadValue as error:
        raise _fault(str(error)) from None


def _check_size(fields: list[FieldCapture], sample_bytes: int) -> list[FieldCapture]:
    named = sum(field.type.itemsize for field in fields)
    if sample_bytes == named + SAMPLES.type.itemsize:
        return [SAMPLES, *fields]
    if not fields or sample_bytes != named:
        raise _fault(f"sample_bytes is {sample_bytes}, but {len(fields)} fields take {named}")
    return fields


def _text(attributes: Mapping[str, str], key: str) -> str:
    if not attributes.get(key):
        raise _fault(f"a field without {key}: {dict(attributes)}")
    return attributes[key]


def _integer(attributes: Mapping[str, str], key: str) -> int:
    value = attributes.get(key, "")
    if not _INTEGER.fullmatch(value):
        raise _fault(f"{key} is {value!r}, not a whole number")
    return int(value)


def _number(attributes: Mapping[str, str], key: str) -> float | None:
    value = attributes.get(key)
    if value is None:
        return None
    try:
        return float(value)
    except ValueError:
        raise _fault(f"{key} is {value!r}, not a number") from None
