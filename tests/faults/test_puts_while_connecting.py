"""Puts that are refused while the connection is being made again leave no PV at another value.

The first poll of the new connection is held up, and clients go on putting meanwhile. Once two polls
have passed after it, every PV is at the PandA's value, and no alarm of the outage is left.
"""

import asyncio
from typing import Any

import pytest
from proxy import Do, delayed, only
from scene import Scene, Seen

from support.truth import COMM, INVALID

PUTS: dict[str, tuple[Any, ...]] = {
    f"PULSE{n}:{field}": values
    for n in (1, 2, 3, 4)
    for field, values in {
        "DELAY": (0.5, 1, 2),
        "PULSES": (1, 2, 3),
        "TRIG": ("ZERO", "ONE"),
        "TRIG:DELAY": (1, 2),
        "DELAY:UNITS": ("ms", "s"),
        "LABEL": ("one", "another"),
    }.items()
} | {
    "TTLOUT1:VAL": ("ZERO", "ONE"),
    "COUNTER1:OUT:CAPTURE": ("Value", "Mean"),
    "COUNTER1:OUT:OFFSET": (1, 2),
    "COUNTER1:SET": (3, 4),
    "PCAP:ARM": (0, 1),
    "SRGATE1:FORCE_SET": (1,),
}
CHANGED = (
    *(f"PULSE{n}.DELAY.UNITS=s" for n in (1, 2, 3, 4)),
    *(f"PULSE{n}.DELAY=7" for n in (1, 2, 3, 4)),
    *(f"PULSE{n}.PULSES=9" for n in (1, 2, 3, 4)),
    *(f"PULSE{n}.TRIG=TTLIN1.VAL" for n in (1, 2, 3, 4)),
    *(f"PULSE{n}.TRIG.DELAY=5" for n in (1, 2, 3, 4)),
    *(f"*METADATA.LABEL_PULSE{n}=theirs" for n in (1, 2, 3, 4)),
    "TTLOUT1.VAL=TTLIN2.VAL",
    "COUNTER1.OUT.CAPTURE=Sum",
    "COUNTER1.OUT.OFFSET=5",
    "SEQ1.TABLE<\n11\n12\n13\n14\n",
)


class Flood:
    """Puts without a pause to many PVs at once, over CA and PVA."""

    def __init__(self, scene: Scene, pva: Any) -> None:
        self._scene, self._pva = scene, pva
        self._stop = asyncio.Event()
        self.refused = 0

    async def __aenter__(self) -> "Flood":
        self._tasks = [asyncio.create_task(self._ca(*item)) for item in PUTS.items()]
        self._tasks.append(asyncio.create_task(self._structures()))
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._stop.set()
        await asyncio.gather(*self._tasks)

    async def _ca(self, name: str, values: tuple[Any, ...]) -> None:
        for number in range(100_000):
            if self._stop.is_set():
                return
            keywords: dict[str, Any] = {}
            if isinstance(values[0], str) and name.endswith("LABEL"):
                keywords["datatype"] = self._scene.ca.DBR_CHAR_STR
            good = await self._scene.put(name, values[number % len(values)], **keywords)
            self.refused += not good
            await asyncio.sleep(0.002)

    async def _structures(self) -> None:
        """A choice by its number, and a whole table."""
        while not self._stop.is_set():
            await asyncio.to_thread(self._put_structures)

    def _put_structures(self) -> None:
        pv = self._scene.ioc.pv
        for name, value in (
            ("TTLOUT1:VAL:ENUM", {"value.index": 1}),
            ("SEQ1:TABLE", {"value.repeats": [1]}),
        ):
            try:
                self._pva.put(pv(name), value, timeout=10)
            except Exception:  # whatever a client is told: here it is to be refused
                self.refused += 1


async def first_poll(scene: Scene) -> None:
    """Wait until the bridge has asked for all that has changed, by a new connection."""

    def asked() -> bool:
        return any(link.role == "changes" for link in scene.proxy.control.links)

    await scene.until(asked, "a first poll")


@pytest.mark.parametrize("round_", range(3))
async def test_no_pv_is_stuck_after_puts_during_the_first_poll(
    scene: Scene, pva: Any, round_: int
) -> None:
    with scene.see("STATUS", datatype=str) as status:
        await status.until(lambda state: state == "CONNECTED")
        since = len(status.updates)
        scene.proxy.control.down = only("changes", delayed(0.3))
        scene.proxy.control.end(Do.RESET)
        await status.until(lambda state: state == "DISCONNECTED", since)
        await asyncio.to_thread(scene.sim.put, *CHANGED)
        async with Flood(scene, pva) as flood:
            await first_poll(scene)
            await asyncio.sleep(0.05 * (1 + round_))
        assert flood.refused
        scene.proxy.heal()
        await status.until(lambda state: state == "CONNECTED", since)
    await two_polls(scene)
    assert await scene.frozen_truth() == []
    assert await outage_alarms(scene) == []
    repeats = await scene.get("SEQ1:TABLE:REPEATS", format=scene.ca.FORMAT_TIME)
    assert (list(repeats), repeats.severity) == ([11], 0)


async def two_polls(scene: Scene) -> None:
    """Change a field twice, and see both: a poll has told each."""
    with Seen(scene.ca, scene.ioc.pv("SEQ2:REPEATS")) as seen:
        for value in (1, 2):
            await asyncio.to_thread(scene.sim.put, f"SEQ2.REPEATS={value}")
            await seen.until(lambda update, value=value: update == value)


async def outage_alarms(scene: Scene) -> list[str]:
    """PVs that were put to and still say that there is no connection."""
    names = [scene.ioc.pv(name) for name in (*PUTS, "TTLOUT1:VAL:INDEX", "SEQ1:TABLE:PUT")]
    values = await scene.ca.caget(names, format=scene.ca.FORMAT_TIME)
    return [v.name for v in values if (v.severity, v.status) == (INVALID, COMM)]
