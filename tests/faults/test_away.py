"""What clients are told of a PandA that stays away and comes back: every PV is watched.

Counted are the updates of real monitors, over CA and over PVA, of all records, aliases and
structures; only the counters of the bridge's own health move by themselves.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from proxy import Do, Welcome
from scene import CANARY, Scene

from panda_ioc.client.asyncio import AsyncioClient
from panda_ioc.client.introspection import introspect
from panda_ioc.records.build import RecordSet, build_records
from panda_ioc.records.database import structure_names
from support.truth import COMM, INVALID

ATTEMPTS = 6
HEALTH = "IOC:"
REASONS = 4
"""Of one outage: each is told once by STATUS."""
SENTINEL, SENTINEL_WIRE = "PULSE4:PULSES", "PULSE4.PULSES"


class Everything:
    """Counts updates of monitors, by protocol and name."""

    def __init__(self, ca: Any, pva: Any, names: list[str], structures: list[str]) -> None:
        self.updates: dict[tuple[str, str], list[Any]] = {}
        self._pva = pva
        self._open: dict[tuple[str, str], Any] = {}
        for name in names:
            keep = self._keep("CA", name)
            self._open["CA", name] = ca.camonitor(name, keep, format=ca.FORMAT_TIME)
        for name in (*names, *structures):
            self._monitor(name)

    def _monitor(self, name: str) -> None:
        keep = self._keep("PVA", name)
        self._open["PVA", name] = self._pva.monitor(name, keep, notify_disconnect=False)

    def _keep(self, protocol: str, name: str) -> Callable[[Any], None]:
        updates = self.updates[protocol, name] = []
        return updates.append

    async def begin(self) -> None:
        """Wait for the first update of every PV; p4p loses some that come too early for it."""
        for _ in range(10):
            await asyncio.sleep(2)
            missing = [key for key, updates in self.updates.items() if not updates]
            if not missing:
                return
            for key in missing:
                assert key[0] == "PVA", key
                self._open.pop(key).close()
                self._monitor(key[1])
        raise AssertionError(f"never seen: {missing}")

    def close(self) -> None:
        for each in self._open.values():
            each.close()

    def counts(self) -> dict[tuple[str, str], int]:
        return {key: len(updates) for key, updates in self.updates.items()}

    def since(self, before: dict[tuple[str, str], int]) -> dict[tuple[str, str], int]:
        """Those that were told something since then, and how often."""
        news = {key: count - before[key] for key, count in self.counts().items()}
        return {key: count for key, count in news.items() if count}


@pytest.fixture
async def records(scene: Scene) -> RecordSet:
    """What is served."""
    async with AsyncioClient(scene.sim.host, scene.sim.port) as client:
        return build_records(await introspect(client), scene.ioc.prefix)


@pytest.fixture
async def everything(scene: Scene, pva: Any, records: RecordSet) -> AsyncIterator[Everything]:
    scene.sim.put("*SIM.ALIVE=0", "SEQ1.TABLE<\n1\n2\n3\n4\n")
    names = [scene.ioc.pv(name) for name in records.names if not name.startswith(HEALTH)]
    watched = Everything(scene.ca, pva, names, structure_names(records.specs))
    await watched.begin()
    await settle(scene, 1)
    yield watched
    watched.close()
    scene.sim.put("*SIM.ALIVE=1")


async def settle(scene: Scene, value: int) -> None:
    """Change a field and see it: what was told before it has come by then, over CA and PVA."""
    with scene.see(SENTINEL) as seen:
        for number in (value, value + 1):
            scene.sim.put(f"{SENTINEL_WIRE}={number}")
            await seen.until(lambda update, number=number: update == number)


def others(news: dict[tuple[str, str], int], scene: Scene) -> dict[tuple[str, str], int]:
    """Without those that tests change, and without STATUS, which is there to change."""
    spared = {scene.ioc.pv(name) for name in ("STATUS", "Status", SENTINEL, CANARY)}
    return {key: count for key, count in news.items() if key[1] not in spared}


HOWS = (Welcome.REFUSE, Welcome.HANG_UP, Welcome.IGNORE)


@pytest.mark.parametrize("how", HOWS, ids=[how.name for how in HOWS])
async def test_an_outage_is_told_once_and_its_end_once(
    scene: Scene, everything: Everything, how: Welcome
) -> None:
    before = everything.counts()
    status = ("CA", scene.ioc.pv("STATUS"))
    scene.proxy.control.welcome(how)
    scene.proxy.control.end(Do.RESET)
    with scene.see(CANARY) as canary:
        await canary.lost()
        await attempts(scene, how)
    told = others(everything.since(before), scene)
    assert {key: count for key, count in told.items() if count > 1} == {}
    assert len(told) > 3000
    assert everything.since(before)[status] <= REASONS

    away = everything.counts()
    await scene.recover()
    await settle(scene, 3)
    told = others(everything.since(away), scene)
    assert {key: count for key, count in told.items() if count > 1} == {}
    last = {key[1]: everything.updates[key][-1] for key in told if key[0] == "CA"}
    wrong = [name for name, v in last.items() if (v.severity, v.status) == (INVALID, COMM)]
    assert wrong == []


async def attempts(scene: Scene, how: Welcome) -> None:
    """Wait until the bridge has tried several times to connect."""
    if how is Welcome.REFUSE:
        await asyncio.sleep(5)  # nobody counts attempts at a closed port; 1.5 s are between them
        return
    start, most = scene.proxy.control.accepted, 2 * ATTEMPTS if how is Welcome.HANG_UP else 6
    await scene.until(lambda: scene.proxy.control.accepted >= start + most, "attempts", 30)


async def test_without_an_outage_nothing_is_told_of_what_stands_still(
    scene: Scene, everything: Everything
) -> None:
    before = everything.counts()
    for value in range(10, 30):
        await settle(scene, value)
    assert others(everything.since(before), scene) == {}
