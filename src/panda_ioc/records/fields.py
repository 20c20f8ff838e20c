"""Records for the fields and attributes of a device, by the table in `mapping`."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from panda_ioc.device.codecs import FLOAT, TEXT, CodecName, TextCodec, codec_for
from panda_ioc.device.kinds import Access, AttributeKind
from panda_ioc.device.model import Block, Device, Field
from panda_ioc.protocol.responses import (
    ExtOutFieldInfo,
    PosOutFieldInfo,
    ScalarFieldInfo,
    TableFieldInfo,
    UintFieldInfo,
)
from panda_ioc.records import limits
from panda_ioc.records.mapping import INPUTS, OUTPUTS, TIME_PREC
from panda_ioc.records.specs import FieldValue, RecordSpec, Settle, pv_name, pvi_name

LABEL_LENGTH = 256
MAX_PREC = 9
_MORE_DIGITS = 3  # of a scale that is no short decimal fraction
LONG_LENGTH = 256


def block_records(device: Device, block: Block) -> Iterator[RecordSpec]:
    """Return all records of one block, except tables and the bridge's own."""
    if block.label_key.removeprefix("*METADATA.") in device.metadata:
        yield _label_record(block)
    for field in block.fields:
        yield from _field_records(field)


def _served_attributes(field: Field) -> tuple[AttributeKind, ...]:
    """Return the attributes that the PandA has; some exist only for tables that can be streamed."""
    if isinstance(field.info, TableFieldInfo) and not field.info.has_mode:
        return ()
    return field.kind.attributes


def _label_record(block: Block) -> RecordSpec:
    return RecordSpec(
        name=f"{block.wire}:LABEL",
        rtype="waveform",
        ftvl="CHAR",
        length=LABEL_LENGTH,
        writable=True,
        desc=f"What users call {block.wire}",
        pvi="label",
        wire=block.label_key,
        codec=TEXT,
        full=LABEL_LENGTH - 1,
    )


def _field_records(field: Field) -> Iterator[RecordSpec]:
    kind = field.kind
    if kind.codec is not None and kind.codec is not CodecName.TABLE:
        yield from _with_long(_value_record(field, kind.codec), getattr(field.info, "labels", ()))
    for attribute in _served_attributes(field):
        yield from _with_long(
            _attribute_record(field, attribute), _attribute_labels(field, attribute)
        )
    if isinstance(field.info, PosOutFieldInfo):
        yield _scaled_record(field)
        yield _capture_options_record(field)
    if isinstance(field.info, PosOutFieldInfo | ExtOutFieldInfo):
        yield _dataset_record(field)


def _with_long(spec: RecordSpec, labels: Sequence[str]) -> Iterator[RecordSpec]:
    """Return a record and, if its text may be too long for it, another that holds the whole."""
    is_free = isinstance(spec.codec, TextCodec) and not labels
    if spec.rtype not in ("stringin", "stringout") or (
        not is_free and all(limits.fits(label, limits.STRING) for label in labels)
    ):
        yield spec
        return
    yield replace(spec, full=limits.STRING)
    yield replace(
        spec,
        name=f"{spec.name}:LONG",
        rtype="waveform",
        ftvl="CHAR",
        length=LONG_LENGTH,
        desc=f"{spec.desc} (whole text)",
        pvi="",
        choices=(),
        full=LONG_LENGTH - 1,
    )


def _value_record(field: Field, codec: CodecName) -> RecordSpec:
    kind = field.kind
    spec = _record(
        field.wire,
        codec,
        kind.access,
        getattr(field.info, "labels", ()),
        field.info.description or "",
    )
    return replace(
        spec,
        fields={**spec.fields, **_limits(field)},
        units_from=_units_source(field),
        good=_good(field),
    )


def _good(field: Field) -> str:
    """Return what HEALTH says when nothing is wrong: its first label."""
    labels = getattr(field.info, "labels", ())
    return labels[0] if field.name == "HEALTH" and labels else ""


def _attribute_record(field: Field, attribute: AttributeKind) -> RecordSpec:
    spec = _record(
        field.attribute(attribute),
        attribute.codec,
        attribute.access,
        _attribute_labels(field, attribute),
        f"{field.name}: {attribute.description}",
    )
    add = _OF_ATTRIBUTES.get(attribute.name)
    return add(field, spec) if add else spec


_OF_ATTRIBUTES: Mapping[str, Callable[[Field, RecordSpec], RecordSpec]] = MappingProxyType(
    {
        "UNITS": lambda _, spec: replace(spec, settle=Settle.POLL),
        "OFFSET": lambda field, spec: replace(spec, units_from=f"{field.wire}.UNITS"),
        "DELAY": lambda field, spec: replace(spec, fields=_delay_fields(field)),
        "QUEUED_LINES": lambda _, spec: replace(spec, rtype="longin", fields={"EGU": "rows"}),
    }
)
"""What is not the same for all attributes with that codec."""


