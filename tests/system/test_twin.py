"""A scan rehearsed: the digital twin behind a bridge, its file equal to what the FPGA sends."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from capturing import Data

from support.servers import Ioc, Sim
from support.wired import WIRED, Wired, load, signed

pytestmark = pytest.mark.skipif(not WIRED.exists(), reason=f"no timing files in {WIRED}")

CLOCK = 125e6
IN_SECONDS = ("PCAP.TS_START", "PCAP.TS_END", "PCAP.TS_TRIG", "PCAP.GATE_DURATION")


@pytest.fixture(scope="module")
def sim(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with Sim(tmp_path_factory.mktemp("twin") / "log", "--twin") as sim:
        sim.put("CLOCK2.ENABLE=ZERO")
        yield sim


@pytest.fixture
async def data(sim: Sim, ioc: Ioc, ca: Any, tmp_path: Path) -> AsyncIterator[Data]:
    data = Data(ca, ioc)
    await data.put(HDF_DIRECTORY=str(tmp_path), HDF_FILE_NAME="a.h5", NUM_CAPTURE=0, CAPTURE_MODE=0)
    yield data
    sim.ask("*PCAP.DISARM=")
    await data.put(CAPTURE=0)


def set_up(sim: Sim, wired: Wired) -> None:
    sim.put(*wired.setup())
    for lines in wired.tables():
        assert sim.ask(*lines) == ["OK"]


def check(path: Path, wired: Wired, rows: int) -> None:
    """The first rows of the file are those of the set-up, scaled."""
    expected = [signed(row, wired) for row in wired.rows[:rows]]
    with h5py.File(path) as file:
        for name, kind in expected[0]:
            scale = 1 / CLOCK if name in IN_SECONDS else 1.0
            values = [row[name, kind] * scale for row in expected]
            np.testing.assert_allclose(file[f"{name}.{kind}"][:rows], values, rtol=1e-14)


async def capture(data: Data) -> None:
    await data.put(CAPTURE=1)
    await data.arm()
    await data.ended()


async def test_a_fly_scan(sim: Sim, data: Data, tmp_path: Path) -> None:
    wired = load("fly-scan")
    set_up(sim, wired)
    # The level that the file sets at tick 700, in a PandA without a user of such precision.
    sim.put("PULSE2.ENABLE=ONE", "PULSE2.TRIG=PCAP.ACTIVE", "SRGATE1.SET=PULSE2.OUT")
    sim.put(f"PULSE2.DELAY.RAW={700 - wired.armed_at - 4}", "PULSE2.WIDTH.RAW=100")
    await capture(data)
    assert str(await data.get("END_REASON")) == "Ok"
    assert await data.get("NUM_CAPTURED") == len(wired.rows) == 18
    check(tmp_path / "a.h5", wired, len(wired.rows))
    await data.shown("PCAP:HEALTH", "OK")


async def test_a_train_of_pulses(sim: Sim, data: Data, tmp_path: Path) -> None:
    wired = load("pulse-train")
    set_up(sim, wired)
    sim.put("*SIM.SPEED=0.0001")
    await data.put(CAPTURE=1)
    await data.arm()
    await data.shown("NUM_RECEIVED", lambda count: count >= len(wired.rows))
    await data.arm(0)
    await data.ended()
    sim.put("*SIM.SPEED=1")
    assert str(await data.get("END_REASON")) == "Disarmed"
    check(tmp_path / "a.h5", wired, len(wired.rows))


async def test_a_scan_that_loses_its_last_point(sim: Sim, data: Data, tmp_path: Path) -> None:
    wired = load("pcomp-scan")
    set_up(sim, wired)
    await capture(data)
    assert str(await data.get("END_REASON")) == "Ok"
    assert await data.get("NUM_CAPTURED") == 2


async def test_triggers_that_are_too_close(sim: Sim, data: Data) -> None:
    set_up(sim, load("too-close"))
    await capture(data)
    assert str(await data.get("END_REASON")) == "Framing error"
    await data.shown("PCAP:HEALTH", "Capture events too close together")
    sim.put("PCAP.TRIG=ZERO", "*PCAP.ARM=")
    await data.shown("PCAP:HEALTH", "OK")
