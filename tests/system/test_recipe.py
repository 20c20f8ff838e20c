"""Acquisitions without a pause, as sequencers run them: no arm is refused, nothing is missed.

The documented recipe is name, CAPTURE, ARM, WAIT, ARM 0; real ones leave steps out, have another
client disarm, or let the acquisition end by itself. `RECIPE_CYCLES` runs them more often, and
`RECIPE_PANDA=HOST:PORT:DATA_PORT` against a PandA of one's own instead of the simulator.
"""

import asyncio
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from capturing import Data

from support.epics_base import PROGRAMS
from support.servers import EpicsPorts, Ioc, Sim

CYCLES = int(os.environ.get("RECIPE_CYCLES", "60"))
SHELL_CYCLES = CYCLES // 3  # each starts five programs
OWN = os.environ.get("RECIPE_PANDA", "")
COLUMNS = ("COUNTER1.OUT.CAPTURE=Value", "PCAP.TS_TRIG.CAPTURE=Value")


class Panda:
    """The PandA on which the recipes run: a simulator, or one that is there already."""

    def __init__(self, address: str, sim: Sim | None) -> None:
        self.address, self.sim = address, sim
        host, port, _ = address.split(":")
        self._control = (host, int(port))

    def ask(self, line: str) -> str:
        """One exchange, on a connection of its own."""
        with socket.create_connection(self._control, 10) as connection:
            connection.sendall(f"{line}\n".encode())
            with connection.makefile() as replies:
                return replies.readline().rstrip("\n")

    def samples(self, count: int) -> None:
        """Samples in an acquisition, 0: until disarmed; one's own PandA is set up already."""
        if self.sim is not None:
            self.sim.put(f"*SIM.SAMPLES={count}", "*SIM.RATE=100000", "*SIM.PERIOD=0.002")


@pytest.fixture(scope="module")
def panda(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Panda]:
    if OWN:
        yield Panda(OWN, None)
        return
    with Sim(tmp_path_factory.mktemp("sim") / "log") as sim:
        panda = Panda(sim.address, sim)
        panda.ask("*CAPTURE=")
        for column in COLUMNS:
            assert panda.ask(column) == "OK"
        yield panda


@pytest.fixture(scope="module")
def ioc(
    tmp_path_factory: pytest.TempPathFactory, epics_ports: EpicsPorts, panda: Panda
) -> Iterator[Ioc]:
    with Ioc(tmp_path_factory.mktemp("ioc") / "log", epics_ports, panda.address) as ioc:
        yield ioc


@pytest.fixture
async def data(ca: Any, ioc: Ioc, tmp_path: Path) -> Data:
    data = Data(ca, ioc)
    await data.put(CAPTURE=0)
    await data.arm(0)
    await data.put(HDF_DIRECTORY=str(tmp_path), NUM_CAPTURE=0, CAPTURE_MODE=0)
    return data


async def told(data: Data, panda: Panda) -> None:
    """What is shown of the end, at once after a put to WAIT, is what the PandA says."""
    shown = str(await data.get("PCAP:COMPLETION")), int(await data.get("PCAP:CAPTURED"))
    said = await asyncio.to_thread(panda.ask, "*PCAP.COMPLETION?")
    count = await asyncio.to_thread(panda.ask, "*PCAP.CAPTURED?")
    assert shown == (said.removeprefix("OK ="), int(count.removeprefix("OK =")))
    assert shown[0] != "Busy"


async def test_the_recipe_with_a_number_of_samples(data: Data, panda: Panda) -> None:
    panda.samples(0)
    await data.put(NUM_CAPTURE=50)
    for number in range(CYCLES):
        await data.put(HDF_FILE_NAME=f"{number}.h5", CAPTURE=1)
        await data.arm()
        await data.put(WAIT=1)
        await data.arm(0)
        assert await data.get("NUM_CAPTURED") == 50
        assert await data.get("NUM_MISSED") == 0
        await told(data, panda)


async def test_acquisitions_that_end_by_themselves(data: Data, panda: Panda) -> None:
    panda.samples(100)
    for number in range(CYCLES):
        await data.put(HDF_FILE_NAME=f"{number}.h5", CAPTURE=1)
        await data.arm()
        await data.put(WAIT=1)
        await told(data, panda)
        assert await data.get("NUM_CAPTURED") == await data.get("PCAP:CAPTURED") > 0


