"""A bridge whose commands can be seen, and one that captures to files."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from capturing import Data
from tap import Tap

from support.servers import EpicsPorts, Ioc, Sim


@pytest.fixture(scope="module")
def tap(sim: Sim) -> Iterator[Tap]:
    """A tap on the control port of `sim`."""
    with Tap(sim.host, sim.port) as tap:
        yield tap


@pytest.fixture(scope="module")
def tapped(
    tmp_path_factory: pytest.TempPathFactory, epics_ports: EpicsPorts, sim: Sim, tap: Tap
) -> Iterator[Ioc]:
    """A bridge to `sim` through the tap, for the module."""
    log = tmp_path_factory.mktemp("tapped") / "log"
    with Ioc(log, epics_ports, f"{sim.host}:{tap.port}:{sim.data_port}") as server:
        yield server


@pytest.fixture
async def data(sim: Sim, ioc: Ioc, ca: Any, pva: Any, tmp_path: Path) -> AsyncIterator[Data]:
    """The module's bridge, idle, its next file in `tmp_path`."""
    data = Data(ca, ioc, pva)
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
