"""What is kept over a restart is what the records show, and nothing in the file is lost."""

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from panda_ioc.ioc.parts.autosave import file_name
from support.servers import Ioc, Sim, Starter

StartIoc = Starter[Ioc]


def saved(directory: Path, ioc: Ioc) -> dict[str, Any]:
    """What the file has, by the name of the record without the prefix."""
    found: dict[str, Any] = yaml.safe_load((directory / file_name(ioc.prefix)).read_text())
    return {name.removeprefix(f"{ioc.prefix}:"): value for name, value in found.items()}


async def saves(directory: Path, ioc: Ioc, name: str, value: object) -> None:
    """Wait until the file has this value."""
    deadline = time.monotonic() + 20
    while saved(directory, ioc).get(name) != value:
        assert time.monotonic() < deadline, saved(directory, ioc).get(name)
        await asyncio.sleep(0.05)


async def text(ca: Any, ioc: Ioc, name: str) -> str:
    """A long string."""
    return str(await ca.caget(ioc.pv(name), datatype=ca.DBR_CHAR_STR, timeout=20))


async def put(ca: Any, ioc: Ioc, name: str, value: Any) -> bool:
    """Put and wait; whether it was good."""
    kind = ca.DBR_CHAR_STR if isinstance(value, str) and name.startswith("DATA:") else None
    result = await ca.caput(ioc.pv(name), value, datatype=kind, wait=True, throw=False, timeout=20)
    return bool(result.ok)


def restart(ca: Any, ioc: Ioc, start: StartIoc, sim: Sim, *options: str) -> Ioc:
    """The same bridge once more."""
    if ioc.process.poll() is None:
        ioc.stop()
    ca.purge_channel_caches()
    return start(sim.address, *options, prefix=ioc.prefix)


REFUSED: Mapping[str, tuple[Any, Any]] = {
    "DATA:NUM_CAPTURE": (7, -1),
    "DATA:FLUSH_PERIOD": (2.5, -1.0),
    "DATA:LIVE:LENGTH": (77, 0),
    "DATA:HDF_FILE_NAME": ("good.h5", "../bad.h5"),
    "COUNTER1:OUT:DATASET": ("one", "a/b"),
    "COUNTER2:OUT:DATASET": ("two", "one"),
}
"""A good value and one that is refused."""


async def test_a_refused_put_is_not_kept_however_the_bridge_ends(
    sim: Sim, start_ioc: StartIoc, tmp_path: Path, ca: Any
) -> None:
    directory = tmp_path / "made" / "here"
    options = ("--autosave-dir", str(directory))
    ioc = start_ioc(sim.address, *options)
    for name, (good, bad) in REFUSED.items():
        assert await put(ca, ioc, name, good), name
        assert not await put(ca, ioc, name, bad), name
    # One that is saved after all of them.
    assert await put(ca, ioc, "DATA:CREATE_DIRECTORY", -3)
    await saves(directory, ioc, "DATA:CREATE_DIRECTORY", -3)
    ioc.kill()
    ioc.stop()
    found = saved(directory, ioc)
    assert {name: found[name] for name in REFUSED} == {n: good for n, (good, _) in REFUSED.items()}
    again = restart(ca, ioc, start_ioc, sim, *options)
    assert await text(ca, again, "DATA:HDF_FILE_NAME") == "good.h5"
    assert await ca.caget(again.pv("DATA:NUM_CAPTURE")) == 7
    assert await ca.caget(again.pv("COUNTER2:OUT:DATASET")) == "two"
    assert "softioc" not in again.text()


async def test_a_value_that_cannot_be_used_any_more_stays_in_the_file(
    sim: Sim, start_ioc: StartIoc, tmp_path: Path, ca: Any
) -> None:
    roots = {name: tmp_path / name for name in ("old", "new")}
    for root in roots.values():
        root.mkdir()
    keep = ("--autosave-dir", str(tmp_path), "--data-root")
    ioc = start_ioc(sim.address, *keep, str(roots["old"]))
    assert await put(ca, ioc, "DATA:HDF_DIRECTORY", str(roots["old"]))
    other = restart(ca, ioc, start_ioc, sim, *keep, str(roots["new"]))
    assert await text(ca, other, "DATA:HDF_DIRECTORY") == ""
    assert "DATA:HDF_DIRECTORY: saved value" in other.text()
    assert await put(ca, other, "DATA:NUM_CAPTURE", 5)
    await saves(tmp_path, other, "DATA:NUM_CAPTURE", 5)
    assert saved(tmp_path, other)["DATA:HDF_DIRECTORY"] == str(roots["old"])
    back = restart(ca, other, start_ioc, sim, *keep, str(roots["old"]))
    assert await text(ca, back, "DATA:HDF_DIRECTORY") == str(roots["old"])
    third = restart(ca, back, start_ioc, sim, *keep, str(roots["new"]))
    assert await put(ca, third, "DATA:HDF_DIRECTORY", str(roots["new"]))
    await saves(tmp_path, third, "DATA:HDF_DIRECTORY", str(roots["new"]))


@pytest.mark.parametrize(
    ("name", "value", "default"),
    [
        ("DATA:NUM_CAPTURE", 2**40, 0),
        ("DATA:NUM_CAPTURE", "many", 0),
        ("DATA:LIVE:KEEP", 9, 0),
        ("DATA:LIVE:PERIOD", [1], 0.1),
        ("COUNTER1:OUT:DATASET", "x" * 70, ""),
        ("COUNTER1:OUT:DATASET", 12, ""),
    ],
)
async def test_a_value_that_no_record_can_hold_is_told_and_stays(
    sim: Sim, start_ioc: StartIoc, tmp_path: Path, ca: Any, name: str, value: Any, default: Any
) -> None:
    prefix = "KEPT:ODD"
    file = tmp_path / file_name(prefix)
    gone = {f"{prefix}:GONE{n}:OUT:DATASET": "x" for n in range(30)}
    file.write_text(yaml.safe_dump({f"{prefix}:{name}": value, **gone}))
    ioc = start_ioc(sim.address, "--autosave-dir", str(tmp_path), prefix=prefix)
    assert await ca.caget(ioc.pv(name)) == default
    assert ioc.stop() == 0
    kept = yaml.safe_load(file.read_text())
    assert kept[f"{prefix}:{name}"] == value
    assert gone.items() <= kept.items()
    about = [line for line in ioc.text().splitlines() if "GONE" in line]
    assert len(about) == 1
    assert "and 20 more" in about[0]
    assert "Traceback" not in ioc.text()
