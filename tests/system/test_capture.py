"""Capture to files through `DATA:*`: what clients put and see, and what is in the file."""

import asyncio
import os
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from capturing import Data

from panda_ioc.sim.signals import Source
from support.servers import Ioc, Sim, Starter

INVALID, MAJOR = 3, 2


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


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("HDF_DIRECTORY", "here/there", "absolute"),
        ("HDF_FILE_NAME", "a/b.h5", "without '/'"),
        ("HDF_FILE_NAME", "..", "that is a directory, give a name for a file"),
        ("NUM_CAPTURE", -1, "-1 samples"),
        ("FLUSH_PERIOD", -0.5, "-0.5 s"),
        ("FLUSH_PERIOD", float("nan"), "nan s"),
        ("CAPTURE_MODE", 7, "FIRST_N"),
    ],
)
async def test_a_setting_that_can_not_be_is_a_refused_put(
    data: Data, name: str, value: Any, words: str
) -> None:
    before = await data.get(name)
    assert words in await data.refused(name, value)
    assert await data.get(name) == before


async def test_capture_is_refused_with_the_reason(data: Data, tmp_path: Path) -> None:
    (tmp_path / "there.h5").write_text("mine")
    for setting, words in (
        ({"HDF_FILE_NAME": "there.h5"}, "exists already"),
        ({"HDF_DIRECTORY": str(tmp_path / "a" / "b")}, "2 levels to make, 0 allowed"),
        ({"CAPTURE_MODE": 1}, "the last 0 samples"),
        ({"HDF_FILE_NAME": ""}, "give a name"),
        ({"HDF_DIRECTORY": ""}, "no directory"),
    ):
        restore = {name: await data.get(name) for name in setting}
        await data.put(**setting)
        assert words in await data.refused("CAPTURE", 1)
        assert await data.get("CAPTURE") == 0
        assert words in await data.get("STATUS")
        assert await data.severity() == MAJOR
        await data.put(**restore)
    assert (tmp_path / "there.h5").read_text() == "mine"
    assert os.listdir(tmp_path) == ["there.h5"]


@pytest.mark.parametrize("directory", ["/" + "x" * 300, "/" + "x/" * 1500, "/dev/null", "/é/\t"])
async def test_odd_directories_do_no_harm(data: Data, directory: str) -> None:
    await data.put(CREATE_DIRECTORY=-1, HDF_DIRECTORY=directory)
    assert await data.get("DIRECTORY_EXISTS") == 0
    assert directory.rstrip("/")[:200] in await data.refused("CAPTURE", 1)
    assert await data.get("BUSY") == 0


async def test_directories_are_made_as_far_as_is_allowed(data: Data, tmp_path: Path) -> None:
    await data.put(CREATE_DIRECTORY=-1, HDF_DIRECTORY=str(tmp_path / "a" / "b"))
    assert await data.get("DIRECTORY_EXISTS") == 0
    await data.put(HDF_DIRECTORY=str(tmp_path / "a"))
    assert await data.get("DIRECTORY_EXISTS") == 1
    assert (tmp_path / "a").is_dir()


async def test_settings_do_not_change_under_an_open_file(data: Data, tmp_path: Path) -> None:
    await data.put(CAPTURE=1)
    for name, value in (
        ("HDF_FILE_NAME", "other.h5"),
        ("HDF_DIRECTORY", "/"),
        ("NUM_CAPTURE", 3),
        ("CAPTURE_MODE", 2),
        ("UNPACK_BITS", 1),
        ("COUNTER1:OUT:DATASET", "other"),
        ("CAPTURE", 1),
    ):
        assert "a.h5" in await data.refused(name, value)
    await data.put(FLUSH_PERIOD=0)
    await data.put(CAPTURE=0)
    assert await data.get("STATUS") == "Manually stopped: 0 samples, no file"


async def test_names_of_datasets(data: Data, sim: Sim, tmp_path: Path) -> None:
    named = "COUNTER1:OUT:DATASET"
    for name in ("a/b", "entry", "x" * 33):
        assert "dataset name" in await data.refused(named, name)
    await data.field(named, "position")
    try:
        assert "taken by COUNTER1.OUT" in await data.refused("PCAP:BITS0:DATASET", "position")
        await data.field("PCAP:BITS0:DATASET", "position-min")
        assert "taken" in await data.refused("CAPTURE", 1)
        await data.field("PCAP:BITS0:DATASET", "bits")
        await until_rows(data, "bits")
        await data.put(CAPTURE=1)
        await data.arm()
        await data.ended()
        with h5py.File(tmp_path / "a.h5") as file:
            held = set(file) - {"entry"}
            assert held == {name for name, _ in await data.datasets()}
            assert {"position", "position-min", "position-max", "bits"} <= held
    finally:
        await data.put(CAPTURE=0)
        await data.field(named, "")
        await data.field("PCAP:BITS0:DATASET", "")


