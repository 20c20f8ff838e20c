"""RecCeivers hear of every PV, with aliases, info tags and properties, and hear it again."""

import socket
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from panda_ioc import __version__
from support.recceiver import GREETING, HEADER, RecCeiver
from support.servers import LOOPBACK, EpicsPorts, Ioc, Sim, Starter, free_ports

STATES = ("Off", "Listening", "Connecting", "Uploading", "Done")
GOOD = struct.Struct("!HBB4sHHI")


@pytest.fixture(scope="module")
def port() -> int:
    """Where the module's bridge listens for announcements."""
    return free_ports(1)[0]


@pytest.fixture(scope="module")
def lists(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where it writes its lists of PVs."""
    return tmp_path_factory.mktemp("lists")


@pytest.fixture(scope="module")
def ioc(port: int, lists: Path, epics_ports: EpicsPorts, sim: Sim) -> Iterator[Ioc]:
    options = ["--recsync-listen", f"{LOOPBACK}:{port}", "--pv-list", str(lists / "pvs.txt")]
    prefix = "XF:27ID1-ES{PANDA:1}"
    with Ioc(lists / "log", epics_ports, sim.address, *options, prefix=prefix) as server:
        yield server


@pytest.fixture
def recceiver(port: int, ioc: Ioc) -> Iterator[RecCeiver]:
    with RecCeiver(port) as server:
        yield server


async def state(ca: Any, ioc: Ioc) -> str:
    return STATES[int(await ca.caget(ioc.pv("IOC:RECSYNC:STATE"), timeout=20))]


def test_every_name_arrives_with_those_of_devIocStats(  # noqa: N802
    recceiver: RecCeiver, ioc: Ioc, lists: Path
) -> None:
    with recceiver.joined() as told:
        names = told.names()
        records = [entry.name for entry in told.records.values()]
        assert len(records) == len(set(records))
        for ending in ("", "-large", "-aliases"):
            listed = set((lists / f"pvs{ending}.txt").read_text().split("\n")) - {""}
            assert listed
            assert listed <= names
        assert ioc.pv("IOC:UPTIME") in records
        assert ioc.pv("IOC:SysReset") in names


def test_records_have_their_type_aliases_description_and_info_tags(
    recceiver: RecCeiver, ioc: Ioc
) -> None:
    with recceiver.joined() as told:
        entries = {entry.name: entry for entry in told.records.values()}
    status, delay = entries[ioc.pv("STATUS")], entries[ioc.pv("PULSE1:DELAY")]
    assert (status.rtype, status.aliases) == ("mbbi", [ioc.pv("Status")])
    assert status.info["recordDesc"] == "Connection to the PandA"
    assert status.info["archive"] == "monitor 1.0 VAL"
    assert delay.rtype == "ao"
    assert entries[ioc.pv("DATA:CAPTURE_MODE")].info["autosaveFields"] == "VAL"
    assert entries[ioc.pv("DATA:HDF_DIRECTORY")].info["Q:form"] == "String"


def test_the_ioc_has_a_lasting_name_and_says_what_it_is_and_where(
    recceiver: RecCeiver, ioc: Ioc, sim: Sim
) -> None:
    with recceiver.joined() as told:
        found = told.properties
    assert found["IOCNAME"] == found["PANDA_IOC_PREFIX"] == ioc.prefix
    assert found["HOSTNAME"]
    assert found["EPICS_VERSION"].startswith("7.")
    assert found["PANDA_ADDRESS"] == sim.address.rpartition(":")[0]
    assert found["PANDA_IOC_VERSION"] == __version__
    assert found["PANDA_IDN"].startswith("PandA SW: ")
    assert found["RSRV_SERVER_PORT"] == ioc.environment["EPICS_CAS_SERVER_PORT"]
    assert int(found["PVAS_SERVER_PORT"]) > 0


async def test_pings_are_answered_and_the_state_is_shown(
    recceiver: RecCeiver, ioc: Ioc, ca: Any
) -> None:
    with recceiver.joined() as told:
        told.ping()
        told.send(HEADER.pack(0x5243, 0x8777, 100) + bytes(100))  # of a kind that nobody knows
        told.send(HEADER.pack(0x5243, 0x8002, 40) + bytes(40))  # longer than it need be
        assert told.message() == (2, bytes(4))
        told.ping()
        assert await state(ca, ioc) == "Done"
        message = str(await ca.caget(ioc.pv("IOC:RECSYNC:MSG"), timeout=20))
        assert message.startswith(f"{LOOPBACK}:")


def test_a_recceiver_that_comes_back_hears_it_all_again(port: int, ioc: Ioc) -> None:
    counts = set()
    for _ in range(2):
        with RecCeiver(port) as recceiver, recceiver.joined() as told:
            counts.add(len(told.names()))
    assert len(counts) == 1


GARBAGE = {
    "another protocol": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "zeros": bytes(100),
    "short ping": GREETING + HEADER.pack(0x5243, 0x8002, 2) + b"ab",
    "nothing": b"",
}


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE.keys())
async def test_garbage_of_a_recceiver_does_no_harm(
    recceiver: RecCeiver, ioc: Ioc, ca: Any, garbage: bytes
) -> None:
    told = recceiver.accept()
    told.send(garbage)
    if not garbage:
        told.close()
    while garbage and told.message()[0]:  # until it hangs up
        pass
    with recceiver.joined() as again:
        again.ping()
        assert await ca.caget(ioc.pv("STATUS"), timeout=20) == 2


def test_datagrams_that_announce_nothing_are_ignored(
    port: int, ioc: Ioc, recceiver: RecCeiver
) -> None:
    with socket.create_server((LOOPBACK, 0)) as other:
        where = other.getsockname()[1]
        own = b"\xff" * 4
        for datagram in (
            b"",
            b"RC",
            bytes(16),
            GOOD.pack(0x5243, 1, 0, own, where, 0, 7),  # of a later version
            GOOD.pack(0x4342, 0, 0, own, where, 0, 7),
            GOOD.pack(0x5243, 0, 0, own, 0, 0, 7),
            GOOD.pack(0x5243, 0, 0, bytes(4), where, 0, 7),
        ):
            recceiver.announce(datagram)
        with recceiver.joined() as told:  # the next announcement is taken
            told.ping()
        other.settimeout(0)
        with pytest.raises(BlockingIOError):
            other.accept()


def test_two_bridges_of_one_host_hear_the_same_broadcast(sim: Sim, start_ioc: Starter[Ioc]) -> None:
    port = free_ports(1)[0]
    bridges = [start_ioc(sim.address, "--recsync-listen", f"0.0.0.0:{port}") for _ in range(2)]
    with RecCeiver(port, "127.255.255.255") as recceiver:
        prefixes = set()
        for _ in bridges:
            with recceiver.joined() as told:
                prefixes.add(told.properties["IOCNAME"])
    assert prefixes == {bridge.prefix for bridge in bridges}


def test_when_the_bridge_ends_the_recceiver_hears_it_at_once(
    sim: Sim, start_ioc: Starter[Ioc]
) -> None:
    port = free_ports(1)[0]
    bridge = start_ioc(sim.address, "--recsync-listen", f"{LOOPBACK}:{port}")
    with RecCeiver(port) as recceiver, recceiver.joined() as told:
        assert bridge.stop() == 0
        assert told.message() == (0, b"")


async def test_a_port_that_cannot_be_had_is_told_once_and_the_bridge_serves(
    sim: Sim, start_ioc: Starter[Ioc], ca: Any
) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as taken:
        taken.bind((LOOPBACK, 0))  # not shared
        place = f"{LOOPBACK}:{taken.getsockname()[1]}"
        bridge = start_ioc(sim.address, "--recsync-listen", place)
        bridge.wait_for(f"cannot listen at {place} by UDP")
        assert await ca.caget(bridge.pv("STATUS"), timeout=20) == 2
    with RecCeiver(int(place.rpartition(":")[2])) as recceiver, recceiver.joined():
        bridge.wait_for("joined RecCeiver")
    assert bridge.text().count("cannot listen") == 1


async def test_without_the_option_nothing_is_announced(
    sim: Sim, start_ioc: Starter[Ioc], ca: Any
) -> None:
    assert await state(ca, start_ioc(sim.address)) == "Off"
