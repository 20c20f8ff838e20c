"""Records for a table: one waveform per column for CA, the whole as an NTTable for PVA.

CA clients put MODE to EDIT, write columns, and put MODE to SUBMIT (or DISCARD). PVA clients put the
structure: its hidden member, put last, is the record that submits. Monitors of the structure
are triggered by that record alone, so that a change of the table posts once. Where the PandA takes
tables piece by piece, NEXT_WRITE says what the next submit does.
"""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from panda_ioc.device.codecs import CodecName, codec_for
from panda_ioc.device.model import Device, Field
from panda_ioc.device.tables import TableColumn, TableLayout
from panda_ioc.errors import BadValue
from panda_ioc.protocol.responses import TableFieldInfo
from panda_ioc.records.limits import TABLE_ROWS
from panda_ioc.records.shorthand import constant
from panda_ioc.records.specs import FieldValue, RecordSpec, pv_name, pvi_name

log = logging.getLogger(__name__)

# DISP on any member of a structure would disable puts to the whole of it.
READ_ONLY_MEMBER: Mapping[str, FieldValue] = {"DISP": 0, "ASG": "READONLY"}
MODES = ("VIEW", "EDIT", "SUBMIT", "DISCARD")
VIEW, EDIT, SUBMIT, DISCARD = range(len(MODES))
NEXT_WRITES = ("Replace", "Append", "Append Last")
REPLACE, APPEND, APPEND_LAST = range(len(NEXT_WRITES))
STATES = ("INIT", "FIXED", "STREAMING", "STREAMING_LAST")

_FTVL = {
    np.dtype("u1"): "UCHAR",
    np.dtype("u2"): "USHORT",
    np.dtype("i4"): "LONG",
    np.dtype("u4"): "ULONG",
}


MOST_CELLS = 50_000_000
"""Numbers in all tables together, at 4 bytes each; the largest PandAs have some millions."""


def table_layouts(device: Device, rows: int = TABLE_ROWS) -> dict[str, TableLayout]:
    """Return the columns of each table that can be served, by its name on the wire."""
    layouts = {}
    for wire, field in device.fields.items():
        if isinstance(field.info, TableFieldInfo):
            try:
                layout = TableLayout.from_info(field.info, pv_name(wire))
            except BadValue as error:
                log.warning("%s; it is not served", error)
                continue
            layouts[wire] = replace(layout, max_rows=min(rows, layout.max_rows or rows))
    return _affordable(layouts)


def _affordable(layouts: dict[str, TableLayout]) -> dict[str, TableLayout]:
    """Return the layout with fewer rows if a PandA describes more than there is memory for."""
    cells = sum((each.max_rows or 0) * len(each.columns) for each in layouts.values())
    if cells <= MOST_CELLS:
        return layouts
    most = max(1, MOST_CELLS // sum(len(each.columns) for each in layouts.values()))
    log.warning("tables of %d numbers altogether: %d rows are served of each", cells, most)
    return {
        wire: replace(each, max_rows=min(most, each.max_rows or most))
        for wire, each in layouts.items()
    }


def table_records(prefix: str, field: Field, layout: TableLayout) -> Iterator[RecordSpec]:
    """Return all records of one table."""
    name, group = layout.name, f"{prefix}:{layout.name}"
    yield from _labels(name, group, layout)
    for order, column in enumerate(layout.columns):
        yield _column(layout, group, column, order)
    yield RecordSpec(
        name=f"{name}:MODE",
        rtype="mbbo",
        writable=True,
        desc=f"{field.name}: edit columns, then submit",
        labels=MODES,
    )
    for mode in ("EDIT", "SUBMIT"):
        yield RecordSpec(
            name=f"{name}:MODE:{mode}",
            rtype="ao",
            writable=True,
            desc=f"{field.name}: any put sets MODE to {mode}",
            fields={"PREC": 0},
        )
    yield _put(field, group, layout)
    structure = constant(f"{name}:PV", f"{field.name}: its PVA structure", group)
    yield replace(structure, pvi=pvi_name(name), pvi_target=group, pvi_access="rw")
    if layout.streams:
        yield from _streaming(field, name)


def _put(field: Field, group: str, layout: TableLayout) -> RecordSpec:
    """Return the member of the structure that is put last and submits."""
    member = {
        "+type": "proc",
        "+channel": "VAL",
        "+putorder": len(layout.columns) + 1,
        "+trigger": "*",
    }
    return RecordSpec(
        name=f"{layout.name}:PUT",
        rtype="longout",
        writable=True,
        desc=f"{field.name}: submits what PVA has put",
        info={"Q:group": {group: {"_put": member}}},
    )


def _streaming(field: Field, name: str) -> Iterator[RecordSpec]:
    """Return the records of streaming, with the names and labels that ophyd-async looks for."""
    yield RecordSpec(
        name=f"{name}:NEXT_WRITE",
        rtype="mbbo",
        writable=True,
        desc=f"{field.name}: what the next submit does",
        labels=NEXT_WRITES,
        pvi=pvi_name(f"{name}:NEXT_WRITE"),
        value=REPLACE,
    )
    yield RecordSpec(
        name=f"{name}:CLEAR",
        rtype="bo",
        writable=True,
        desc=f"{field.name}: any put empties it",
        pvi=pvi_name(f"{name}:CLEAR"),
        pvi_access="x",
        value=0,
    )
    yield RecordSpec(
        name=f"{name}:STATE",
        rtype="mbbi",
        desc=f"{field.name}: whether it is fixed or streams",
        labels=STATES,
        pvi=pvi_name(f"{name}:STATE"),
        wire=f"{field.wire}.MODE",
        codec=codec_for(CodecName.CHOICE, STATES),
    )


def _labels(name: str, group: str, layout: TableLayout) -> Iterator[RecordSpec]:
    """Return the record with the names of the columns, and one for the structure if need be.

    QSRV takes a waveform with room for one text for a scalar; an NTTable has an array of labels.
    """
    labels = RecordSpec(
        name=f"{name}:LABELS",
        rtype="waveform",
        ftvl="STRING",
        length=len(layout.columns),
        desc="Names of the columns",
        fields=READ_ONLY_MEMBER,
        value=tuple(column.name for column in layout.columns),
    )
    member = {"labels": {"+type": "plain", "+channel": "VAL"}}
    info = {"Q:group": {group: {"+id": "epics:nt/NTTable:1.0", **member}}}
    if labels.length > 1:
        yield replace(labels, info=info)
    else:
        yield labels
        yield replace(labels, name=f"{name}:COLUMNS", length=2, info=info)


def _column(layout: TableLayout, group: str, column: TableColumn, order: int) -> RecordSpec:
    member = {"+type": "plain", "+channel": "VAL", "+putorder": order + 1, "+trigger": ""}
    return RecordSpec(
        name=f"{layout.name}:{column.name}",
        rtype="waveform",
        ftvl="STRING" if column.labels else _FTVL[np.dtype(column.dtype)],
        # One row more than allowed: EPICS cuts what is longer, and nobody would know.
        length=(layout.max_rows or TABLE_ROWS) + 1,
        writable=True,
        desc=column.description or f"Column {column.name} of {layout.name}",
        info={"Q:group": {group: {f"value.{column.name.lower()}": member}}},
    )