async def until_rows(data: Data, name: str, present: bool = True) -> None:
    for _ in range(500):
        if (name in dict(await data.datasets())) is present:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"{name}: {await data.datasets()}")


async def test_datasets_follow_what_is_captured(data: Data, sim: Sim) -> None:
    await until_rows(data, "PCAP.BITS0.Value")
    await data.field("INENC2:VAL:CAPTURE:SET", "Sum")
    await until_rows(data, "INENC2.VAL.Sum")
    sim.put("INENC2.VAL.CAPTURE=No")
    await until_rows(data, "INENC2.VAL.Sum", present=False)


async def test_a_table_of_datasets_changes_as_one(data: Data, sim: Sim) -> None:
    """However often it is read, it never has the names of one moment and the types of another."""

    async def change() -> None:
        for _ in range(20):
            for kind, rows in (("Min", "COUNTER1.OUT.Min"), ("Value Mean", "COUNTER1.OUT.Mean")):
                sim.put(f"COUNTER1.OUT.CAPTURE={kind}")
                await until_rows(data, rows)

    changing = asyncio.create_task(change())
    while not changing.done():
        await data.datasets()  # fails if columns differ in length
    await changing


async def test_bits_are_unpacked(data: Data, sim: Sim, tmp_path: Path) -> None:
    await data.put(UNPACK_BITS=1, CAPTURE=1)
    foretold = await data.datasets()
    await data.arm()
    await data.ended()
    bits = [name for name, dtype in foretold if dtype == "bool"]
    assert len(bits) > 8
    assert foretold == await data.datasets()
    names = sim.ask("PCAP.BITS0.BITS?")[:-1]
    indices = np.arange(5000, dtype=np.int64)
    words = Source("PCAP.BITS0", "Value").raw(0, 5000)
    with h5py.File(tmp_path / "a.h5") as file:
        assert "PCAP.BITS0.Value" not in file
        for name in bits:
            number = names.index(f"!{name}")
            np.testing.assert_array_equal(file[name][:], (words >> number) & 1 == 1)
            assert len(file[name]) == len(indices)


async def test_forever_goes_on_over_arms_until_stopped(data: Data, tmp_path: Path) -> None:
    await data.put(CAPTURE_MODE=2, FLUSH_PERIOD=0)
    await data.put(CAPTURE=1)
    for count in (1, 2, 3):
        await data.arm()
        await data.shown("NUM_CAPTURED", 5000 * count)
        assert await data.get("BUSY") == 1
    await data.put(CAPTURE=0)
    assert await data.get("CAPTURE") == 0
    assert await data.get("NUM_ACQUISITIONS") == 3
    with h5py.File(tmp_path / "a.h5") as file:
        assert len(file["PCAP.BITS0.Value"]) == 15000
        assert file.attrs["acquisitions"] == 3


async def test_an_overrun_is_told(data: Data, sim: Sim, tmp_path: Path) -> None:
    sim.put("*SIM.SAMPLES=0", "*SIM.RATE=20000")
    overruns = await data.get("OVERRUNS")
    await data.put(CAPTURE=1)
    waiting = asyncio.create_task(data.refused("WAIT", 1))
    await data.arm()
    await data.shown("NUM_CAPTURED", lambda count: count > 0)
    sim.put("*SIM.END=Data overrun")
    assert "Data overrun" in await waiting
    await data.ended()
    assert str(await data.get("END_REASON")) == "Data overrun"
    assert await data.get("OVERRUNS") == overruns + 1
    assert "left out" in await data.get("STATUS")
    assert await data.severity() == MAJOR
    with h5py.File(tmp_path / "a.h5") as file:
        assert len(file["PCAP.BITS0.Value"]) == await data.get("NUM_CAPTURED")


