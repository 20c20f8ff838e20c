"""Records as the text of an EPICS database (``.db``), which any IOC can load.

The bridge does not go this way, it makes its records in memory; but what a record is made of is
decided here for both. In the text there is nobody behind the records: they are soft channels.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from panda_ioc.records import limits
from panda_ioc.records.build import RecordSet
from panda_ioc.records.specs import FieldValue, RecordSpec

# Record fields of the states of mbbi and mbbo begin with these.
_STATE_PREFIXES = (
    *("ZR", "ON", "TW", "TH", "FR", "FV", "SX", "SV"),
    *("EI", "NI", "TE", "EL", "TV", "TT", "FT", "FF"),
)
_STATE_VALUES = tuple(f"{prefix}VL" for prefix in _STATE_PREFIXES)
_STATE_FIELDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "bi": ("ZNAM", "ONAM"),
        "bo": ("ZNAM", "ONAM"),
        **dict.fromkeys(("mbbi", "mbbo"), tuple(f"{prefix}ST" for prefix in _STATE_PREFIXES)),
    }
)
_ESCAPES = str.maketrans({'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"})


ARCHIVE = "monitor 1.0 VAL"
"""Info tag of what is small and worth archiving: how, seconds between samples at least, fields."""


def record_fields(spec: RecordSpec) -> dict[str, FieldValue]:
    """Return the fields of a record, except its value and those that device support needs."""
    fields = {"DESC": limits.desc(spec.desc), **spec.fields}
    names = _STATE_FIELDS.get(spec.rtype, ())
    fields |= dict(zip(names, spec.labels, strict=False))
    if spec.rtype in ("mbbi", "mbbo"):
        fields |= {name: n for n, name in enumerate(_STATE_VALUES[: len(spec.labels)])}
    if spec.rtype == "waveform":
        fields |= {"FTVL": spec.ftvl, "NELM": spec.length}
    fields = {name: limits.held(value, spec.rtype) for name, value in fields.items()}
    return fields if spec.writable else {"DISP": 1, **fields}


def record_info(spec: RecordSpec) -> dict[str, object]:
    """Return the info tags of a record."""
    tags: dict[str, object] = {}
    if spec.rtype == "waveform":
        tags |= {"Q:form": "String"} if spec.ftvl == "CHAR" else {}
    elif spec.pvi_access != "x":
        tags["archive"] = ARCHIVE
    if spec.saved:
        tags["autosaveFields"] = "VAL"
    return {**spec.info, **tags}


def database_text(records: RecordSet) -> Iterator[str]:
    """Yield each record as lines that end in a newline."""
    for spec in records.specs:
        yield _record(records.prefix, spec)


def structure_names(specs: Iterable[RecordSpec]) -> list[str]:
    """Return the full names of the PVA structures that the records make up."""
    groups = (spec.info.get("Q:group", {}) for spec in specs)
    return list(
        dict.fromkeys(name for each in groups if isinstance(each, Mapping) for name in each)
    )


def _record(prefix: str, spec: RecordSpec) -> str:
    lines = [
        *(f'alias("{prefix}:{alias}")' for alias in spec.aliases),
        *(f"field({name}, {_quoted(value)})" for name, value in _fields(prefix, spec).items()),
        *_value(spec),
        *(f"info({_quoted(tag)}, {_json(value)})" for tag, value in record_info(spec).items()),
    ]
    body = "".join(f"    {line}\n" for line in lines)
    # EPICS takes names as they stand: a backslash escapes nothing in them.
    return f'record({spec.rtype}, "{prefix}:{spec.name}") {{\n{body}}}\n'


def _fields(prefix: str, spec: RecordSpec) -> dict[str, FieldValue]:
    """Return the fields, with room for a macro in the prefix, which may grow when replaced."""
    fields = record_fields(spec)
    if "$" not in prefix:
        return fields
    if isinstance(spec.value, str) and prefix in spec.value and "NELM" in fields:
        fields["NELM"] = spec.length + limits.NAME
    return {**fields, "DESC": limits.desc(spec.desc.replace(f"{prefix}:", ""))}


def _value(spec: RecordSpec) -> Iterator[str]:
    """Return the field for the initial value: for arrays it is a constant input."""
    if spec.value is None:
        return
    if spec.rtype != "waveform":
        yield f"field(VAL, {_quoted(spec.value)})"
    elif spec.value:
        yield f"field(INP, {_json({'const': spec.value})})"


def _quoted(value: object) -> str:
    return f'"{str(value).translate(_ESCAPES)}"'


def _json(value: object) -> str:
    # On many lines: EPICS reads pieces of 1024 bytes, and trips over JSON that is cut.
    return json.dumps(value, ensure_ascii=False, indent=1)
