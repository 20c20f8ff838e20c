"""What is in the files is what was sent: every column, kind, mode and size of frames; kill, disk.

What the simulator sends is known in raw units (`panda_ioc.sim.signals`); what that means in
physical ones is written down here once more, by other means than those of the bridge.
"""

import asyncio
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from capturing import Data

from panda_ioc.sim.signals import PERIOD, UNLIMITED_TICKS, Source
from support.disks import small_disk_at
from support.servers import Ioc, Sim, Starter

CLOCK = 125e6  # Hz
KINDS = ("Value", "Diff", "Sum", "Min", "Max", "Mean", "StdDev")
POSITIONS = [f"COUNTER{n}.OUT" for n in range(1, 9)] + [f"INENC{n}.VAL" for n in range(1, 5)]
OTHERS = [*(f"PCAP.BITS{n}" for n in range(4))]
TIMES = ["PCAP.TS_START", "PCAP.TS_END", "PCAP.TS_TRIG", "PCAP.GATE_DURATION"]
MAJOR = 2


@dataclass(frozen=True)
class Position:
    """What is captured of a position, and how it is scaled."""

    kinds: tuple[str, ...]
    scale: float
    offset: float

    def values(self, name: str, kind: str, indices: np.ndarray) -> np.ndarray:
        """Of these samples, physical units."""
        counter = (0, 1, 0, 0) if name.startswith("COUNTER") else None
        source = Source(name, "Value", counter=counter)
        value = source.raw(0, PERIOD)[indices % PERIOD]
        spread = 1 + (indices % PERIOD) % 7
        if kind == "StdDev":
            return spread * abs(self.scale)
        raw = {
            "Value": value,
            "Mean": value,
            "Min": value - spread,
            "Max": value + spread,
            "Diff": spread,
            "Sum": value * source.gate,
        }[kind]
        return raw * self.scale + self.offset


def other_values(name: str, indices: np.ndarray) -> np.ndarray:
    """Of a word of bits, a time or the duration."""
    if name.startswith("PCAP.BITS"):
        return Source(name, "Value").raw(0, PERIOD)[indices % PERIOD]
    gate = UNLIMITED_TICKS - UNLIMITED_TICKS % 2
    if name == "PCAP.GATE_DURATION":
        return np.full(len(indices), gate / CLOCK)
    return (indices * UNLIMITED_TICKS + (0 if name == "PCAP.TS_START" else gate)) / CLOCK


class Setup:
    """A random choice of what to capture."""

    def __init__(self, chance: random.Random) -> None:
        names = chance.sample(POSITIONS, chance.randint(1, 5))
        self.positions = {
            name: Position(
                tuple(chance.sample(KINDS, chance.randint(1, 4))),
                chance.choice([1.0, 0.5, -2.5, 1e-6]),
                chance.choice([0.0, 10.0, -3.25]),
            )
            for name in names
        }
        self.others = chance.sample(OTHERS + TIMES, chance.randint(0, 5))

    def commands(self) -> Iterator[str]:
        yield "*CAPTURE="
        for name, position in self.positions.items():
            if name.startswith("COUNTER"):
                block = name.removesuffix(".OUT")
                yield from (f"{block}.{key}" for key in ("START=0", "STEP=1", "MIN=0", "MAX=0"))
            yield f"{name}.CAPTURE={' '.join(position.kinds)}"
            yield f"{name}.SCALE={position.scale}"
            yield f"{name}.OFFSET={position.offset}"
        yield from (f"{name}.CAPTURE=Value" for name in self.others)

    def check(self, path: Path, indices: np.ndarray) -> None:
        """The file begins with these samples."""
        with h5py.File(path, "r", swmr=True) as file:
            for name, position in self.positions.items():
                for kind in position.kinds:
                    np.testing.assert_allclose(
                        file[f"{name}.{kind}"][: len(indices)],
                        position.values(name, kind, indices),
                        rtol=1e-14,
                        atol=1e-9 * abs(position.scale),
                        err_msg=f"{name}.{kind}",
                    )
            for name in self.others:
                np.testing.assert_allclose(
                    file[f"{name}.Value"][: len(indices)],
                    other_values(name, indices),
                    rtol=1e-14,
                    err_msg=name,
                )


