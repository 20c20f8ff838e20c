"""Another IOC, of EPICS base, whose records are linked to ours: as sites wire PandAs to motors."""

from collections.abc import Iterator
from typing import Any

import pytest
from watching import CaSeen

from support.epics_base import PROGRAMS
from support.servers import EpicsPorts, Ioc, Server, Sim, random_prefix

INVALID, MAJOR = 3, 2
DATABASE = """
record(ao, "$(S):DELAY")    { field(OUT, "$(P):PULSE1:DELAY CA") }
record(ai, "$(S):FOLLOW")   { field(INP, "$(P):PULSE1:DELAY CP MS") field(PREC, "3") }
record(ao, "$(S):WAITS")    { field(DTYP, "Async Soft Channel") field(OUT, "$(P):PULSE1:DELAY PP") }
record(bo, "$(S):ARM")      { field(DTYP, "Async Soft Channel") field(OUT, "$(P):PCAP:ARM CA") }
record(stringout, "$(S):TRIG") { field(OUT, "$(P):PULSE1:TRIG PP") }

record(calcout, "$(S):TWICE") {
    field(INPA, "$(P):PULSE1:WIDTH CP") field(CALC, "A*2") field(OUT, "$(P):PULSE2:WIDTH PP")
}

record(seq, "$(S):PULSE3") {
    field(DOL1, "2")    field(LNK1, "$(P):PULSE3:WIDTH:UNITS PP")
    field(DOL2, "12.5") field(LNK2, "$(P):PULSE3:WIDTH PP")
    field(DOL3, "7")    field(LNK3, "$(P):PULSE3:PULSES PP")
}
"""


class Soft:
    """The other IOC, and its PVs."""

    def __init__(self, ca: Any, prefix: str, ioc: Ioc) -> None:
        self._ca, self._prefix, self._ioc = ca, prefix, ioc

    async def put(self, name: str, value: Any) -> None:
        await self._ca.caput(f"{self._prefix}:{name}", value, wait=True, timeout=10)

    async def shows(self, name: str, good: Any) -> None:
        """Wait until one of its PVs is good."""
        await self._until(f"{self._prefix}:{name}", good)

    async def ours(self, name: str, value: Any) -> None:
        """Wait until one of our PVs has a value."""
        await self._until(self._ioc.pv(name), lambda update: update == value)

    async def _until(self, pv: str, good: Any) -> None:
        with CaSeen(self._ca, pv) as seen:
            await seen.until(good, pv)


@pytest.fixture(scope="module")
def soft_prefix(
    tmp_path_factory: pytest.TempPathFactory, epics_ports: EpicsPorts, ioc: Ioc
) -> Iterator[str]:
    directory = tmp_path_factory.mktemp("soft")
    database, prefix = directory / "links.db", random_prefix()
    database.write_text(DATABASE)
    macros = f"S={prefix},P={ioc.prefix}"
    command = [str(PROGRAMS / "softIoc"), "-S", "-m", macros, "-d", str(database)]
    with (
        epics_ports.slot() as slot,
        Server(directory / "log", command, epics_ports.server(slot)) as server,
    ):
        server.wait_for("iocRun: All initialization complete")
        yield prefix


@pytest.fixture
def soft(soft_prefix: str, ca: Any, ioc: Ioc) -> Soft:
    return Soft(ca, soft_prefix, ioc)


async def test_a_link_writes_and_another_follows(soft: Soft, sim: Sim) -> None:
    sim.put("PULSE1.DELAY.UNITS=s")
    for value in (3, 0.25):
        await soft.put("DELAY", value)
        await soft.shows("FOLLOW", lambda update, value=value: update == value)
        assert sim.ask("PULSE1.DELAY?") == [f"OK ={value}"]
    sim.put("PULSE1.DELAY=1.5")
    await soft.shows("FOLLOW", lambda update: update == 1.5)


async def test_a_link_that_waits_ends_when_the_panda_has_the_value(soft: Soft, sim: Sim) -> None:
    for value in range(20):
        await soft.put("WAITS", value)
        assert sim.ask("PULSE1.DELAY?") == [f"OK ={value}"]


async def test_a_refused_write_of_a_link_is_seen_by_those_that_follow(soft: Soft) -> None:
    await soft.put("WAITS", 2)
    await soft.put("WAITS", -1)
    await soft.shows("FOLLOW", lambda update: update == 2 and update.severity == INVALID)
    await soft.put("WAITS", 4)
    await soft.shows("FOLLOW", lambda update: update == 4 and update.severity == 0)


async def test_a_mux_is_written_by_its_name(soft: Soft, sim: Sim) -> None:
    await soft.put("TRIG", "TTLIN2.VAL")
    await soft.ours("PULSE1:TRIG", "TTLIN2.VAL")
    assert sim.ask("PULSE1.TRIG?") == ["OK =TTLIN2.VAL"]


async def test_calcout_goes_on_from_what_others_change(soft: Soft, sim: Sim) -> None:
    sim.put("PULSE1.WIDTH.UNITS=s", "PULSE2.WIDTH.UNITS=s", "PULSE1.WIDTH=3")
    await soft.ours("PULSE2:WIDTH", 6)
    sim.put("PULSE1.WIDTH=0.5")
    await soft.ours("PULSE2:WIDTH", 1)
    assert sim.ask("PULSE2.WIDTH?") == ["OK =1"]


@pytest.mark.parametrize("before", ["s", "min"])
async def test_seq_writes_in_its_order(soft: Soft, sim: Sim, before: str) -> None:
    """Units first, then the number that is in them; nothing waits in between."""
    sim.put(f"PULSE3.WIDTH.UNITS={before}", "PULSE3.WIDTH=1", "PULSE3.PULSES=1")
    await soft.ours("PULSE3:PULSES", 1)
    await soft.put("PULSE3.PROC", 1)
    await soft.ours("PULSE3:PULSES", 7)
    await soft.ours("PULSE3:WIDTH", 12.5)
    assert sim.ask("PULSE3.WIDTH.UNITS?") == ["OK =ms"]
    assert sim.ask("PULSE3.WIDTH?") == ["OK =12.5"]


async def test_arming_waits_and_shows(soft: Soft, sim: Sim) -> None:
    sim.put("*CAPTURE=", "COUNTER1.OUT.CAPTURE=Value", "*SIM.HOLD=1")
    try:
        await soft.put("ARM", 1)
        assert sim.ask("PCAP.ACTIVE?") == ["OK =1"]
        await soft.put("ARM", 0)
        assert sim.ask("PCAP.ACTIVE?") == ["OK =0"]
    finally:
        sim.ask("*PCAP.DISARM=")
        sim.put("*SIM.HOLD=0")
