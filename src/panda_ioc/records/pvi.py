"""The PVI tree: PVA structures by which clients discover records.

`PREFIX:PVI` lists the blocks, `PREFIX:BLOCK:PVI` the records of a block. The structures consist of
constants; the record `BLOCK:PVI_PV` of each block carries their definitions.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from panda_ioc.device.model import Block, Device
from panda_ioc.records.shorthand import constant
from panda_ioc.records.specs import RecordSpec

_DESCRIPTION = {"+type": "plain", "+channel": "VAL", "+trigger": "*"}

Group = dict[str, dict[str, object]]


def pvi_records(
    prefix: str, device: Device, specs: Mapping[str, Sequence[RecordSpec]]
) -> Iterator[RecordSpec]:
    """Return the records with the PVI structures added; `specs` holds those of each block."""
    blocks = {block.wire: block for block in device.blocks}
    yield _description(f"{prefix}:PVI", "PVI:DESCRIPTION", f"PandA {device.idn}".strip())
    for wire, members in specs.items():
        if not any(spec.pvi for spec in members):
            continue
        block = blocks.get(wire)
        pvi = f"{prefix}:{wire}:PVI"
        structures = {
            pvi: _entries(prefix, members),
            f"{prefix}:PVI": {f"value.{_entry(wire, block)}.d": _named(pvi)},
        }
        record = constant(f"{wire}:PVI_PV", f"Structure that lists the records of {wire}", pvi)
        yield replace(record, info={"Q:group": structures})
        description = (block and block.description) or f"Records of {wire}"
        yield _description(pvi, f"{wire}:PVI:DESCRIPTION", description)


def _description(pvi: str, name: str, text: str) -> RecordSpec:
    """Return the record that describes a structure and triggers its monitors."""
    record = constant(name, f"Description of {pvi}", text)
    return replace(record, info={"Q:group": {pvi: {"display.description": _DESCRIPTION}}})


def _entries(prefix: str, members: Sequence[RecordSpec]) -> Group:
    return {
        f"value.{spec.pvi}.{_access(spec)}": _named(spec.pvi_target or f"{prefix}:{spec.name}")
        for spec in members
        if spec.pvi
    }


def _access(spec: RecordSpec) -> str:
    return spec.pvi_access or ("rw" if spec.writable else "r")


def _entry(wire: str, block: Block | None) -> str:
    if block is None or block.number is None:
        return wire.lower()
    return f"{block.type.lower()}[{block.number}]"


def _named(value: str) -> dict[str, object]:
    return {"+type": "const", "+const": value}
