"""File captures that are cut: the file is good as far as it goes, and records say what happened."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import h5py
import numpy as np
import proxy as faults
import pytest
from proxy import Do, Welcome
from scene import Scene

from support.truth import COMM, INVALID

MAJOR = 2


@pytest.fixture
async def capture(scene: Scene, tmp_path: Path) -> AsyncIterator[Scene]:
    """The scene with a file about to be captured to, at 2000 samples a second."""
    scene.sim.put("*SIM.END=Ok", "*SIM.RATE=2000", "*SIM.SAMPLES=0", "*SIM.PERIOD=0.01")
    await scene.put("DATA:CAPTURE", 0)
    chars = scene.ca.DBR_CHAR_STR
    assert await scene.put("DATA:HDF_DIRECTORY", str(tmp_path), datatype=chars)
    assert await scene.put("DATA:HDF_FILE_NAME", "file.h5", datatype=chars)
    assert await scene.put("DATA:NUM_CAPTURE", 0)
    assert await scene.put("DATA:CAPTURE_MODE", "FOREVER")
    assert await scene.put("DATA:FLUSH_PERIOD", 0.1)
    scene.begin_log()
    yield scene
    scene.proxy.heal()
    await scene.put("DATA:CAPTURE", 0)
    scene.proxy.data.end(Do.RESET)


async def begin(scene: Scene) -> None:
    """Capture, until some samples are on disk."""
    assert await scene.put("DATA:CAPTURE", 1)
    assert await scene.put("PCAP:ARM", 1)
    with scene.see("DATA:NUM_CAPTURED") as captured:
        await captured.until(lambda count: count > 200)


async def text(scene: Scene, name: str) -> str:
    is_long = name in ("DATA:STATUS", "IOC:LAST_ERROR")
    return str(await scene.get(name, datatype=scene.ca.DBR_CHAR_STR if is_long else None))


async def ended(scene: Scene) -> None:
    """DATA:CAPTURE says that the capture is over."""
    await scene.until(lambda: is_over(scene), "DATA:CAPTURE is 0")


async def is_over(scene: Scene) -> bool:
    return bool(await scene.get("DATA:CAPTURE") == 0)


def check_file(path: Path, samples: int) -> None:
    """Closed, of so many samples in every dataset, with the ramp unbroken."""
    with h5py.File(path, "r") as file:
        sets = {name: data for name, data in file.items() if isinstance(data, h5py.Dataset)}
        assert {len(data) for data in sets.values() if data.ndim} == {samples}
        counter = next(data for name, data in sets.items() if name.startswith("COUNTER1"))
        assert set(np.diff(counter[:])) <= {0.0, 1.0}


CUTS: dict[str, faults.Rule] = {
    "reset": faults.cut(13, Do.RESET),
    "end of file": faults.cut(13, Do.CLOSE),
    "half closed": lambda link, data: (data, Do.HALF_CLOSE),
    "garbage": lambda link, data: (b"\xff" * 200,),
}


@pytest.mark.parametrize("name", CUTS)
async def test_a_capture_that_is_cut_says_so_and_leaves_a_good_file(
    capture: Scene, tmp_path: Path, name: str
) -> None:
    await begin(capture)
    capture.proxy.data.down = CUTS[name]
    await ended(capture)
    status = await capture.get("DATA:STATUS", format=capture.ca.FORMAT_TIME)
    assert (status.severity, status.status) == (INVALID, COMM)
    assert await text(capture, "DATA:END_REASON") != "Ok"
    check_file(tmp_path / "file.h5", int(await capture.get("DATA:NUM_CAPTURED")))
    assert not await capture.put("DATA:WAIT", 1)
    capture.proxy.heal()
    capture.sim.put("*PCAP.DISARM=")

    chars = capture.ca.DBR_CHAR_STR
    assert await capture.put("DATA:HDF_FILE_NAME", "next.h5", datatype=chars)
    assert await capture.put("DATA:CAPTURE", 1)
    capture.sim.put("*SIM.SAMPLES=500")
    assert await capture.put("PCAP:ARM", 1)
    with capture.see("DATA:NUM_CAPTURED") as captured:
        await captured.until(lambda count: count == 500)
    assert await capture.put("DATA:CAPTURE", 0)
    status = await capture.get("DATA:STATUS", format=capture.ca.FORMAT_TIME)
    assert status.severity == 0
    check_file(tmp_path / "next.h5", 500)


@pytest.mark.parametrize("reason", ["Driver data overrun", "Framing error"])
async def test_a_capture_that_fails_in_the_box_says_why(
    capture: Scene, tmp_path: Path, reason: str
) -> None:
    await begin(capture)
    capture.sim.put(f"*SIM.END={reason}")
    await ended(capture)
    status = await capture.get("DATA:STATUS", format=capture.ca.FORMAT_TIME)
    assert status.severity >= MAJOR
    assert reason in (await text(capture, "DATA:STATUS")) + await text(capture, "DATA:END_REASON")
    check_file(tmp_path / "file.h5", int(await capture.get("DATA:NUM_CAPTURED")))


async def test_a_capture_goes_on_when_the_control_port_is_lost(
    capture: Scene, tmp_path: Path
) -> None:
    await begin(capture)
    before = await capture.get("DATA:NUM_CAPTURED")
    capture.proxy.control.end(Do.RESET)
    with capture.see("DATA:NUM_CAPTURED") as captured:
        await captured.until(lambda count: count > before + 1000)
    await capture.until(capture.is_connected, "STATUS is CONNECTED")
    assert await capture.put("PCAP:ARM", 0)
    assert await capture.put("DATA:CAPTURE", 0)
    check_file(tmp_path / "file.h5", int(await capture.get("DATA:NUM_CAPTURED")))


async def test_a_capture_is_refused_while_the_data_port_is_away(
    capture: Scene, tmp_path: Path
) -> None:
    capture.proxy.data.welcome(Welcome.REFUSE)
    capture.proxy.data.end(Do.RESET)
    await asyncio.sleep(0.2)
    assert not await capture.put("DATA:CAPTURE", 1)
    assert await capture.get("DATA:CAPTURE") == 0
    assert "data port" in await text(capture, "DATA:STATUS")
    assert not (tmp_path / "file.h5").exists()
    capture.proxy.heal()
    await capture.put("DATA:CAPTURE", 1)
    assert await capture.get("DATA:CAPTURE") == 1


async def test_counters_of_the_bridge_s_own_health_follow(capture: Scene) -> None:
    before = [await capture.get(f"IOC:{name}") for name in ("RECONNECTS", "REFUSED_PUTS", "PUTS")]
    capture.proxy.control.end(Do.RESET)
    await capture.until(lambda: rises(capture, "RECONNECTS", before[0]), "a reconnect counted")
    await capture.until(capture.is_connected, "STATUS is CONNECTED")
    assert not await capture.put("PULSE1:WIDTH", -1)
    assert await capture.put("PULSE1:WIDTH", 1)
    await capture.until(lambda: rises(capture, "REFUSED_PUTS", before[1]), "a refusal counted")
    await capture.until(lambda: rises(capture, "PUTS", before[2]), "a put counted")
    assert "PULSE1" in await text(capture, "IOC:LAST_ERROR")
    assert await text(capture, "IOC:LAST_ERROR_TIME")
    assert await capture.get("IOC:UPTIME", datatype=str)


async def rises(scene: Scene, name: str, above: float) -> bool:
    return bool(await scene.get(f"IOC:{name}") > above)
