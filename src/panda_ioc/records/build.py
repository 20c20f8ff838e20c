"""All records for a device, put together in this one place."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from panda_ioc.device.model import Device
from panda_ioc.device.tables import TableLayout
from panda_ioc.records import limits, names
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

_NAMED = 20
"""Names that are left out that the log tells; a list of PVs has all."""


@dataclass(frozen=True)
class RecordSet:
    """Everything that is served for a device under a prefix.

    Attributes:
        prefix: of all names, without the colon
        specs: the records
        left_out: records whose names are too long under the prefix
        left_out_names: their names, and aliases that are too long
        tables: the tables among the fields, by name on the wire
    """

    prefix: str
    specs: tuple[RecordSpec, ...]
    tables: Mapping[str, TableLayout]
    left_out: tuple[RecordSpec, ...] = ()
    left_out_names: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """All names, aliases included, without the prefix."""
        return [name for spec in self.specs for name in _names(spec)]


def build_records(
    device: Device,
    prefix: str,
    table_rows: int = limits.TABLE_ROWS,
    may_have_macros: bool = False,
) -> RecordSet:
    """Make the records for a device, with at most `table_rows` rows per table.

    Raises:
        ConfigurationError: EPICS takes no names with this prefix
    """
    names.check_prefix(prefix, may_have_macros)
    _report_unknown(device)
    layouts = table_layouts(device, table_rows)
    aliases = row_aliases(device)
    wanted = [
        replace(spec, aliases=(*spec.aliases, *aliases.get(spec.name, ())))
        for spec in _unique(_records(device, prefix, layouts))
    ]
    _report_cut(wanted)
    plain, long = names.fit(prefix, wanted)
    broken = names.structures(long)
    plain = [names.without_structures(spec, broken) for spec in plain]
    pvi, long_pvi = names.fit(prefix, pvi_records(prefix, device, _by_block(plain)))
    served = {name for spec in (*plain, *pvi) for name in _names(spec)}
    left_out = [n for spec in (*wanted, *long_pvi) for n in _names(spec) if n not in served]
    _report_left_out(prefix, left_out)
    return RecordSet(prefix, (*plain, *pvi), layouts, (*long, *long_pvi), tuple(left_out))


def _by_block(specs: Iterable[RecordSpec]) -> dict[str, list[RecordSpec]]:
    blocks: dict[str, list[RecordSpec]] = {}
    for spec in specs:
        blocks.setdefault(spec.block, []).append(spec)
    return blocks


def _names(spec: RecordSpec) -> tuple[str, ...]:
    return (spec.name, *spec.aliases)


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


def _report_left_out(prefix: str, left_out: Sequence[str]) -> None:
    if left_out:
        more = f" and {len(left_out) - _NAMED} more" if len(left_out) > _NAMED else ""
        log.warning(
            "%s: %d names would be longer than %d characters and are left out: %s%s",
            prefix,
            len(left_out),
            limits.NAME,
            ", ".join(left_out[:_NAMED]),
            more,
        )