async def test_a_cut_in_the_middle_is_told_and_the_next_capture_works(
    data: Data, sim: Sim, tmp_path: Path
) -> None:
    sim.put("*SIM.SAMPLES=0", "*SIM.RATE=20000")
    await data.put(CAPTURE=1)
    await data.arm()
    await data.shown("NUM_CAPTURED", lambda count: count > 0)
    sim.put("*SIM.DROP=DATA")
    await data.ended()
    assert str(await data.get("END_REASON")) == "Disconnected"
    assert await data.severity() == INVALID
    with h5py.File(tmp_path / "a.h5") as file:
        assert len(file["PCAP.BITS0.Value"]) == await data.get("NUM_CAPTURED")
    sim.put("*PCAP.DISARM=", "*SIM.SAMPLES=100")
    await data.put(HDF_FILE_NAME="b.h5")
    await data.put(CAPTURE=1)
    assert await data.get("NUM_CAPTURED") == 0
    await data.arm()
    await data.ended()
    assert await data.get("NUM_CAPTURED") == 100
    assert await data.severity() == 0


async def test_samples_before_the_capture_are_counted_as_missed(data: Data, sim: Sim) -> None:
    sim.put("*SIM.SAMPLES=0", "*SIM.RATE=20000")
    await data.arm()
    await data.shown("LIVE:RECEIVED", lambda count: count > 0)
    await data.put(CAPTURE=1)
    await data.shown("NUM_MISSED", lambda count: count > 0)
    assert await data.severity() == 1
    assert "missed" in await data.get("STATUS")
    await data.arm(0)
    await data.ended()
    assert str(await data.get("END_REASON")) == "Disarmed"
    await data.shown("PCAP:COMPLETION", "Disarmed")
    assert await data.get("PCAP:CAPTURED") > 0


async def test_captures_one_after_the_other_without_the_live_view(
    data: Data, ca: Any, ioc: Ioc, tmp_path: Path
) -> None:
    """The data port is then made for each file, even right after the last."""
    await data.field("DATA:LIVE:ENABLE", 0)
    try:
        for number in range(5):
            await data.put(HDF_FILE_NAME=f"{number}.h5")
            await data.put(CAPTURE=1)
            await data.arm()
            await data.put(WAIT=1)
            await data.put(CAPTURE=0)
            assert await data.get("NUM_CAPTURED") == 5000
    finally:
        await data.field("DATA:LIVE:ENABLE", 1)
    assert len(os.listdir(tmp_path)) == 5


async def test_only_the_directories_that_are_allowed(
    sim: Sim, start_ioc: Starter[Ioc], ca: Any, tmp_path: Path
) -> None:
    roots = [tmp_path / "one", tmp_path / "two"]
    for root in roots:
        root.mkdir()
    (roots[0] / "out").symlink_to(tmp_path)
    ioc = start_ioc(sim.address, *(f"--data-root={root}" for root in roots))
    data = Data(ca, ioc)
    for allowed in (roots[0], roots[1], roots[1] / "deeper"):
        await data.put(HDF_DIRECTORY=str(allowed))
    for outside in (tmp_path, roots[0] / "..", roots[0] / "out", Path("/"), tmp_path / "one-b"):
        assert "are allowed" in await data.refused("HDF_DIRECTORY", str(outside))
    assert await data.get("HDF_DIRECTORY") == str(roots[1] / "deeper")


async def test_a_bridge_that_ends_closes_its_file(
    sim: Sim, start_ioc: Starter[Ioc], ca: Any, tmp_path: Path
) -> None:
    sim.put("*CAPTURE=", "COUNTER1.OUT.CAPTURE=Value", "*SIM.SAMPLES=0", "*SIM.RATE=20000")
    ioc = start_ioc(sim.address)
    data = Data(ca, ioc)
    await data.put(HDF_DIRECTORY=str(tmp_path), HDF_FILE_NAME="a.h5", FLUSH_PERIOD=60)
    await data.put(CAPTURE=1)
    await data.arm()
    await data.shown("NUM_RECEIVED", lambda count: count > 1000)
    assert await asyncio.to_thread(ioc.stop) == 0
    sim.put("*PCAP.DISARM=")
    with h5py.File(tmp_path / "a.h5") as file:
        assert file.attrs["end_reason"] == b"Manually stopped"
        counts = file["COUNTER1.OUT.Value"][:]
        assert len(counts) == file.attrs["samples"] > 1000
        np.testing.assert_array_equal(
            counts, Source("COUNTER1.OUT", "Value", counter=(0, 1, 0, 0)).raw(0, len(counts))
        )
