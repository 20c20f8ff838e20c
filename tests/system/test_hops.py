"""How many objects of `ioc/` a value and a put pass, counted in a bridge that runs.

The architecture page says so; whoever makes a way longer is told here. Counted are the objects
whose methods run between the client (the socket) and the record, either way. Those of `ioc/epics`
are not, as they are the record's end of the way, nor are functions that only compute.
"""

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from watching import CaSeen, until

from support.servers import EpicsPorts, Ioc, Sim

# The program; between two signals it notes for each call which objects have called each other.
PROGRAM = """
import json, signal, sys
from pathlib import Path
from panda_ioc import cli

target, found = Path(sys.argv[1]), set()

def note(frame, event, _):
    if event != "call" or "/panda_ioc/" not in frame.f_code.co_filename:
        return
    callers = []
    while frame is not None:
        owner = frame.f_locals.get("self")
        name = f"{type(owner).__module__}.{type(owner).__qualname__}"
        if name.startswith("panda_ioc.") and callers[:1] != [name]:
            callers.insert(0, name)
        frame = frame.f_back
    found.add(tuple(callers))

def begin(*_):
    found.clear()
    sys.setprofile(note)
    target.touch()

def end(*_):
    sys.setprofile(None)
    target.with_suffix(".new").write_text(json.dumps(sorted(found)))
    target.with_suffix(".new").rename(target)

signal.signal(signal.SIGUSR1, begin)
signal.signal(signal.SIGUSR2, end)
sys.exit(cli.main(sys.argv[2:]))
"""
FEED, BOARD, LINK = "client.changes.ChangeFeed", "ioc.panda.news.Board", "ioc.parts.links.Link"
PUTS, CONNECTION = "ioc.parts.puts.Puts", "ioc.panda.connection.Connection"
CLIENT, RECORD = "client.asyncio.AsyncioClient", "ioc.epics.record.Record"
SETTING, FILES = "ioc.parts.settings._Setting", "ioc.parts.files.settings.FileSettings"
PANEL, AUTOSAVE = "ioc.parts.panel.Panel", "ioc.parts.autosave.Autosave"
DELAY = "PULSE1:DELAY"

Ways = set[tuple[str, ...]]


class Watched:
    """A bridge whose calls are noted in a file."""

    def __init__(self, ioc: Ioc, calls: Path) -> None:
        self.ioc = ioc
        self._calls = calls

    async def begin(self) -> None:
        self._calls.unlink(missing_ok=True)
        os.kill(self.ioc.process.pid, signal.SIGUSR1)
        await until(self._calls.exists, "the begin of the notes")

    async def end(self) -> Ways:
        """The objects that have called each other, by class, in each way that was gone."""
        os.kill(self.ioc.process.pid, signal.SIGUSR2)
        await until(lambda: self._calls.stat().st_size > 0, "the notes")
        ways = json.loads(self._calls.read_text())
        return {tuple(name.removeprefix("panda_ioc.") for name in way) for way in ways}


@pytest.fixture(scope="module")
def watched(
    tmp_path_factory: pytest.TempPathFactory, epics_ports: EpicsPorts, sim: Sim
) -> Iterator[Watched]:
    directory = tmp_path_factory.mktemp("watched")
    calls = directory / "calls"

    class Noting(Ioc):
        program = (sys.executable, "-c", PROGRAM, str(calls))

    with Noting(
        directory / "log", epics_ports, sim.address, "--autosave-dir", str(directory)
    ) as ioc:
        yield Watched(ioc, calls)


async def test_a_value_passes_two_objects_to_the_pv(watched: Watched, sim: Sim, ca: Any) -> None:
    with CaSeen(ca, watched.ioc.pv(DELAY)) as seen:
        await seen.first()
        await watched.begin()
        sim.put("PULSE1.DELAY=3.5")
        await seen.until(lambda value: value == 3.5)
        ways = await watched.end()
    assert _passed(ways, FEED, LINK, RECORD) == {(BOARD, LINK)}


async def test_a_put_passes_three_objects_to_the_wire(watched: Watched, ca: Any) -> None:
    await watched.begin()
    await ca.caput(watched.ioc.pv(DELAY), 2.5, wait=True)
    ways = await watched.end()
    assert _passed(ways, PUTS, CLIENT) == {(PUTS, LINK, CONNECTION)}


async def test_a_put_of_the_directory_passes_five_objects(
    watched: Watched, ca: Any, tmp_path: Path
) -> None:
    directory = tmp_path / "new"
    await ca.caput(watched.ioc.pv("DATA:CREATE_DIRECTORY"), -1, wait=True)
    await watched.begin()
    text = np.frombuffer(f"{directory}\0".encode(), np.uint8)
    await ca.caput(watched.ioc.pv("DATA:HDF_DIRECTORY"), text, wait=True)
    ways = await watched.end()
    assert directory.is_dir()
    passed = _passed(ways, PUTS)
    assert {name for way in passed for name in way} == {PUTS, SETTING, FILES, PANEL, AUTOSAVE}
    assert max(passed, key=len) == (PUTS, SETTING, FILES, PANEL)


def _passed(ways: Ways, *through: str) -> Ways:
    """The objects of `ioc/` on all ways through these."""
    return {tuple(filter(_is_counted, way)) for way in ways if {*through} <= {*way}}


def _is_counted(name: str) -> bool:
    return name.startswith("ioc.") and not name.startswith("ioc.epics.")
