"""Names: every one that clients know is served with the type that they know."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from panda_ioc.client.asyncio import AsyncioClient
from panda_ioc.client.introspection import introspect
from panda_ioc.records.build import RecordSet, build_records
from support.servers import EpicsPorts, Ioc, Sim

DBR = ("STRING", "SHORT", "FLOAT", "ENUM", "CHAR", "LONG", "DOUBLE")
# Clients read the fields of these at these types; other fields have types of their own.
NATIVE = {
    "ai": "DOUBLE",
    "ao": "DOUBLE",
    "bi": "ENUM",
    "bo": "ENUM",
    "mbbi": "ENUM",
    "mbbo": "ENUM",
    "longin": "LONG",
    "longout": "LONG",
    "stringin": "STRING",
    "stringout": "STRING",
}
WAVEFORM = {
    "CHAR": "CHAR",
    "UCHAR": "CHAR",
    "LONG": "LONG",
    "USHORT": "LONG",
    "ULONG": "DOUBLE",
    "DOUBLE": "DOUBLE",
    "STRING": "STRING",
}


@pytest.fixture(scope="module")
def interface(shared_dir: Path) -> dict[str, Any]:
    """What clients of a real box's application know."""
    path = shared_dir / "interface" / "pandabox-no-fmc.json"
    found: dict[str, Any] = json.loads(path.read_text())
    return found


@pytest.fixture(scope="module")
def known(
    shared_dir: Path, tmp_path_factory: pytest.TempPathFactory, epics_ports: EpicsPorts
) -> Iterator[Ioc]:
    """A bridge to a simulated box with that application."""
    logs = tmp_path_factory.mktemp("known")
    application = shared_dir / "apps" / "pandabox-no-fmc"
    with (
        Sim(logs / "sim", config_dir=application) as sim,
        Ioc(logs / "ioc", epics_ports, sim.address) as ioc,
    ):
        yield ioc


async def _served(ca: Any, ioc: Ioc, names: list[str]) -> dict[str, Any]:
    infos = await ca.cainfo([ioc.pv(name) for name in names], timeout=30, throw=False)
    return dict(zip(names, infos, strict=True))


async def test_every_name_of_a_real_box_is_served_as_clients_know_it(
    known: Ioc, interface: dict[str, Any], ca: Any
) -> None:
    records = interface["records"]
    assert len(records) == 1864
    served = await _served(ca, known, list(records))
    assert [name for name, info in served.items() if not info.ok] == []

    types = {name: (DBR[info.datatype], records[name]["dbr"]) for name, info in served.items()}
    assert {name: pair for name, pair in types.items() if pair[0] != pair[1]} == {}

    scalars = [name for name, record in records.items() if record["count"] == 1]
    assert {n: served[n].count for n in scalars if served[n].count != 1} == {}

    enums = {name: record["enums"] for name, record in records.items() if "enums" in record}
    values = await ca.caget([known.pv(name) for name in enums], format=ca.FORMAT_CTRL)
    states = {name: list(value.enums) for name, value in zip(enums, values, strict=True)}
    assert {n: (states[n], enums[n]) for n in enums if states[n] != enums[n]} == {}

    units = {name: record["egu"] for name, record in records.items() if "egu" in record}
    values = await ca.caget([known.pv(name) for name in units], format=ca.FORMAT_CTRL)
    shown = {name: value.units for name, value in zip(units, values, strict=True)}
    assert shown == units


async def test_aliases_are_the_records_that_clients_know(
    known: Ioc, interface: dict[str, Any], ca: Any
) -> None:
    """The record behind an alias, asked for by its own name."""
    aliases = interface["aliases"]
    found = await ca.caget([f"{known.pv(alias)}.NAME" for alias in aliases])
    records = [str(name).removeprefix(f"{known.prefix}:") for name in found]
    wanted = await ca.caget([f"{known.pv(name)}.NAME" for name in aliases.values()])
    assert records == [str(name).removeprefix(f"{known.prefix}:") for name in wanted]


async def test_pvi_structures_list_what_clients_know(
    known: Ioc, interface: dict[str, Any], pva: Any
) -> None:
    wanted = {name: _entries(tree, known) for name, tree in interface["pvi"].items()}
    found = {
        name: value.todict()["value"]
        for name, value in zip(
            wanted, pva.get([known.pv(name) for name in wanted], timeout=30), strict=True
        )
    }
    for name, tree in wanted.items():
        differ = {key: (found[name].get(key), tree[key]) for key in tree}
        assert {key: pair for key, pair in differ.items() if pair[0] != pair[1]} == {}, name


def _entries(tree: Any, ioc: Ioc) -> Any:
    """The tree with full names of PVs at its leaves."""
    if isinstance(tree, str):
        return ioc.pv(tree)
    if isinstance(tree, list):
        return [_entries(each, ioc) for each in tree]
    if isinstance(tree, dict):
        return {key: _entries(each, ioc) for key, each in tree.items()}
    return tree


async def _records(sim: Sim, prefix: str) -> RecordSet:
    async with AsyncioClient(sim.host, sim.port, sim.data_port) as client:
        return build_records(await introspect(client), prefix)


async def test_every_record_of_the_packaged_application_is_served(
    sim: Sim, ioc: Ioc, ca: Any
) -> None:
    records = await _records(sim, ioc.prefix)
    served = await _served(ca, ioc, records.names)
    assert [name for name, info in served.items() if not info.ok] == []
    wanted = {
        name: (NATIVE.get(spec.rtype) or WAVEFORM[spec.ftvl], spec.length)
        for spec in records.specs
        for name in (spec.name, *spec.aliases)
    }
    found = {name: (DBR[info.datatype], info.count) for name, info in served.items()}
    assert {n: (found[n], wanted[n]) for n in wanted if found[n] != wanted[n]} == {}


async def test_read_only_records_refuse_puts(sim: Sim, ioc: Ioc, ca: Any) -> None:
    records = await _records(sim, ioc.prefix)
    kinds = {(spec.rtype, spec.ftvl): spec.name for spec in records.specs if not spec.writable}
    results = await ca.caput(
        [ioc.pv(name) for name in kinds.values()], ["0"] * len(kinds), wait=True, throw=False
    )
    assert {result.name: result.ok for result in results if result.ok} == {}


async def test_every_pvi_entry_names_a_pv_that_is_served(sim: Sim, ioc: Ioc, pva: Any) -> None:
    blocks = pva.get(ioc.pv("PVI")).todict()["value"]
    names = [name for entry in blocks.values() for name in _leaves(entry)]
    assert ioc.pv("PULSE1:PVI") in names
    entries = {leaf for name in names for leaf in _leaves(pva.get(name).todict()["value"])}
    assert ioc.pv("SEQ1:TABLE") in entries
    names = sorted(entries)
    found = pva.get(names, request=["field()"] * len(names), timeout=30, throw=False)
    assert [n for n, each in zip(names, found, strict=True) if isinstance(each, Exception)] == []


def _leaves(entry: Any) -> list[str]:
    if isinstance(entry, str):
        return [entry]
    if isinstance(entry, dict):
        entry = list(entry.values())
    return [leaf for each in entry or () for leaf in _leaves(each)]
