"""Acquisitions and files: single ones of any length, and many in a row without a pause."""

import asyncio
import random
from pathlib import Path
from typing import Any

import aioca
import h5py
from panda import NoPandA
from soaked import Calm, Soaked

FIELD = "INENC1:VAL:CAPTURE"
SAMPLES = 50  # of each file of those that follow one another
IN_A_ROW = 20


async def acquire(soaked: Soaked, chance: random.Random, scratch: Path) -> None:
    """One kind or the other, without end."""
    work = Capturing(soaked, chance, scratch)
    while True:
        await asyncio.sleep(chance.expovariate(0.2))
        await soaked.put(FIELD, "Value")
        await soaked.put("PCAP:ARM", 0)  # a fault may have left it armed
        await (work.in_a_row() if chance.random() < 0.4 else work.single())


class Capturing:
    """Makes files and checks them."""

    def __init__(self, soaked: Soaked, chance: random.Random, scratch: Path) -> None:
        self._soaked, self._chance, self._scratch = soaked, chance, scratch
        self._made = 0

    async def single(self) -> None:
        """An acquisition of any length, perhaps with a file, ended or disarmed."""
        soaked = self._soaked
        if soaked.panda.is_simulated:
            await self._ask(f"*SIM.SAMPLES={self._chance.randrange(20000)}")
        calm = Calm(soaked)
        path = await self._open(0) if self._chance.random() < 0.5 else None
        armed = await soaked.put("PCAP:ARM", 1)
        soaked.counts["acquisitions"] += armed
        await asyncio.sleep(self._chance.uniform(0, 6))
        await soaked.put("PCAP:ARM", 0)
        if path is not None:
            closed = await soaked.put("DATA:CAPTURE", 0, timeout=90)
            await self._check(path, calm, closed, None)

    async def in_a_row(self) -> None:
        """Name, CAPTURE, ARM, wait, disarm; at once the next. Every file has all its samples."""
        if self._soaked.panda.is_simulated:
            await self._ask(f"*SIM.SAMPLES={2 * SAMPLES}")
        for _ in range(IN_A_ROW):
            calm = Calm(self._soaked)
            path = await self._open(SAMPLES)
            done = path is not None and await self._take()
            if path is not None:
                await self._check(path, calm, done, SAMPLES)
            if not calm:
                break
        await self._soaked.put("PCAP:ARM", 0)
        await self._soaked.put("DATA:CAPTURE", 0, timeout=90)

    async def _take(self) -> bool:
        soaked = self._soaked
        armed = await soaked.put("PCAP:ARM", 1)
        ended = armed and await soaked.put("DATA:WAIT", 1, timeout=60)
        disarmed = await soaked.put("PCAP:ARM", 0)
        soaked.counts["acquisitions without a pause"] += armed
        return armed and ended and disarmed

    async def _open(self, samples: int) -> Path | None:
        """The file that is written from now on, if the bridge can at present."""
        soaked, calm = self._soaked, Calm(self._soaked)
        self._made += 1
        path = self._scratch / f"{self._made}.h5"
        opened = (
            await soaked.put_text("DATA:HDF_DIRECTORY", str(path.parent))
            and await soaked.put_text("DATA:HDF_FILE_NAME", path.name)
            and await soaked.put("DATA:NUM_CAPTURE", samples)
            and await soaked.put("DATA:CAPTURE", 1)
        )
        soaked.counts["files"] += opened
        if not opened:  # one of before may still be open
            await soaked.put("DATA:CAPTURE", 0, timeout=90)
        return path if opened or calm else None

    async def _check(self, path: Path, calm: Calm, done: bool, expected: int | None) -> None:
        """Every dataset must hold what NUM_CAPTURED says, and what was asked for."""
        soaked = self._soaked
        told = await aioca.caget(soaked.ioc.pv("DATA:NUM_CAPTURED"), timeout=20, throw=False)
        if not calm:
            await asyncio.to_thread(path.unlink, missing_ok=True)
            return
        lengths = await asyncio.to_thread(_lengths, path)
        soaked.counts["samples in files"] += int(told)
        wanted: Any = int(told) if expected is None else expected
        if not done or (lengths or {0}) != {wanted} or int(told) != wanted:
            status = await soaked.text("DATA:STATUS")
            found = f"{told} told, {lengths} in the file, {wanted} expected"
            soaked.wrong.append(f"{path.name}: done {done}, {found}: {status}")

    async def _ask(self, command: str) -> None:
        try:
            await asyncio.to_thread(self._soaked.panda.ask, command)
        except (OSError, NoPandA):
            return


def _lengths(path: Path) -> set[int]:
    """Samples in the datasets of a file, which is then removed; none if no acquisition began."""
    if not path.exists():
        return set()
    with h5py.File(path, "r") as file:
        lengths = {len(data) for data in file.values() if getattr(data, "ndim", 0)}
    path.unlink()
    return lengths
