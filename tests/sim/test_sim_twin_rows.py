"""Captured rows are kept for slow clients, up to a limit."""

import random
from collections.abc import AsyncIterator

import numpy as np
from wire import Wire, control, data

from panda_ioc.sim import SimSettings, SimulatedPandA
from panda_ioc.sim.twin_hardware.rows import Rows

WINDOW = 4096


def test_rows_come_back_in_any_pieces() -> None:
    chance = random.Random(1)
    for width in (1, 3):
        rows, most, made = Rows(width, 20_000), 20_000, 0
        while made < 100_000:
            count = chance.choice([0, 1, chance.randint(2, 9000)])
            rows.add([[made + n + column for column in range(width)] for n in range(count)])
            made += count
            start = chance.randint(max(0, made - most), made)
            stop = chance.randint(start, made)
            expected = np.arange(start, stop)[:, None] + np.arange(width)
            assert (rows.words(start, stop) == expected).all()
        assert rows.count == made
        # What is far behind is not kept.
        assert not rows.words(1, 1000).any()


async def test_a_late_client_begins_in_the_middle_of_what_is_kept() -> None:
    """Rows number themselves: what the header says is missing is missing."""
    settings = SimSettings(buffer=4 * WINDOW)
    async with SimulatedPandA(twin=True, settings=settings) as panda, control(panda) as client:
        await client.put(
            *("*CAPTURE=", "CLOCK1.PERIOD.RAW=1250", "CLOCK1.ENABLE=PCAP.ACTIVE"),
            *("COUNTER1.ENABLE=PCAP.ACTIVE", "COUNTER1.TRIG=CLOCK1.OUT", "CLOCK2.ENABLE=ZERO"),
            *("PCAP.ENABLE=ONE", "PCAP.TRIG=CLOCK1.OUT", "COUNTER1.OUT.CAPTURE=Value"),
            *("*SIM.SPEED=0 0.3", "*PCAP.ARM="),
        )
        await client.get_until("*PCAP.CAPTURED", lambda count: int(count) > 3 * WINDOW)
        async with data(panda, "RAW") as stream:
            assert await stream.line() == "OK"
            header = [line async for line in lines(stream)]
            missed = int(next(line for line in header if line.startswith("missed")).split()[1])
            assert missed > WINDOW
            first = int(await stream.line(), 16)
            assert first == missed
            assert int(await stream.line(), 16) == missed + 1
            await client.put("*PCAP.DISARM=")
            rows = 2
            while (line := await stream.line()).startswith(" "):
                assert int(line, 16) == missed + rows
                rows += 1
            assert line == f"END {rows} Disarmed"


async def lines(stream: Wire) -> AsyncIterator[str]:
    """The header."""
    while line := await stream.line():
        yield line
