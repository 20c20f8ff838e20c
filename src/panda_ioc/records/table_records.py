"""Records for a table: one waveform per column for CA, the whole as an NTTable for PVA.

CA clients put MODE to EDIT, write columns, and put MODE to SUBMIT (or DISCARD). PVA clients put the
structure: its hidden member, put last, is the record that submits. Monitors of the structure
are triggered by that record alone, so that a change of the table posts once.
"""

from collections.abc import Iterator, Mapping
from typing import cast

import numpy as np

from panda_ioc.device.model import Field
from panda_ioc.device.tables import Column, TableLayout
from panda_ioc.protocol.responses import TableFieldInfo
from panda_ioc.records.specs import FieldValue, RecordSpec, pv_name, pvi_name

# DISP on any member of a structure would disable puts to the whole of it.
READ_ONLY_MEMBER: Mapping[str, FieldValue] = {"DISP": 0, "ASG": "READONLY"}
MODES = ("VIEW", "EDIT", "SUBMIT", "DISCARD")
VIEW, EDIT, SUBMIT, DISCARD = range(len(MODES))

_FTVL = {
    np.dtype("u1"): "UCHAR",
    np.dtype("u2"): "LONG",  # wider than the column, so that what is too large is seen
    np.dtype("i4"): "LONG",
    np.dtype("u4"): "ULONG",
}


def layout_of(field: Field) -> TableLayout:
    """The columns of a table."""
    return TableLayout.from_info(cast(TableFieldInfo, field.info), pv_name(field.wire))


def max_rows(field: Field) -> int:
    """Rows that a table can hold; at least 1, as a waveform can not be empty."""
    info = cast(TableFieldInfo, field.info)
    return max(1, info.max_length // max(1, info.row_words))


def table_records(prefix: str, field: Field) -> Iterator[RecordSpec]:
    """All records of one table."""
    name, layout = pv_name(field.wire), layout_of(field)
    group = f"{prefix}:{name}"
    yield _labels(name, group, layout)
    for order, column in enumerate(layout.columns):
        yield _column(name, group, field, column, order)
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
    yield RecordSpec(
        name=f"{name}:PUT",
        rtype="longout",
        writable=True,
        desc=f"{field.name}: submits what PVA has put",
        fields={"MDEL": -1},
        info={
            "Q:group": {
                group: {
                    "_put": {
                        "+type": "proc",
                        "+channel": "VAL",
                        "+putorder": len(layout.columns) + 1,
                        "+trigger": "*",
                    }
                }
            }
        },
    )
    yield RecordSpec(
        name=f"{name}:PV",
        rtype="waveform",
        ftvl="CHAR",
        length=len(group) + 1,
        desc=f"{field.name}: its PVA structure",
        pvi=pvi_name(name),
        pvi_target=group,
        pvi_access="rw",
        value=group,
    )


def _labels(name: str, group: str, layout: TableLayout) -> RecordSpec:
    return RecordSpec(
        name=f"{name}:LABELS",
        rtype="waveform",
        ftvl="STRING",
        length=len(layout.columns),
        desc="Names of the columns",
        fields=READ_ONLY_MEMBER,
        info={
            "Q:group": {
                group: {
                    "+id": "epics:nt/NTTable:1.0",
                    "labels": {"+type": "plain", "+channel": "VAL"},
                }
            }
        },
    )


def _column(name: str, group: str, field: Field, column: Column, order: int) -> RecordSpec:
    member = {"+type": "plain", "+channel": "VAL", "+putorder": order + 1, "+trigger": ""}
    return RecordSpec(
        name=f"{name}:{column.name}",
        rtype="waveform",
        ftvl="STRING" if column.labels else _FTVL[np.dtype(column.dtype)],
        length=max_rows(field),
        writable=True,
        desc=column.description or f"Column {column.name} of {field.name}",
        info={"Q:group": {group: {f"value.{column.name.lower()}": member}}},
    )
