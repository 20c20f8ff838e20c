"""From the simulator's data port to the file: what it says it sent is what is there."""

import asyncio
from pathlib import Path

import h5py
import numpy as np
import pytest

from panda_ioc.capture.live import LiveWindow
from panda_ioc.capture.session import FileCapture
from panda_ioc.capture.settings import CaptureSettings, Mode
from panda_ioc.capture.status import CaptureState
from panda_ioc.capture.stream import DataStream
from panda_ioc.client.data import DataSocket
from panda_ioc.protocol.responses import EndReason
from panda_ioc.sim import SimSettings as Simulation
from panda_ioc.sim import SimulatedPandA

CAPTURES = {
    "COUNTER1.OUT": "Min Max Mean",
    "COUNTER2.OUT": "Value Diff",
    "INENC1.VAL": "Sum",
    "PCAP.TS_TRIG": "Value",
    "PCAP.BITS0": "Value",
}


async def command(panda: SimulatedPandA, *lines: str) -> None:
    reader, writer = await asyncio.open_connection(panda.host, panda.control_port)
    for line in lines:
        writer.write(f"{line}\n".encode())
        assert await reader.readline() == b"OK\n", line
    writer.close()
    await writer.wait_closed()


async def capture(simulation: Simulation, settings: CaptureSettings, scaled: bool) -> FileCapture:
    async with SimulatedPandA(settings=simulation) as panda:
        await command(panda, *(f"{field}.CAPTURE={kind}" for field, kind in CAPTURES.items()))
        await command(panda, "INENC1.VAL.SCALE=0.25", "COUNTER1.OUT.OFFSET=-7")
        socket = await asyncio.to_thread(DataSocket, panda.host, panda.data_port, scaled)
        stream, window = DataStream(socket).open(), LiveWindow(50)
        stream.add(window)
        session = FileCapture(settings)
        await asyncio.to_thread(session.begin, stream)
        await command(panda, "*PCAP.ARM=")
        await asyncio.to_thread(session.wait, 30)
        await asyncio.to_thread(stream.close)
    with h5py.File(settings.path) as file:
        for name, values in window.snapshot().columns.items():
            # The simulator's time stamps differ from run to run, so live and file are compared.
            np.testing.assert_array_equal(file[name][-50:], values, err_msg=name)
    return session


@pytest.mark.parametrize("frame", [1, 33, 0])
async def test_raw_is_scaled_here_as_it_is_scaled_there(tmp_path: Path, frame: int) -> None:
    simulation = Simulation(rate=0, samples=20_000, frame=frame, ramp=True)
    files = []
    for scaled in (False, True):
        path = tmp_path / f"{scaled}.h5"
        session = await capture(simulation, CaptureSettings(tmp_path, path.name), scaled)
        status = session.status
        assert (status.state, status.reason) == (CaptureState.DONE, EndReason.OK), status.message
        assert status.captured == status.received == 20_000
        files.append(path)
    with h5py.File(files[0]) as ours, h5py.File(files[1]) as theirs:
        shared = set(ours) & set(theirs) - {"entry"}
        assert {"COUNTER1.OUT.Mean", "INENC1.VAL.Sum", "PCAP.BITS0.Value"} <= shared
        for name in shared:
            # A ramp begins with a duration of 0, which has no mean.
            pair = ours[name][1:], theirs[name][1:]
            np.testing.assert_allclose(*pair, rtol=1e-15, err_msg=name)


async def test_the_last_samples(tmp_path: Path) -> None:
    simulation = Simulation(rate=0, samples=5000, ramp=True)
    session = await capture(
        simulation, CaptureSettings(tmp_path, "a.h5", mode=Mode.LAST_N, num=100), False
    )
    assert session.status.captured == 100
    with h5py.File(tmp_path / "a.h5") as file:
        words = np.diff(file["PCAP.BITS0.Value"][:].astype(np.int64))
    assert (words == words[0]).all()
