"""Puts that EPICS or a file system would make something else of: refused, with the right words."""

import math
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.servers import EpicsPorts, Ioc, Sim

INVALID, WRITE = 3, 2


@pytest.fixture(scope="module")
def designs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of designs, with what is no file in it."""
    directory = tmp_path_factory.mktemp("designs")
    os.mkfifo(directory / "fifo")
    (directory / "directory").mkdir()
    (directory / "link").symlink_to(directory / "fifo")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(directory / "socket"))
    return directory


@pytest.fixture(scope="module")
def ioc(
    tmp_path_factory: pytest.TempPathFactory, epics_ports: EpicsPorts, sim: Sim, designs: Path
) -> Iterator[Ioc]:
    """A bridge with designs."""
    log = tmp_path_factory.mktemp("ioc") / "log"
    with Ioc(log, epics_ports, sim.address, "--design-dir", str(designs)) as server:
        yield server


async def refused(ca: Any, ioc: Ioc, name: str, value: Any, **keywords: Any) -> str:
    """Put what must be refused; the words of ERROR."""
    result = await ca.caput(ioc.pv(name), value, wait=True, throw=False, **keywords)
    assert not result.ok
    return str(await ca.caget(ioc.pv("ERROR"), datatype=ca.DBR_CHAR_STR))


NO_LONGS = (math.nan, math.inf, -math.inf, 2.0**32, 1e10, -1e300, 2.0**31)


@pytest.mark.parametrize("value", NO_LONGS)
@pytest.mark.parametrize(
    "name",
    ["PULSE1:TRIG:DELAY", "TTLOUT1:VAL:INDEX", "DATA:NUM_CAPTURE", "DATA:CREATE_DIRECTORY"],
)
async def test_what_epics_makes_of_no_integer_is_refused_where_it_is_out_of_range(
    ioc: Ioc, ca: Any, name: str, value: float
) -> None:
    before = await ca.caget(ioc.pv(name))
    assert "-2147483648" in await refused(ca, ioc, name, value, datatype=ca.DBR_DOUBLE)
    now = await ca.caget(ioc.pv(name), format=ca.FORMAT_TIME)
    assert (now, now.severity, now.status) == (before, INVALID, WRITE)


@pytest.mark.parametrize("name", ["a\nb", "a\r", "\u2028b"])
async def test_a_directory_with_a_line_break_is_refused(
    ioc: Ioc, ca: Any, tmp_path: Path, name: str
) -> None:
    words = await refused_text(ca, ioc, "DATA:HDF_DIRECTORY", f"{tmp_path}/{name}")
    assert "there is a line break in it: remove it" in words


@pytest.mark.parametrize("name", ["a\nb", "a\tb", "\x7f", "a\r", "a\u200bb"])
@pytest.mark.parametrize("pv", ["DATA:HDF_FILE_NAME", "DESIGN:FILE_NAME"])
async def test_a_name_that_cannot_be_seen_is_refused(ioc: Ioc, ca: Any, pv: str, name: str) -> None:
    assert "cannot be printed: remove it" in await refused_text(ca, ioc, pv, name)


async def refused_text(ca: Any, ioc: Ioc, name: str, text: str) -> str:
    """The words with which a text is refused; the one before is kept."""
    before = await ca.caget(ioc.pv(name), datatype=ca.DBR_CHAR_STR)
    words = await refused(ca, ioc, name, text, datatype=ca.DBR_CHAR_STR)
    assert await ca.caget(ioc.pv(name), datatype=ca.DBR_CHAR_STR) == before
    return words


NAMES = {
    ("DATA:HDF_FILE_NAME", "."): "that is a directory, give a name for a file",
    ("DATA:HDF_FILE_NAME", ".."): "that is a directory, give a name for a file",
    ("DATA:HDF_FILE_NAME", "a/b"): "give a name without '/'",
    ("DESIGN:FILE_NAME", "."): "itself: give the name of a file in it",
    ("DESIGN:FILE_NAME", "../a"): "give a name without ../",
    ("DESIGN:FILE_NAME", "fifo"): "is a directory, FIFO, socket or device",
    ("DESIGN:FILE_NAME", "socket"): "is a directory, FIFO, socket or device",
    ("DESIGN:FILE_NAME", "directory"): "is a directory, FIFO, socket or device",
    ("DESIGN:FILE_NAME", "link"): "is a directory, FIFO, socket or device",
}


@pytest.mark.parametrize(("pv", "name"), NAMES)
async def test_a_wrong_name_is_refused_with_the_right_words(
    ioc: Ioc, ca: Any, pv: str, name: str
) -> None:
    assert NAMES[pv, name] in await refused(ca, ioc, pv, name, datatype=ca.DBR_CHAR_STR)


async def test_what_became_a_fifo_meanwhile_is_not_replaced(
    ioc: Ioc, ca: Any, designs: Path
) -> None:
    kind = {"datatype": ca.DBR_CHAR_STR, "wait": True}
    await ca.caput(ioc.pv("DESIGN:FILE_NAME"), "later", **kind)
    os.mkfifo(designs / "later")
    for action in ("SAVE", "LOAD"):  # which waits for a writer that never comes, if it is opened
        assert "FIFO" in await refused(ca, ioc, f"DESIGN:{action}", 1, timeout=10)
    assert (designs / "later").is_fifo()
