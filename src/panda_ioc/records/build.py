"""All records for a device: the one place where they are put together."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from panda_ioc.device.model import Device
from panda_ioc.device.tables import TableLayout
from panda_ioc.records import limits
from panda_ioc.records.bridge import own_records
from panda_ioc.records.choices import choice_records
from panda_ioc.records.fields import block_records
from panda_ioc.records.live import live_records
from panda_ioc.records.pvi import pvi_records
from panda_ioc.records.rows import row_aliases, row_names
from panda_ioc.records.sources import source_records
from panda_ioc.records.specs import RecordSpec
from panda_ioc.records.tables import table_layouts, table_records

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RecordSet:
    """Everything that is served for a device under a prefix.

    Attributes:
        prefix: of all names, without the colon
        specs: the records
        tables: the tables among the fields, by name on the wire
    """

    prefix: str
    specs: tuple[RecordSpec, ...]
    tables: Mapping[str, TableLayout]

    @property
    def names(self) -> list[str]:
        """All names, aliases included, without the prefix."""
        return [name for spec in self.specs for name in (spec.name, *spec.aliases)]


def build_records(device: Device, prefix: str, table_rows: int = limits.TABLE_ROWS) -> RecordSet:
    """The records for a device; of tables at most table_rows rows.

    Raises:
        ConfigurationError: the prefix is not one of EPICS, or too long for the names of this device
    """
    _report_unknown(device)
    layouts = table_layouts(device, table_rows)
    aliases = row_aliases(device)
    plain = [
        replace(spec, aliases=(*spec.aliases, *aliases.get(spec.name, ())))
        for spec in _unique(_records(device, prefix, layouts))
    ]
    _report_cut(plain)
    blocks: dict[str, list[RecordSpec]] = {}
    for spec in plain:
        blocks.setdefault(spec.block, []).append(spec)
    pvi = list(pvi_records(prefix, device, blocks))
    records = RecordSet(prefix, (*plain, *pvi), layouts)
    limits.check_prefix(prefix, records.names)
    return records


def _records(
    device: Device, prefix: str, layouts: Mapping[str, TableLayout]
) -> Iterator[RecordSpec]:
    for block in device.blocks:
        for spec in block_records(device, block):
            yield spec
            yield from choice_records(prefix, spec)
    for wire, layout in layouts.items():
        yield from table_records(prefix, device.fields[wire], layout)
    yield from own_records(prefix, device)
    yield from source_records(device)
    yield from live_records(device)
    yield from row_names(device)


def _unique(specs: Iterable[RecordSpec]) -> Iterator[RecordSpec]:
    seen: set[str] = set()
    for spec in specs:
        if spec.name in seen:
            log.warning("%s: two things would have this name, the second is left out", spec.name)
            continue
        seen.add(spec.name)
        yield spec


def _report_unknown(device: Device) -> None:
    unknown = sorted(
        {
            f"{block.type}.{field.name} ({' '.join(filter(None, (info.type, info.subtype)))})"
            for block in device.blocks
            for field in block.fields
            if field.is_unknown
            for info in (field.info,)
        }
    )
    if unknown:
        log.warning("fields of unknown type are served as read-only text: %s", ", ".join(unknown))


def _report_cut(specs: Iterable[RecordSpec]) -> None:
    cut = {c for spec in specs for c in spec.choices if not limits.fits(c, limits.STRING)}
    if cut:
        log.info(
            "choices of which EPICS shows the first %d characters: %s",
            limits.STRING,
            ", ".join(map(repr, sorted(cut))),
        )
