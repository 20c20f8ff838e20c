"""Two clocks: what the twin captures does not depend on how its time goes by."""

import asyncio
import random
import time
from itertools import pairwise

import pytest
from wire import Wire, control, data, raw_rows

from panda_ioc.sim import SimulatedPandA

REPEATS, HIGH, LOW = 40, 50, 70
COLUMNS = ["PCAP.GATE_DURATION Value", "COUNTER1.OUT Value", "PCAP.TS_TRIG Value"]
# A line of SEQ: at once, OUTA in the first phase.
LINE = (REPEATS | 1 << 20, 0, HIGH, LOW)


async def set_up(client: Wire) -> None:
    """A table that triggers PCAP, opens its gate and is counted; the end of it is the end."""
    await client.put(
        *("*CAPTURE=", "SEQ1.ENABLE=PCAP.ACTIVE", "SEQ1.REPEATS=1"),
        *("PCAP.ENABLE=SEQ1.ACTIVE", "PCAP.TRIG=SEQ1.OUTA", "PCAP.GATE=SEQ1.OUTA"),
        *("COUNTER1.ENABLE=PCAP.ACTIVE", "COUNTER1.TRIG=SEQ1.OUTA"),
        *("COUNTER1.OUT.CAPTURE=Value", "PCAP.TS_TRIG.CAPTURE=Value"),
        "PCAP.GATE_DURATION.CAPTURE=Value",
    )
    assert await client.ask("SEQ1.TABLE<", *map(str, LINE), "") == ["OK"]


async def poll(client: Wire, chance: random.Random) -> None:
    """Ask now and then, which makes other slices."""
    while (await client.get("*PCAP.STATUS")).startswith("Busy"):
        await client.ask("*CHANGES?")
        await asyncio.sleep(chance.random() / 100)


@pytest.mark.parametrize("speed", ["1", "100", "0.0005", "0", "0 1e-05"])
async def test_rows_are_the_same_at_every_speed(speed: str) -> None:
    async with (
        SimulatedPandA(twin=True) as panda,
        control(panda) as client,
        data(panda, "RAW") as stream,
    ):
        assert await stream.line() == "OK"
        await set_up(client)
        await client.put(f"*SIM.SPEED={speed}", "*PCAP.ARM=")
        await poll(client, random.Random(speed))
        columns, rows, end = await raw_rows(stream)
        assert [f"{name} {kind}" for name, _, kind in columns] == COLUMNS
        assert end == f"END {REPEATS} Ok"
        # The pulse that triggers a row is counted by the next one.
        gates = [0] + [HIGH] * (REPEATS - 1)
        assert rows == [[gates[n], n, n * (HIGH + LOW), 0] for n in range(REPEATS)]
        assert await client.get("*SIM.SPEED") == (speed if speed != "0" else "0 3600")


async def test_time_that_stands_goes_by_ticks() -> None:
    chance = random.Random(7)
    async with (
        SimulatedPandA(twin=True, alive=False) as panda,
        control(panda) as client,
        data(panda, "RAW") as stream,
    ):
        assert await stream.line() == "OK"
        await set_up(client)
        await client.put("*SIM.STEP=1000", "*PCAP.ARM=")
        before = int(await client.get("*SIM.TICK"))
        await asyncio.sleep(0.05)
        assert int(await client.get("*SIM.TICK")) == before
        ticks = 0
        while await client.get("SEQ1.STATE") != "WAIT_ENABLE":
            step = chance.randint(1, 400)
            await client.put(f"*SIM.STEP={step}")
            ticks += step
        assert int(await client.get("*SIM.TICK")) == before + ticks
        _, rows, end = await raw_rows(stream)
        assert end == f"END {REPEATS} Ok"
        assert [row[2] for row in rows] == [n * (HIGH + LOW) for n in range(REPEATS)]


async def test_no_steps_while_time_goes_on() -> None:
    async with SimulatedPandA(twin=True) as panda, control(panda) as client:
        (answer,) = await client.ask("*SIM.STEP=10")
        assert answer.startswith("ERR *SIM.STEP is for a PandA that stands still")


async def test_time_follows_the_wall_clock() -> None:
    async with SimulatedPandA(twin=True) as panda, control(panda) as client:
        for speed in (1, 3, 0.5):
            await client.put(f"*SIM.SPEED={speed}")
            start, first = time.monotonic(), int(await client.get("*SIM.TICK"))
            await asyncio.sleep(0.3)
            ticks = int(await client.get("*SIM.TICK")) - first
            seconds = time.monotonic() - start
            assert ticks / 125e6 == pytest.approx(seconds * speed, abs=0.06 * max(1, speed))
            assert await client.get("*SIM.LAG") == "0"


@pytest.mark.parametrize(
    ("speed", "words"),
    [("-1", "between 0 and"), ("1 5", "only speed 0"), ("0 0", "only speed 0"), ("x", "missing")],
)
async def test_bad_speeds_are_refused(speed: str, words: str) -> None:
    async with SimulatedPandA(twin=True) as panda, control(panda) as client:
        (answer,) = await client.ask(f"*SIM.SPEED={speed}")
        assert answer.startswith("ERR")
        assert words in answer
        assert await client.get("*SIM.SPEED") == "1"


FAST = ("CLOCK1.ENABLE=ONE", "CLOCK1.PERIOD.RAW=2")
INPUTS = [f"COUNTER{n}.TRIG" for n in range(1, 9)] + [f"LUT{n}.INPA" for n in range(1, 9)]
LATENCY = 1.0  # seconds; 20 ms where nothing else runs


async def test_a_clock_that_is_too_fast_stretches_time(caplog: pytest.LogCaptureFixture) -> None:
    async with (
        SimulatedPandA(twin=True) as panda,
        control(panda) as client,
        data(panda, "RAW") as stream,
    ):
        assert await stream.line() == "OK"
        await client.put(*FAST, *(f"{name}=CLOCK1.OUT" for name in INPUTS))
        await client.put("*CAPTURE=", "COUNTER1.ENABLE=ONE", "PCAP.ENABLE=ONE")
        await client.put("DIV1.ENABLE=ONE", "DIV1.INP=CLOCK1.OUT", "DIV1.DIVISOR=100")
        await client.put("PCAP.TRIG=DIV1.OUTD", "COUNTER1.OUT.CAPTURE=Value", "*PCAP.ARM=")
        slowest = 0.0
        while float(await client.get("*SIM.LAG")) < 1:
            start = time.monotonic()
            await client.get("COUNTER1.OUT")
            slowest = max(slowest, time.monotonic() - start)
            await asyncio.sleep(0.005)
        assert slowest < LATENCY
        await client.put("*PCAP.DISARM=")
        _, rows, end = await raw_rows(stream)
        assert end == f"END {len(rows)} Disarmed"
        steps = {after[0] - before[0] for before, after in pairwise(rows)}
        assert steps == {100}
        assert len(rows) > 10
    assert "CLOCK1.OUT makes most events" in caplog.text


async def test_where_samples_come_from() -> None:
    async with SimulatedPandA(twin=True) as panda, control(panda) as client:
        assert await client.get("*SIM.DATA") == "TWIN"
        await client.put("*SIM.DATA=TWIN")
        (answer,) = await client.ask("*SIM.DATA=RAMP")
        assert answer.startswith("ERR *SIM.DATA=RAMP")
