"""Capture to files through `DATA:*`: what clients put and see, and what is in the file."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import h5py
import pytest

from servers import Ioc, Sim
from watching import CaSeen, until

INVALID, MAJOR = 3, 2
FIELDS = ("COUNTER1.OUT", "COUNTER2.OUT", "INENC1.VAL", "PCAP.BITS0", "PCAP.TS_TRIG")


class Data:
    """Puts and gets under `DATA:`."""

    def __init__(self, ca: Any, ioc: Ioc) -> None:
        self._ca, self._ioc = ca, ioc

    async def put(self, **values: Any) -> None:
        """Puts that must succeed."""
        for name, value in values.items():
            await self._ca.caput(self.pv(name), value, wait=True, timeout=30, **_kind(value))

    async def refused(self, name: str, value: Any) -> str:
        """A put that must fail; what ERROR says of it."""
        with pytest.raises(self._ca.CANothing):
            await self._ca.caput(self.pv(name), value, wait=True, timeout=30, **_kind(value))
        return await self._text("ERROR")

    async def get(self, name: str) -> Any:
        if name in ("STATUS", "HDF_DIRECTORY", "HDF_FILE_NAME", "HDF_FULL_FILE_PATH"):
            return await self._text(f"DATA:{name}")
        return await self._ca.caget(self.pv(name))

    async def severity(self, name: str = "STATUS") -> int:
        value = await self._ca.caget(self.pv(name), format=self._ca.FORMAT_TIME)
        return int(value.severity)

    async def ended(self) -> None:
        """Wait until DATA:CAPTURE goes to 0."""
        with CaSeen(self._ca, self.pv("CAPTURE")) as seen:
            await seen.until(lambda update: update == 0, "end of the capture")

    async def datasets(self) -> list[tuple[str, str]]:
        names, types = await self._ca.caget([self.pv("DATASETS:Name"), self.pv("DATASETS:DType")])
        return list(zip(map(str, names), map(str, types), strict=True))

    async def arm(self, value: int = 1) -> None:
        await self._ca.caput(self._ioc.pv("PCAP:ARM"), value, wait=True, timeout=10)

    async def field(self, name: str, value: Any) -> None:
        await self._ca.caput(self._ioc.pv(name), value, wait=True, timeout=10)

    async def _text(self, name: str) -> str:
        return str(await self._ca.caget(self._ioc.pv(name), datatype=self._ca.DBR_CHAR_STR))

    def pv(self, name: str) -> str:
        return self._ioc.pv(
            name if ":" in name and not name.startswith("DATASETS") else f"DATA:{name}"
        )


def _kind(value: Any) -> dict[str, Any]:
    from aioca import DBR_CHAR_STR

    return {"datatype": DBR_CHAR_STR} if isinstance(value, str) and len(value) != 1 else {}


@pytest.fixture
async def data(sim: Sim, ioc: Ioc, ca: Any, tmp_path: Path) -> AsyncIterator[Data]:
    """The module's bridge, idle, its next file in `tmp_path`."""
    data = Data(ca, ioc)
    await data.put(CAPTURE=0)
    sim.put("*CAPTURE=", "COUNTER1.OUT.CAPTURE=Min Max Mean", "PCAP.BITS0.CAPTURE=Value")
    sim.put("PCAP.TS_TRIG.CAPTURE=Value", "*SIM.RATE=0", "*SIM.SAMPLES=5000", "*SIM.FRAME=0")
    await data.put(
        CREATE_DIRECTORY=0,
        HDF_DIRECTORY=str(tmp_path),
        HDF_FILE_NAME="a.h5",
        NUM_CAPTURE=0,
        CAPTURE_MODE=0,
        FLUSH_PERIOD=0.2,
        UNPACK_BITS=0,
    )
    yield data
    sim.ask("*PCAP.DISARM=")
    await data.put(CAPTURE=0)


async def test_a_capture_from_put_to_closed_file(data: Data, ca: Any, tmp_path: Path) -> None:
    assert await data.get("HDF_FULL_FILE_PATH") == str(tmp_path / "a.h5")
    assert await data.get("DIRECTORY_EXISTS") == 1
    await data.put(CAPTURE=1)
    assert await data.get("CAPTURE") == 1
    assert await data.get("BUSY") == 1
    assert await data.get("STATUS") == "Waiting for an acquisition"
    foretold = await data.datasets()
    waiting = asyncio.create_task(data.put(WAIT=1))
    await data.arm()
    await waiting
    await data.ended()
    assert await data.get("NUM_CAPTURED") == 5000
    assert await data.get("NUM_RECEIVED") == 5000
    assert str(await data.get("END_REASON")) == "Ok"
    assert str(await data.get("ARM_TIME")).startswith("20")
    assert await data.severity() == 0
    with h5py.File(tmp_path / "a.h5") as file:
        held = [(name, file[name].dtype.name) for name in file if name != "entry"]
        assert {len(file[name]) for name, _ in held} == {5000}
        assert file["COUNTER1.OUT.Min"].chunks == (await data.get("CHUNK_SIZE"),)
    assert sorted(held) == sorted(await data.datasets())
    assert await data.datasets() == foretold
