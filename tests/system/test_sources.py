"""`MUX:SOURCE` shows what a mux is wired to, whatever that is at the time."""

import asyncio
from typing import Any

from support.servers import Ioc, Sim


async def test_the_value_of_the_source_is_shown(sim: Sim, ioc: Ioc, ca: Any) -> None:
    name = ioc.pv("PULSE2:TRIG:SOURCE")
    await ca.caput(ioc.pv("PULSE2:TRIG"), "ONE", wait=True)
    await _becomes(ca, name, 1)
    await ca.caput(ioc.pv("PULSE2:TRIG"), "BITS.OUTA", wait=True)
    await _becomes(ca, name, 0)
    sim.put("BITS.A=1")
    await _becomes(ca, name, 1)
    sim.put("PULSE2.TRIG=ZERO")
    await _becomes(ca, name, 0)


async def test_a_position_is_shown_in_counts(sim: Sim, ioc: Ioc, ca: Any) -> None:
    await ca.caput(ioc.pv("CALC1:INPA"), "COUNTER2.OUT", wait=True)
    seen: asyncio.Queue[Any] = asyncio.Queue()
    watch = ca.camonitor(ioc.pv("CALC1:INPA:SOURCE"), seen.put)
    values = {int(await asyncio.wait_for(seen.get(), 10)) for _ in range(4)}
    watch.close()
    assert len(values) > 1
    await ca.caput(ioc.pv("CALC1:INPA"), "ZERO", wait=True)
    await _becomes(ca, ioc.pv("CALC1:INPA:SOURCE"), 0)


async def test_without_a_connection_it_is_invalid(sim: Sim, ioc: Ioc, ca: Any) -> None:
    sim.stop()  # the last test of this module
    await _becomes(ca, ioc.pv("STATUS"), 0)
    assert await ca.caget(ioc.pv("PULSE2:TRIG:SOURCE.STAT"), datatype=str) == "COMM"


async def _becomes(ca: Any, name: str, wanted: int) -> None:
    values: asyncio.Queue[Any] = asyncio.Queue()
    watch = ca.camonitor(name, values.put)
    async with asyncio.timeout(10):
        while await values.get() != wanted:
            pass
    watch.close()
