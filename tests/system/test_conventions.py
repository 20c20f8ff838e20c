"""What an EPICS engineer checks first: the fields and alarms of all records, and the PV lists."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from watching import CaSeen, PvaSeen

from support.servers import PROGRAM, EpicsPorts, Ioc, Sim

MAJOR, STATE = 2, 7
UDF_INVALID = 3
NUMBERS = {"ai", "ao"}


@pytest.fixture(scope="module")
def lists(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lists")


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, epics_ports: EpicsPorts, sim: Sim, lists: Path
) -> Iterator[Ioc]:
    """A bridge that writes lists of its PVs."""
    log = tmp_path_factory.mktemp("server") / "log"
    with Ioc(log, epics_ports, sim.address, "--pv-list", str(lists / "pvs.txt")) as server:
        yield server


def names(lists: Path, ending: str = "") -> list[str]:
    return (lists / f"pvs{ending}.txt").read_text().splitlines()


async def fields(ca: Any, pvs: list[str], field: str, **keywords: Any) -> dict[str, Any]:
    values = await ca.caget([f"{pv}.{field}" for pv in pvs], timeout=60, **keywords)
    return dict(zip(pvs, values, strict=True))


async def record_types(ca: Any, pvs: list[str]) -> dict[str, str]:
    return {pv: str(found) for pv, found in (await fields(ca, pvs, "RTYP")).items()}


async def test_the_lists_name_every_pv_once_and_small_ones_apart(
    server: Ioc, lists: Path, ca: Any, pva: Any
) -> None:
    small, large, aliases = names(lists), names(lists, "-large"), names(lists, "-aliases")
    everything = [*small, *large, *aliases, *names(lists, "-pva")]
    assert len(set(everything)) == len(everything)
    assert all(name.startswith(f"{server.prefix}:") for name in everything)
    assert server.pv("COUNTER1:OUT") in small
    assert server.pv("COUNTER1:OUT:DATA:VALUE") in large
    assert server.pv("POSITIONS:0:VAL") in aliases
    assert {server.pv("PVI"), server.pv("SEQ1:TABLE"), server.pv("PULSE1:TRIG:ENUM")} <= set(
        names(lists, "-pva")
    )
    served = f"serving {sim_address(server)} as {server.prefix}: {len(small) + len(large)} records"
    assert served in server.text()
    assert "waveform" not in (await record_types(ca, small)).values()
    assert set((await record_types(ca, large)).values()) == {"waveform"}


def sim_address(server: Ioc) -> str:
    address = server.command[server.command.index("run") + 1]
    return address.rpartition(":")[0]


async def test_every_record_says_what_it_is_and_is_invalid_until_it_is_known(
    server: Ioc, lists: Path, ca: Any
) -> None:
    pvs = [*names(lists), *names(lists, "-large")]
    assert [pv for pv, desc in (await fields(ca, pvs, "DESC")).items() if not str(desc)] == []
    undefined = await fields(ca, pvs, "UDFS", datatype=int)
    assert {pv for pv, severity in undefined.items() if severity != UDF_INVALID} == set()


async def test_numbers_have_a_precision_and_times_their_units(
    server: Ioc, lists: Path, sim: Sim, ca: Any
) -> None:
    types = await record_types(ca, names(lists))
    numbers = [pv for pv, rtype in types.items() if rtype in NUMBERS]
    precisions = await fields(ca, numbers, "PREC")
    assert {pv for pv, digits in precisions.items() if not 0 <= digits <= 15} == set()
    units = [pv for pv in types if pv.endswith(":UNITS") and types[pv] == "mbbo"]
    times = [pv.removesuffix(":UNITS") for pv in units]
    assert len(times) > 10
    shown = await fields(ca, times, "EGU")
    wanted = await ca.caget(units, datatype=str)
    assert [str(each) for each in shown.values()] == [str(each) for each in wanted]
    assert all(precisions[pv] >= 3 for pv in times)


async def test_positions_and_their_offsets_follow_the_units_of_the_box(
    server: Ioc, sim: Sim, ca: Any
) -> None:
    sim.put("INENC3.VAL.UNITS=furlong")
    with CaSeen(ca, server.pv("INENC3:VAL:UNITS")) as seen:
        await seen.until(lambda units: units == "furlong")
    for name in ("SCALED", "OFFSET"):
        assert str(await ca.caget(server.pv(f"INENC3:VAL:{name}.EGU"))) == "furlong"


async def test_limits_are_those_of_the_box(server: Ioc, sim: Sim, ca: Any) -> None:
    (top,) = sim.ask("INENC1.BITS.MAX?")
    (delay,) = sim.ask("PULSE1.TRIG.MAX_DELAY?")
    shown = await ca.caget([server.pv("INENC1:BITS.HOPR"), server.pv("PULSE1:TRIG:DELAY.HOPR")])
    assert [f"OK ={limit:.0f}" for limit in shown] == [top, delay]


async def test_health_that_is_not_ok_is_a_major_alarm_with_its_words(
    server: Ioc, sim: Sim, ca: Any, pva: Any
) -> None:
    name = server.pv("PGEN1:HEALTH")
    with CaSeen(ca, name) as seen:
        await seen.until(lambda text: text == "OK" and text.severity == 0)
        sim.put("*SIM.SET=PGEN1.HEALTH=DMA underrun")
        found = await seen.until(lambda text: text.severity == MAJOR)
        assert (str(found), found.status) == ("DMA underrun", STATE)
        assert pva.get(name).alarm.message == "DMA underrun"
        seen.updates.clear()
        sim.put("*SIM.SET=PGEN1.HEALTH=OK")
        await seen.until(lambda text: text == "OK" and text.severity == 0)


async def test_long_health_texts_alarm_in_their_enum_too(server: Ioc, sim: Sim, pva: Any) -> None:
    labels = [line[1:] for line in sim.ask("*ENUMS.OUTENC1.HEALTH?")[:-1]]
    name = server.pv("OUTENC1:HEALTH:ENUM")
    found = pva.get(name)
    assert (found.value.index, found.alarm.severity) == (0, 0)
    sim.put(f"*SIM.SET=OUTENC1.HEALTH={labels[1]}")
    with PvaSeen(pva, name) as seen:
        await seen.until(lambda update: update.alarm.severity == MAJOR and update.value.index == 1)
        seen.updates.clear()
        sim.put(f"*SIM.SET=OUTENC1.HEALTH={labels[0]}")
        await seen.until(lambda update: update.alarm.severity == 0 and update.value.index == 0)


async def test_deadbands_hold_small_changes_back(server: Ioc, sim: Sim, ca: Any) -> None:
    name = server.pv("PULSE1:PULSES")
    sim.put("PULSE1.PULSES=100")
    archived = {"events": ca.DBE_LOG}
    with CaSeen(ca, name) as seen, CaSeen(ca, name, **archived) as kept:
        for monitor in (seen, kept):
            await monitor.until(lambda value: value == 100)
            monitor.updates.clear()
        await ca.caput(f"{name}.MDEL", 5, wait=True)
        await ca.caput(f"{name}.ADEL", 50, wait=True)
        for pulses in (103, 106, 110, 120, 170):
            sim.put(f"PULSE1.PULSES={pulses}")
            await ca.caput(server.pv("PULSE1:DELAY:UNITS"), "ms", wait=True)  # a poll has been
        await seen.until(lambda value: value == 170)
        await kept.until(lambda value: value == 170)
        assert [float(value) for value in seen.updates] == [106, 120, 170]
        assert [float(value) for value in kept.updates] == [170]
    await ca.caput([f"{name}.MDEL", f"{name}.ADEL"], 0, wait=True)


def test_records_are_tagged_for_archivers(server: Ioc, lists: Path) -> None:
    """Tags are in the database that `info --db` prints: they cannot be read over CA or PVA."""
    done = subprocess.run(
        [*PROGRAM, "info", sim_address(server), "--db", server.prefix],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    records = re.findall(r'record\(\w+, "([^"]+)"\) \{(.*?)\n\}', done.stdout, re.DOTALL)
    archived = {name for name, body in records if 'info("archive"' in body}
    assert archived <= set(names(lists))
    assert server.pv("COUNTER1:OUT") in archived
    assert server.pv("SEQ1:TABLE:CLEAR") not in archived
    saved = {name for name, body in records if 'info("autosaveFields"' in body}
    assert server.pv("DATA:LIVE:PERIOD") in saved
    assert server.pv("PULSE1:DELAY") not in saved
