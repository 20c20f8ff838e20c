"""What moves, and when."""

import asyncio
from pathlib import Path

from wire import Wire, control

from panda_ioc.sim import SimulatedPandA
from panda_ioc.sim.application import PACKAGED


async def changes_until(client: Wire, *names: str) -> dict[str, str]:
    """Poll until all the names have been reported; return the latest text of each."""
    seen: dict[str, str] = {}
    while not set(names) <= set(seen):
        for line in await client.ask("*CHANGES?"):
            name, _, value = line.partition("=")
            seen[name] = value
        await asyncio.sleep(0.02)
    return seen


async def test_packaged_application_is_alive_from_the_start() -> None:
    async with SimulatedPandA() as panda, control(panda) as client:
        await client.put("*CHANGES=")
        seen = await changes_until(
            client, "INENC1.VAL", "CLOCK2.OUT", "COUNTER1.OUT", "SYSTEM.TEMP_ZYNQ", "TTLIN1.VAL"
        )
        assert int(seen["COUNTER1.OUT"]) > 0


async def test_another_application_is_still_until_armed() -> None:
    async with SimulatedPandA(Path(PACKAGED)) as panda, control(panda) as client:
        await client.put("*CHANGES=")
        await asyncio.sleep(0.3)
        assert await client.ask("*CHANGES?") == []
        await client.put("*PCAP.ARM=")
        seen = await changes_until(client, "INENC1.VAL", "SYSTEM.TEMP_ZYNQ", "COUNTER3.OUT")
        assert seen["PCAP.ACTIVE"] == "1"
        await client.put("*PCAP.DISARM=")
        assert await client.get("PCAP.ACTIVE") == "0"


async def test_counter_obeys_its_settings() -> None:
    async with SimulatedPandA() as panda, control(panda) as client:
        await client.put("COUNTER3.START=10", "COUNTER3.STEP=5", "COUNTER3.MIN=10")
        await client.put("COUNTER3.MAX=22", "COUNTER3.TRIG=CLOCK1.OUT", "CLOCK1.PERIOD=0.01")
        await client.put("COUNTER3.ENABLE=ONE", "*CHANGES=")
        counts = set()
        while len(counts) < 5:
            seen = await changes_until(client, "COUNTER3.OUT")
            counts.add(int(seen["COUNTER3.OUT"]))
        assert counts <= set(range(10, 23))
        await changes_until(client, "COUNTER3.CARRY")
        await client.put("COUNTER3.ENABLE=ZERO")
        held = await client.get("COUNTER3.OUT")
        await asyncio.sleep(0.1)
        assert await client.get("COUNTER3.OUT") == held
        await client.put("COUNTER3.SET=17")
        assert await client.get("COUNTER3.OUT") == "17"


async def test_bits_faster_than_the_poll_are_reported() -> None:
    async with SimulatedPandA() as panda, control(panda) as client:
        await client.put("CLOCK1.PERIOD.UNITS=us", "CLOCK1.PERIOD=1", "*CHANGES=")
        for _ in range(3):
            await asyncio.sleep(0.01)
            bits = {line.partition("=")[0] for line in await client.ask("*CHANGES.BITS?")}
            assert {"CLOCK1.OUT", "PULSE1.OUT"} <= bits


async def test_soft_bits_follow_at_once() -> None:
    async with SimulatedPandA() as panda, control(panda) as client:
        await client.put("BITS.A=1")
        assert await client.get("BITS.OUTA") == "1"
        await client.put("BITS.A=0")
        assert await client.get("BITS.OUTA") == "0"


async def test_streaming_table_is_played_from_its_queue() -> None:
    async with SimulatedPandA() as panda, control(panda) as client:
        await client.put("*SIM.ROWS=0", "*CHANGES=")
        for suffix in ("<<", "<<|"):
            assert await client.ask(f"PGEN1.TABLE{suffix}", "1 2 3", "") == ["OK"]
        assert await client.get("PGEN1.TABLE.QUEUED_LINES") == "6"
        await client.put("*SIM.ROWS=200")
        seen = await changes_until(client, "PGEN1.TABLE.QUEUED_LINES")
        assert int(seen["PGEN1.TABLE.QUEUED_LINES"]) <= 6
        await client.get_until("PGEN1.TABLE.QUEUED_LINES", "0".__eq__)
        assert await client.get("PGEN1.TABLE.MODE") == "STREAMING_LAST"