async def test_another_client_disarms(data: Data, panda: Panda) -> None:
    panda.samples(0)
    for number in range(CYCLES):
        await data.put(HDF_FILE_NAME=f"{number}.h5", CAPTURE=1)
        await data.arm()
        assert await asyncio.to_thread(panda.ask, "*PCAP.DISARM=") == "OK"
        await data.put(WAIT=1)
        await told(data, panda)
        assert await data.get("NUM_CAPTURED") == await data.get("PCAP:CAPTURED")
        assert await data.get("NUM_MISSED") == 0


@pytest.mark.parametrize("end", ["ARM=0", "PCAP:WAIT", "another client", "itself"])
async def test_arms_without_files(data: Data, panda: Panda, end: str) -> None:
    """Nothing between the end of one and the next arm."""
    panda.samples(100 if end in ("itself", "PCAP:WAIT") else 0)
    for _ in range(CYCLES):
        await data.arm()
        if end == "ARM=0":
            await data.arm(0)
            await told(data, panda)
        elif end == "PCAP:WAIT":
            await data.field("PCAP:WAIT", 1)
            await told(data, panda)
        elif end == "another client":
            assert await asyncio.to_thread(panda.ask, "*PCAP.DISARM=") == "OK"
        else:
            await data.shown("PCAP:ACTIVE", 0)


async def test_a_capture_right_after_a_disarm_is_of_the_next_acquisition(
    data: Data, panda: Panda
) -> None:
    """ARM 0, CAPTURE 1, ARM 1: whether the disarm is waited for, or another client's."""
    panda.samples(0)
    await data.put(NUM_CAPTURE=50)
    for number in range(CYCLES):
        await data.put(HDF_FILE_NAME=f"{number}.h5")
        if number % 2:
            await data.arm(0)
        else:
            await asyncio.to_thread(panda.ask, "*PCAP.DISARM=")
        await data.put(CAPTURE=1)
        assert await data.get("STATUS") == "Waiting for an acquisition"
        await data.arm()
        await data.put(WAIT=1)
        assert await data.get("NUM_CAPTURED") == 50
        assert await data.get("NUM_MISSED") == 0
    await data.arm(0)


async def test_arming_before_the_capture(data: Data, panda: Panda) -> None:
    """The capture joins the acquisition; what it missed and what it has are all that there was."""
    panda.samples(0)
    for number in range(CYCLES // 2):
        await data.put(HDF_FILE_NAME=f"{number}.h5")
        await data.arm()
        await data.put(CAPTURE=1)
        await data.shown("NUM_RECEIVED", lambda count: count > 0)
        await data.arm(0)
        await data.put(WAIT=1)
        have, missed = await data.get("NUM_CAPTURED"), await data.get("NUM_MISSED")
        assert have > 0
        assert have + missed == await data.get("PCAP:CAPTURED")


@pytest.mark.slow
def test_the_recipe_by_caput_in_a_shell(ioc: Ioc, panda: Panda, tmp_path: Path) -> None:
    panda.samples(0)

    said = tmp_path.with_suffix(".log")

    def caput(name: str, value: object, *options: str) -> None:
        # Into a file: a pipe would be held open by a repeater that caput starts.
        with said.open("wb") as output:
            done = subprocess.run(
                [str(PROGRAMS / "caput"), "-c", "-w", "30", *options, ioc.pv(name), str(value)],
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
            )
        # A time-out exits with 0 all the same.
        text = said.read_text()
        assert (done.returncode, "timed out" in text) == (0, False), (name, value, text)

    caput("DATA:HDF_DIRECTORY", tmp_path, "-S")
    caput("DATA:NUM_CAPTURE", 50)
    for number in range(SHELL_CYCLES):
        caput("DATA:HDF_FILE_NAME", f"{number}.h5", "-S")
        caput("DATA:CAPTURE", 1)
        caput("PCAP:ARM", 1)
        caput("DATA:WAIT", 1)
        caput("PCAP:ARM", 0)
    assert len(os.listdir(tmp_path)) == SHELL_CYCLES


async def test_ophyd_async_disarms_and_arms(ioc: Ioc, panda: Panda, tmp_path: Path) -> None:
    from ophyd_async.core import StaticPathProvider, UUIDFilenameProvider, init_devices
    from ophyd_async.fastcs.panda import HDFPanda

    panda.samples(0)
    async with init_devices():
        device = HDFPanda(
            f"{ioc.prefix}:", StaticPathProvider(UUIDFilenameProvider(), tmp_path), name="panda"
        )
    for _ in range(CYCLES):
        await device.pcap.arm.set(False)
        await device.pcap.arm.set(True)
    await device.pcap.arm.set(False)
