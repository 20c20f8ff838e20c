"""Changes made by others: monitors of input and of output records follow the box.

The other client is a plain socket on the control port.
"""

import asyncio
import re
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from watching import MARKED, TIMEOUT, CaSeen, PvaSeen, caught_up, until

from panda_ioc.client.asyncio import AsyncioClient
from panda_ioc.client.introspection import introspect
from panda_ioc.records.build import build_records
from support.servers import SIM_READY, EpicsPorts, Ioc, Server, Sim

NO_ALARM, READ, INVALID = 0, 1, 3

# command, record, what it then shows
CHANGES = [
    ("PULSE1.PULSES=11", "PULSE1:PULSES", 11),
    ("COUNTER3.START=-7", "COUNTER3:START", -7),
    ("EQU2.GAIN=0.75", "EQU2:GAIN", 0.75),
    ("BITS.C=1", "BITS:C", 1),
    ("LUT2.FUNC=A|B", "LUT2:FUNC", "A|B"),
    ("TTLIN2.TERM=50-Ohm", "TTLIN2:TERM", 1),
    ("EQU2.SOURCE=Nothing", "EQU2:SOURCE", "Nothing"),
    ("PULSE1.DELAY=4", "PULSE1:DELAY", 4),
    ("SEQ1.PRESCALE=8", "SEQ1:PRESCALE", 8),
    ("TTLOUT3.VAL=TTLIN1.VAL", "TTLOUT3:VAL", "TTLIN1.VAL"),
    ("TTLOUT3.VAL.DELAY=2", "TTLOUT3:VAL:DELAY", 2),
    ("CALC2.INPB=INENC1.VAL", "CALC2:INPB", "INENC1.VAL"),
    ("INENC2.VAL.SCALE=0.125", "INENC2:VAL:SCALE", 0.125),
    ("INENC2.VAL.OFFSET=3", "INENC2:VAL:OFFSET", 3),
    ("INENC2.VAL.UNITS=deg", "INENC2:VAL:UNITS", "deg"),
    ("INENC2.VAL.CAPTURE=Diff", "INENC2:VAL:CAPTURE", 2),
    ("INENC2.VAL.CAPTURE=Value Diff", "INENC2:VAL:CAPTURE:SET", "Value Diff"),
    ("PCAP.BITS1.CAPTURE=Value", "PCAP:BITS1:CAPTURE", 1),
    ("PCAP.TS_END.CAPTURE=Value", "PCAP:TS_END:CAPTURE", 1),
    ("PULSE3.STEP.UNITS=us", "PULSE3:STEP:UNITS", 3),
    ("*METADATA.LABEL_PULSE1=Shutter", "PULSE1:LABEL", "Shutter"),
    ("*SIM.SET=TTLIN4.VAL=1", "TTLIN4:VAL", 1),
    ("*SIM.SET=INENC3.VAL=-1234", "INENC3:VAL", -1234),
    ("*SIM.SET=PCOMP1.PRODUCED=5", "PCOMP1:PRODUCED", 5),
    ("*SIM.SET=SYSTEM.TEMP_PSU=-3", "SYSTEM:TEMP_PSU", -3),
    ("*SIM.SET=PCOMP1.STATE=WAIT_DIR", "PCOMP1:STATE", "WAIT_DIR"),
    ("*SIM.SET=SYSTEM.ENC_24V=24", "SYSTEM:ENC_24V", 24),
]


@pytest.fixture(scope="module", autouse=True)
def still(sim: Sim) -> None:
    """Nothing moves but what a test moves; times are in us."""
    sim.put("*SIM.ALIVE=0", "*SIM.SET=TTLIN4.VAL=0", "PULSE1.DELAY.UNITS=us")


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change[0])
async def test_a_change_by_another_client_reaches_ca_and_pva_monitors(
    sim: Sim, ioc: Ioc, ca: Any, pva: Any, change: tuple[str, str, Any]
) -> None:
    command, record, value = change
    datatype = ca.DBR_CHAR_STR if record.endswith(":LABEL") else None
    with (
        CaSeen(ca, ioc.pv(record), datatype=datatype) as by_ca,
        PvaSeen(pva, ioc.pv(record)) as by_pva,
    ):
        before = await by_ca.first()
        assert before != value
        await by_pva.first()
        sim.put(command)
        update = await by_ca.until(lambda update: update == value)
        assert update.severity == NO_ALARM
        assert update.timestamp > before.timestamp
        structure = await by_pva.until(lambda update: _plain(update.value) == value)
        assert structure.alarm.severity == NO_ALARM
        assert len(by_ca.updates) == 2


def _plain(value: Any) -> Any:
    """The index of an enum, or the value itself."""
    return value.index if hasattr(value, "choices") else value


