"""The end of an acquisition has three moments: what waits for it, and what is shown of it.

The hardware stops; the PandA has read the rest; all data clients have been sent the end.
"""

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import h5py
import pytest
from capturing import Data

from support.servers import Ioc, Sim, Starter

DRAIN = 0.4


@pytest.fixture
async def data(ca: Any, ioc: Ioc, sim: Sim, tmp_path: Path) -> AsyncIterator[Data]:
    """A client; a PandA that takes 1000 samples a second until disarmed, and reads on for long."""
    data = Data(ca, ioc)
    await data.put(CAPTURE=0)
    sim.put("*PCAP.DISARM=", "*CAPTURE=", "COUNTER1.OUT.CAPTURE=Value")
    sim.put("*SIM.RATE=1000", "*SIM.SAMPLES=0", f"*SIM.DRAIN={DRAIN}")
    await data.put(HDF_DIRECTORY=str(tmp_path), HDF_FILE_NAME="a.h5", NUM_CAPTURE=0)
    await data.field("PCAP:WAIT", 0)
    yield data
    sim.put("*PCAP.DISARM=", "*SIM.DRAIN=0.008")
    await data.put(CAPTURE=0)


@contextlib.contextmanager
def slow_reader(sim: Sim) -> Iterator[None]:
    """Another program that is connected to the data port, and reads nothing."""
    with socket.socket() as reader:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader.connect((sim.host, sim.data_port))
        reader.sendall(b"XML FRAMED RAW\n")
        assert reader.recv(3) == b"OK\n"
        yield


def said(sim: Sim, name: str) -> str:
    return sim.ask(f"*PCAP.{name}?")[0].removeprefix("OK =")


async def is_final(data: Data, sim: Sim, completion: str) -> None:
    """Both records show what the PandA says now."""
    assert str(await data.get("PCAP:COMPLETION")) == completion == said(sim, "COMPLETION")
    assert await data.get("PCAP:CAPTURED") == int(said(sim, "CAPTURED"))


@pytest.mark.parametrize("wait", [("PCAP:ARM", 0), ("PCAP:WAIT", 1), ("DATA:WAIT", 1)])
async def test_a_put_that_waits_ends_when_the_panda_can_be_armed(
    data: Data, sim: Sim, wait: tuple[str, int]
) -> None:
    await data.put(CAPTURE=1)
    await data.arm()
    await data.shown("PCAP:CAPTURED", lambda count: count > 0)
    if wait[0] != "PCAP:ARM":
        sim.put("*PCAP.DISARM=")
    begun = time.monotonic()
    await data.field(*wait)
    assert time.monotonic() - begun > 0.8 * DRAIN
    assert said(sim, "STATUS").split()[::2] == ["Idle", "0"]
    await is_final(data, sim, "Disarmed")
    sim.put("*PCAP.ARM=")


@pytest.mark.parametrize("who", ["itself", "another client", "an error"])
async def test_what_is_shown_becomes_final_whoever_armed_and_however_it_ended(
    data: Data, sim: Sim, who: str
) -> None:
    sim.put(f"*SIM.SAMPLES={50 if who == 'itself' else 0}", "*PCAP.ARM=")
    end = {
        "itself": ("Ok", ()),
        "another client": ("Disarmed", ("*PCAP.DISARM=",)),
        "an error": ("Framing error", ("*SIM.END=Framing error",)),
    }
    completion, commands = end[who]
    sim.put(*commands)
    await data.shown("PCAP:COMPLETION", "Busy")
    await data.shown("PCAP:COMPLETION", completion)
    await is_final(data, sim, completion)


async def test_an_acquisition_that_no_poll_sees_is_followed_too(data: Data, sim: Sim) -> None:
    sim.put("*SIM.DRAIN=0.008", "*SIM.SAMPLES=7", "*SIM.RATE=1000000", "*PCAP.ARM=")
    await data.shown("PCAP:CAPTURED", 7)
    await is_final(data, sim, "Ok")


async def test_busy_is_no_end_that_failed_nor_one_that_did_not(data: Data, sim: Sim) -> None:
    await data.arm()
    sim.put("*SIM.END=Framing error")
    assert "Framing error" in await data.refused("PCAP:WAIT", 1)
    await is_final(data, sim, "Framing error")


