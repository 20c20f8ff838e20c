"""The tables of datasets: NTTables for PVA, their columns for CA.

`DATA:DATASETS` lists the datasets that were given a name, and no others: Bluesky makes a data key
of each row, and such a key may not have a dot. `DATA:ALL_DATASETS` lists the whole file.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from panda_ioc.records import own
from panda_ioc.records.shorthand import constant
from panda_ioc.records.specs import RecordSpec, pvi_name

NAMED, ALL = own.DATA_DATASETS, own.DATA_ALL_DATASETS
MAX_DATASETS = 300

_COLUMNS = {"Name": "Names of the datasets", "DType": "Element types of the datasets"}
_SOURCES = {"Field": "Fields that they come from", "Capture": "What is captured of the fields"}

DATASET_TABLES: Mapping[str, Mapping[str, str]] = {NAMED: _COLUMNS, ALL: _COLUMNS | _SOURCES}
"""The description of each column, by table."""


def dataset_records(prefix: str) -> Iterator[RecordSpec]:
    """Return the records of both tables."""
    for table, columns in DATASET_TABLES.items():
        yield from _table(f"{prefix}:{table}", table, columns)


def _table(group: str, table: str, columns: Mapping[str, str]) -> Iterator[RecordSpec]:
    for name, desc in columns.items():
        member: dict[str, object] = {"+type": "plain", "+channel": "VAL", "+trigger": ""}
        if name == list(columns)[-1]:
            member["+trigger"] = "*"  # the column that is posted last posts the structure
        yield RecordSpec(
            name=f"{table}:{name}",
            rtype="waveform",
            ftvl="STRING",
            length=MAX_DATASETS,
            desc=desc,
            info={"Q:group": {group: {f"value.{name.lower()}": member}}},
        )
    labels: dict[str, object] = {
        "+id": "epics:nt/NTTable:1.0",
        "labels": {"+type": "plain", "+channel": "VAL"},
    }
    yield RecordSpec(
        name=f"{table}:LABELS",
        rtype="waveform",
        ftvl="STRING",
        length=len(columns),
        desc="Names of the columns",
        info={"Q:group": {group: labels}},
        value=tuple(name.lower() for name in columns),
    )
    structure = constant(f"{table}:PV", "The PVA structure of the datasets", group)
    yield replace(structure, pvi=pvi_name(table), pvi_target=group)