@pytest.mark.parametrize("frame", [3, 700, 0])
@pytest.mark.parametrize("mode", ["FIRST_N", "LAST_N", "FOREVER"])
async def test_every_column_is_what_was_sent(
    data: Data, sim: Sim, tmp_path: Path, mode: str, frame: int
) -> None:
    chance = random.Random(f"{mode} {frame}")
    for run in range(3):
        samples = chance.randint(20_000, 60_000) if frame < 100 else chance.randint(1, 400_000)
        setup, num = Setup(chance), chance.randint(1, samples)
        sim.put(*setup.commands(), f"*SIM.SAMPLES={samples}", f"*SIM.FRAME={frame}")
        await data.put(CAPTURE_MODE=["FIRST_N", "LAST_N", "FOREVER"].index(mode))
        await data.put(NUM_CAPTURE=num if mode != "FOREVER" else 0, HDF_FILE_NAME=f"{run}.h5")
        await data.put(CAPTURE=1)
        foretold = await data.datasets()
        arms = 3 if mode == "FOREVER" else 1
        for arm in range(arms):
            await data.arm()
            if mode == "FOREVER":
                await data.shown("NUM_CAPTURED", samples * (arm + 1))
        if mode == "FOREVER":
            await data.put(CAPTURE=0)
        await data.put(WAIT=1)
        indices = np.tile(np.arange(samples), arms)
        kept = {"FIRST_N": slice(num), "LAST_N": slice(-num, None)}.get(mode, slice(None))
        setup.check(tmp_path / f"{run}.h5", indices[kept])
        assert await data.get("NUM_CAPTURED") == len(indices[kept])
        assert await data.datasets() == foretold
        assert await data.severity() == 0
        await data.arm(0)


async def test_a_bridge_that_is_killed_leaves_a_file_that_can_be_read(
    sim: Sim, start_ioc: Starter[Ioc], ca: Any, tmp_path: Path
) -> None:
    setup = Setup(random.Random(1))
    sim.put(*setup.commands(), "*SIM.SAMPLES=0", "*SIM.RATE=0", "*SIM.FRAME=0")
    ioc = start_ioc(sim.address)
    data = Data(ca, ioc)
    await data.put(HDF_DIRECTORY=str(tmp_path), HDF_FILE_NAME="a.h5", FLUSH_PERIOD=0.1)
    await data.put(CAPTURE=1)
    await data.arm()
    await data.shown("NUM_CAPTURED", lambda count: count > 1_000_000)
    told = await data.get("NUM_CAPTURED")
    ioc.kill()
    sim.put("*PCAP.DISARM=")
    with h5py.File(tmp_path / "a.h5", "r", swmr=True) as file:
        lengths = {len(one) for one in file.values() if isinstance(one, h5py.Dataset)}
        assert min(lengths) >= told
        assert file.attrs["end_reason"] == b""
    setup.check(tmp_path / "a.h5", np.arange(told))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MB."""
    with small_disk_at(tmp_path / "small", megabytes=8) as disk:
        yield disk


async def test_a_full_disk_is_told_and_the_file_can_be_read(
    data: Data, sim: Sim, small_disk: Path
) -> None:
    setup = Setup(random.Random(2))
    sim.put(*setup.commands(), "*SIM.SAMPLES=0", "*SIM.RATE=0", "*SIM.FRAME=2000")
    await data.put(HDF_DIRECTORY=str(small_disk), FLUSH_PERIOD=0.05)
    await data.put(CAPTURE=1)
    await data.arm()
    await asyncio.wait_for(data.ended(), 60)
    assert "No space left on device" in await data.get("STATUS")
    assert await data.severity() == MAJOR
    assert str(await data.get("END_REASON")) == "File error"
    captured = await data.get("NUM_CAPTURED")
    assert captured > 1000
    with h5py.File(small_disk / "a.h5", "r", swmr=True) as file:
        for name, position in setup.positions.items():
            for kind in position.kinds:
                held = file[f"{name}.{kind}"]
                assert len(held) >= captured
                wanted = position.values(name, kind, np.arange(1000))
                np.testing.assert_allclose(held[:1000], wanted, rtol=1e-14)
    # The box goes on, and so does the bridge.
    await data.put(HDF_DIRECTORY=str(small_disk.parent))
    await data.arm(0)
    sim.put("*SIM.SAMPLES=100")
    await data.put(CAPTURE=1)
    await data.arm()
    await data.put(WAIT=1)
    assert await data.get("NUM_CAPTURED") == 100