@pytest.mark.parametrize("who", ["ARM 0", "another client", "itself"])
async def test_an_arm_right_after_the_end_is_not_refused(data: Data, sim: Sim, who: str) -> None:
    sim.put(f"*SIM.SAMPLES={300 if who == 'itself' else 0}")
    await data.arm()
    if who == "another client":
        sim.put("*PCAP.DISARM=")
    elif who == "itself":
        await data.shown("PCAP:ACTIVE", 0)
    else:
        await asyncio.gather(data.field("PCAP:ARM", 0))
    begun = time.monotonic()
    await data.arm()
    assert (time.monotonic() - begun > 0.5 * DRAIN) is (who != "ARM 0")


async def test_an_arm_while_an_acquisition_runs_is_refused_in_the_pandas_words(
    data: Data, sim: Sim
) -> None:
    await data.arm()
    begun = time.monotonic()
    assert "Data capture already in progress" in await data.refused("PCAP:ARM", 1)
    assert time.monotonic() - begun < 2
    assert await data.get("PCAP:ARM") == 1
    sim.put("*PCAP.DISARM=", "*CAPTURE=")
    await data.field("PCAP:WAIT", 1)
    assert "Nothing configured for capture" in await data.refused("PCAP:ARM", 1)
    assert await data.get("PCAP:ARM") == 0


async def test_the_tail_of_an_acquisition_is_not_captured(
    data: Data, sim: Sim, tmp_path: Path
) -> None:
    """The capture is of the acquisition that comes next, with all its samples."""
    await data.arm()
    await data.shown("LIVE:RECEIVED", lambda count: count > 0)
    sim.put("*PCAP.DISARM=")
    await data.put(CAPTURE=1)
    assert await data.get("STATUS") == "Waiting for an acquisition"
    sim.put("*SIM.SAMPLES=100")
    await data.arm()
    await data.put(WAIT=1)
    assert await data.get("NUM_MISSED") == 0
    assert await data.get("NUM_CAPTURED") == 100
    assert (await data.get("STATUS")).startswith("Ok: 100 samples, in ")
    with h5py.File(tmp_path / "a.h5") as file:
        assert len(file["COUNTER1.OUT.Value"]) == 100


async def test_another_programs_slow_reader_is_named(data: Data, sim: Sim) -> None:
    sim.put("*SIM.RATE=0", "*SIM.SAMPLES=4000000")
    with slow_reader(sim):
        await data.arm()
        await data.shown("PCAP:CAPTURED", 4_000_000)  # more than buffers of the network hold
        begun = time.monotonic()
        puts = [("PCAP:ARM", 0), ("PCAP:WAIT", 1), ("DATA:WAIT", 1)]
        for words in await asyncio.gather(*(data.refused(*put) for put in puts)):
            assert "1 data client still taking data" in words
        assert 4 < time.monotonic() - begun < 15
        assert await data.get("PCAP:ACTIVE") == 0
        assert await data.get("PCAP:ARM") == 0
        assert "1 data client still taking data" in await data.refused("PCAP:ARM", 1)
        # A capture may begin meanwhile: it is of the next acquisition.
        await data.put(CAPTURE=1)
    sim.put("*SIM.RATE=1000", "*SIM.SAMPLES=50")
    await data.field("PCAP:WAIT", 0)
    await data.arm()
    await data.put(WAIT=1)
    assert (await data.get("NUM_CAPTURED"), await data.get("NUM_MISSED")) == (50, 0)


@pytest.mark.slow
async def test_a_panda_that_reads_on_for_too_long_is_named(
    start_sim: Starter[Sim], start_ioc: Starter[Ioc], ca: Any
) -> None:
    sim = start_sim()
    data = Data(ca, start_ioc(sim.address))
    sim.put("*SIM.HOLD=1", "*SIM.DRAIN=3600")
    await data.arm()
    begun = time.monotonic()
    assert "still reading" in await data.refused("PCAP:ARM", 0)
    assert 4 < time.monotonic() - begun < 15
    assert await data.get("PCAP:ARM") == 0