async def test_scaled_follows_value_scale_and_offset(sim: Sim, ioc: Ioc, ca: Any) -> None:
    sim.put("INENC4.VAL.SCALE=0.5", "INENC4.VAL.OFFSET=10", "*SIM.SET=INENC4.VAL=100")
    with CaSeen(ca, ioc.pv("INENC4:VAL:SCALED")) as seen:
        await seen.until(lambda update: update == 60)
        sim.put("*SIM.SET=INENC4.VAL=200")
        await seen.until(lambda update: update == 110)
        sim.put("INENC4.VAL.SCALE=2")
        await seen.until(lambda update: update == 410)
        sim.put("INENC4.VAL.OFFSET=-10")
        await seen.until(lambda update: update == 390)


async def test_pulses_between_two_polls_are_seen_of_every_bit(sim: Sim, ioc: Ioc, ca: Any) -> None:
    """All of them pulse at once: none may be left out, and none may stay wrong."""
    bits = {f"TTLIN{n}": n % 2 for n in range(1, 7)} | {f"SFP2_SYNC_IN.BIT{n}": 0 for n in (1, 2)}
    wires = {name if "." in name else f"{name}.VAL": level for name, level in bits.items()}
    for wire, level in wires.items():
        sim.put(f"*SIM.SET={wire}={level}")
    seen = {wire: CaSeen(ca, ioc.pv(wire.replace(".", ":"))) for wire in wires}
    for wire, level in wires.items():
        await seen[wire].until(lambda update, level=level: update == level)
    await caught_up(sim, ioc, ca)
    counts = {wire: len(each.updates) for wire, each in seen.items()}
    _send(sim, *(f"*SIM.PULSE={wire}" for wire in wires))
    for wire, level in wires.items():
        each = seen[wire]
        await until(
            lambda each=each, wire=wire: len(each.updates) >= counts[wire] + 2, f"pulse of {wire}"
        )
        assert each.updates[counts[wire] :] == [1 - level, level]
        each.__exit__()


def _send(sim: Sim, *commands: str) -> None:
    """Several commands in one go: the box takes them in before it is asked for changes."""
    with socket.create_connection((sim.host, sim.port), 10) as connection:
        connection.sendall("".join(f"{command}\n" for command in commands).encode())
        replies = connection.makefile()
        assert [replies.readline() for _ in commands] == ["OK\n"] * len(commands)


@pytest.mark.parametrize(
    ("wire", "records"),
    [
        ("SYSTEM.TEMP_ZYNQ", ["SYSTEM:TEMP_ZYNQ"]),
        ("PCOMP2.STATE", ["PCOMP2:STATE"]),
        ("TTLIN5.VAL", ["TTLIN5:VAL"]),
        ("INENC1.VAL", ["INENC1:VAL", "INENC1:VAL:SCALED"]),
        ("PULSE2.PULSES", ["PULSE2:PULSES"]),
        ("PULSE2.DELAY", ["PULSE2:DELAY"]),
        ("TTLOUT4.VAL", ["TTLOUT4:VAL"]),
        ("TTLIN5.TERM", ["TTLIN5:TERM"]),
    ],
)
async def test_a_field_in_error_is_invalid_and_recovers(
    sim: Sim, ioc: Ioc, ca: Any, pva: Any, wire: str, records: list[str]
) -> None:
    for record in records:
        with CaSeen(ca, ioc.pv(record)) as by_ca, PvaSeen(pva, ioc.pv(record)) as by_pva:
            first = await by_ca.first()
            assert first.severity == NO_ALARM
            sim.put(f"*SIM.ERROR={wire}")
            bad = await by_ca.until(lambda update: update.severity == INVALID)
            assert bad.status == READ
            await by_pva.until(lambda update: update.alarm.severity == INVALID)
            await caught_up(sim, ioc, ca)
            assert len(by_ca.updates) == 2  # said once, though the box says it at every poll
            sim.put(f"*SIM.OK={wire}")
            await until(lambda by_ca=by_ca: len(by_ca.updates) > 2, "recovery")
            good = by_ca.updates[-1]
            assert (good, good.severity) == (first, NO_ALARM)


async def test_nothing_is_posted_that_did_not_change(sim: Sim, ioc: Ioc, ca: Any) -> None:
    async with AsyncioClient(sim.host, sim.port, sim.data_port) as client:
        records = build_records(await introspect(client), ioc.prefix)
    names = [spec.name for spec in records.specs if spec.wire and not spec.name.startswith(MARKED)]
    assert len(names) > 1000
    updates: list[tuple[str, Any]] = []
    pvs = [ioc.pv(name) for name in names]
    subscriptions = ca.camonitor(
        pvs, lambda value, index: updates.append((names[index], value)), all_updates=True
    )
    await until(lambda: len({name for name, _ in updates}) == len(names), "all first updates")
    await caught_up(sim, ioc, ca)
    updates.clear()
    for _ in range(5):
        await caught_up(sim, ioc, ca)
    assert updates == []
    sim.put("PULSE1.PULSES=77")
    await until(lambda: bool(updates), "the change")
    await caught_up(sim, ioc, ca)
    assert updates == [("PULSE1:PULSES", 77)]
    for subscription in subscriptions:
        subscription.close()