def _delay_fields(field: Field) -> Mapping[str, FieldValue]:
    return {"LOPR": 0, "HOPR": getattr(field.info, "max_delay", None) or 0, "EGU": "ticks"}


def _record(
    wire: str, codec: CodecName, access: Access, labels: tuple[str, ...] | list[str], desc: str
) -> RecordSpec:
    """Make the record for a value on the wire, by the table."""
    writable = Access.WRITE in access
    row = (OUTPUTS if writable else INPUTS)[codec]
    rtype, states, value_codec = row.rtype, row.labels, codec_for(codec, labels)
    choices = tuple(labels) if codec is CodecName.MUX or not limits.fit_states(labels) else ()
    if codec in (CodecName.CHOICE, CodecName.CAPTURE):
        if rtype == "mbbo" and limits.fit_states(labels):
            states, value_codec = tuple(labels), codec_for(CodecName.CHOICE, labels)
        else:
            rtype, value_codec = rtype.replace("mbbo", "stringout"), TEXT
    name = pv_name(wire)
    return RecordSpec(
        name=name,
        rtype=rtype,
        writable=writable,
        readable=Access.READ in access,
        desc=desc,
        fields=row.fields,
        labels=states,
        choices=choices,
        pvi=pvi_name(name),
        pvi_access="x" if codec is CodecName.ACTION else "",
        wire=wire,
        codec=value_codec,
        settle=row.settle,
    )


def _attribute_labels(field: Field, attribute: AttributeKind) -> list[str]:
    source = {"CAPTURE": "capture_labels", "UNITS": "units_labels"}.get(attribute.name, "")
    return list(getattr(field.info, source, ()))


def _limits(field: Field) -> Mapping[str, FieldValue]:
    """Return display limits, not drive limits, which would change a bad value silently."""
    info = field.info
    if isinstance(info, UintFieldInfo) and info.max_val:
        return {"LOPR": 0, "HOPR": info.max_val}
    if isinstance(info, ScalarFieldInfo):
        digits = {} if info.scale is None else {"PREC": scaled_precision(info.scale)}
        return {"EGU": limits.cut(info.units or "", limits.EGU), **digits}
    return {}


def _units_source(field: Field) -> str:
    names = (a.name for a in field.kind.attributes)
    return f"{field.wire}.UNITS" if field.kind.codec is CodecName.TIME and "UNITS" in names else ""


def _scaled_record(field: Field) -> RecordSpec:
    return RecordSpec(
        name=f"{pv_name(field.wire)}:SCALED",
        rtype="ai",
        desc=f"{field.info.description or field.name}, scaled",
        fields={"PREC": 6},
        wire=field.wire,
        codec=FLOAT,
        scaled_by=(f"{field.wire}.SCALE", f"{field.wire}.OFFSET"),
        units_from=f"{field.wire}.UNITS",
    )


def _capture_options_record(field: Field) -> RecordSpec:
    return RecordSpec(
        name=f"{pv_name(field.wire)}:CAPTURE:SET",
        rtype="stringout",
        writable=True,
        desc=f"{field.name}: any set of capture options",
        wire=f"{field.wire}.CAPTURE",
        codec=codec_for(CodecName.CAPTURE),
        settle=Settle.POLL,
    )


def dataset_name(field: str) -> str:
    """Return the record, without prefix, that names the datasets of a field."""
    return f"{pv_name(field)}:DATASET"


def _dataset_record(field: Field) -> RecordSpec:
    name = dataset_name(field.wire)
    return RecordSpec(
        name=name,
        rtype="stringout",
        writable=True,
        desc=f"{field.name}: its name in data files",
        pvi=pvi_name(name),
        value="",
        saved=True,
    )


def scaled_precision(scale: float) -> int:
    """Return the PREC that resolves counts of a position with this scale: 0 for 1, 3 for 0.001."""
    if scale == 0 or not math.isfinite(scale):
        return 0
    first = max(0, -math.floor(math.log10(abs(scale))))
    for digits in range(first, min(first + _MORE_DIGITS, MAX_PREC)):
        steps = scale * 10**digits
        if not math.isfinite(steps):
            return digits
        if abs(steps - round(steps)) < 1e-6 * abs(steps):
            return digits
    return min(first + _MORE_DIGITS, MAX_PREC)


def precision(units: str) -> int | None:
    """Return the PREC of a time in these units, or None if they are not units of time."""
    return TIME_PREC.get(units)