async def test_egu_follows_units_of_positions(sim: Sim, ioc: Ioc, ca: Any, pva: Any) -> None:
    names = ["SCALED", "DATA:VALUE", "DATA:MEAN", "DATA:STDDEV"]
    pvs = [ioc.pv(f"INENC1:VAL:{name}") for name in names]
    monitors = [PvaSeen(pva, pv) for pv in pvs]
    for units in ("mm", "", "a unit of more than fifteen characters"):
        sim.put(f"INENC1.VAL.UNITS={units}")
        cut = units[:15]
        for monitor in monitors:
            await monitor.until(lambda update, cut=cut: update.display.units == cut)
        assert await ca.caget([f"{pv}.EGU" for pv in pvs]) == [cut] * len(pvs)
        assert await ca.caget(ioc.pv("INENC1:VAL:UNITS")) == units
    for monitor in monitors:
        monitor.__exit__()


async def test_egu_and_number_of_a_time_follow_units(sim: Sim, ioc: Ioc, ca: Any) -> None:
    """The PandA tells of new units, but not that the number is another."""
    name = ioc.pv("PULSE2:WIDTH")
    sim.put("PULSE2.WIDTH.UNITS=s", "PULSE2.WIDTH=0.5")
    with CaSeen(ca, name) as seen:
        await seen.until(lambda update: update == 0.5)
        sim.put("PULSE2.WIDTH.UNITS=ms")
        await seen.until(lambda update: update == 500)
    # An answer that was asked for because of the first change may come before the second.
    async with asyncio.timeout(TIMEOUT):
        while (shown := await ca.caget(name, format=ca.FORMAT_CTRL)).units != "ms":
            pass
    assert (float(shown), shown.precision) == (500, 6)


async def test_limits_of_epics_are_met(sim: Sim, ioc: Ioc, ca: Any) -> None:
    """A block whose name ends in a digit has units, descriptions and labels that do not fit."""
    assert await ca.caget(ioc.pv("EQU2:GAIN.EGU")) == "counts per encoder count"[:15]
    assert await ca.caget(ioc.pv("EQU2:OUT:UNITS")) == "micrometres of travel"
    (reply,) = sim.ask("*DESC.EQU2.GAIN?")
    whole = reply.removeprefix("OK =")
    assert len(whole) > 40
    desc = await ca.caget(ioc.pv("EQU2:GAIN.DESC$"), datatype=ca.DBR_CHAR_STR)
    assert desc == whole[:40]
    sim.put("EQU2.SOURCE=Everything that is connected to this box")
    sim.put("*METADATA.LABEL_EQU21=The second equation")
    name = ioc.pv("EQU2:LABEL")
    with CaSeen(ca, name, datatype=ca.DBR_CHAR_STR) as seen:
        await seen.until(lambda update: update == "The second equation")


# A firmware of the future: types that nobody knows, blocks whose names end in a digit.
ODD = {
    "config": """*METADATA
    LABEL_EQU21 string
    LABEL_EQU22 string
EQU2[2]
    NEW     holo_out
    STRANGE param quaternion
    OLDER   read quaternion
    GAIN    param uint
PCAP
    ACTIVE  bit_out
""",
    "registers": """EQU2 2
    NEW 0
    STRANGE 1
    OLDER 2
    GAIN 3
PCAP 3
    ACTIVE 0
""",
    "description": "",
}


class OddSim(Server):
    """A simulated box of the future."""

    def __init__(self, directory: Path) -> None:
        for name, text in ODD.items():
            (directory / name).write_text(text)
        program = Path(__file__).with_name("odd_sim.py")
        super().__init__(directory / "log", [sys.executable, str(program), str(directory)])
        self.address = ":".join(self.wait_for(SIM_READY).groups())


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory, epics_ports: EpicsPorts) -> Iterator[Ioc]:
    """A bridge to a box of the future."""
    directory = tmp_path_factory.mktemp("odd")
    with OddSim(directory) as box, Ioc(directory / "ioc", epics_ports, box.address) as ioc:
        yield ioc


async def test_unknown_types_are_served_read_only(odd: Ioc, ca: Any) -> None:
    names = [odd.pv(f"EQU2{n}:{field}") for n in (1, 2) for field in ("NEW", "STRANGE", "OLDER")]
    for value in await ca.caget(names, format=ca.FORMAT_TIME):
        assert (value, value.severity) == ("0", NO_ALARM)
    results = await ca.caput(names, "1", wait=True, throw=False)
    assert [result.ok for result in results] == [False] * len(names)
    assert len(re.findall("WARNING.*unknown type", odd.text())) == 1


async def test_blocks_whose_names_end_in_a_digit_have_instances(odd: Ioc, ca: Any) -> None:
    names = [odd.pv("EQU21:GAIN"), odd.pv("EQU22:GAIN")]
    await ca.caput(names, [1, 2], wait=True)
    assert await ca.caget(names) == [1, 2]
    labels = [odd.pv("EQU21:LABEL"), odd.pv("EQU22:LABEL")]
    await ca.caput(labels, ["one", "two"], datatype=ca.DBR_CHAR_STR, wait=True)
    assert await ca.caget(labels, datatype=ca.DBR_CHAR_STR) == ["one", "two"]
