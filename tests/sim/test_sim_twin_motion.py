"""Encoders that move behind the ports: compared, captured, reported."""

from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
from wire import Wire, control, data, raw_rows

from panda_ioc.sim import SimulatedPandA

COUNTS, MILLISECONDS = 10_000, 20
STEP, WIDTH, PULSES = 1000, 100, 9
MOTION = f"ramp:0,{COUNTS},{MILLISECONDS}ms"
# Ticks a count.
PACE = MILLISECONDS * 125_000 // COUNTS


@pytest.fixture
async def panda() -> AsyncIterator[SimulatedPandA]:
    async with SimulatedPandA(twin=True) as panda:
        yield panda


@pytest.fixture
async def client(panda: SimulatedPandA) -> AsyncIterator[Wire]:
    async with control(panda) as client:
        await client.put("*CAPTURE=", "CLOCK1.ENABLE=ZERO", "CLOCK2.ENABLE=ZERO")
        yield client


@pytest.mark.parametrize("speed", ["1", "0", "20"])
async def test_points_of_a_motion_are_captured_where_they_are(
    panda: SimulatedPandA, client: Wire, speed: str
) -> None:
    async with data(panda, "RAW") as stream:
        assert await stream.line() == "OK"
        await client.put(
            *("PCOMP1.ENABLE=PCAP.ACTIVE", "PCOMP1.INP=INENC1.VAL", f"PCOMP1.START={STEP}"),
            *(f"PCOMP1.STEP={STEP}", f"PCOMP1.WIDTH={WIDTH}", f"PCOMP1.PULSES={PULSES}"),
            *("PCAP.ENABLE=PCOMP1.ACTIVE", "PCAP.TRIG=PCOMP1.OUT", "PCAP.GATE=PCOMP1.OUT"),
            *("INENC1.VAL.CAPTURE=Value Min Max", "PCAP.TS_TRIG.CAPTURE=Value"),
            *(f"*SIM.SPEED={speed}", f"*SIM.TRAJECTORY=INENC1@PCAP.ACTIVE={MOTION}"),
        )
        await client.put("*PCAP.ARM=")
        columns, rows, end = await raw_rows(stream)
    assert end == f"END {PULSES} Ok"
    assert [kind for _, _, kind in columns] == ["Value", "Min", "Max", "Value"]
    assert [row[0] for row in rows] == [STEP * n for n in range(1, PULSES + 1)]
    # Up to a row the gate was open for the pulse of the row before.
    assert [row[1] for row in rows[1:]] == [STEP * n for n in range(1, PULSES)]
    assert [row[2] // STEP for row in rows[1:]] == list(range(1, PULSES))
    times = [row[3] for row in rows]
    assert {after - before for before, after in pairwise(times)} == {STEP * PACE}


async def test_a_moving_encoder_is_reported(client: Wire) -> None:
    await client.put("*SIM.TRAJECTORY=INENC2=ramp:0,1000000,10s")
    await client.ask("*CHANGES?")
    first = int(await client.get_until("INENC2.VAL", lambda value: int(value) > 10))
    changes = dict(line.split("=") for line in await client.ask("*CHANGES.POSN?"))
    assert int(changes["INENC2.VAL"]) >= first
    await client.put("*SIM.SET=INENC2.VAL=-3")
    assert await client.get("INENC2.VAL") == "-3"
    await client.ask("*CHANGES.POSN?")
    assert await client.ask("*CHANGES.POSN?") == []


@pytest.mark.parametrize(
    "text", ["INENC1=walk:1", "INENC9=ramp:0,1,1s", "COUNTER1.OUT=ramp:0,1,1s", "INENC1", "", "="]
)
async def test_what_cannot_move_is_refused(client: Wire, text: str) -> None:
    (answer,) = await client.ask(f"*SIM.TRAJECTORY={text}")
    assert answer.startswith("ERR *SIM.TRAJECTORY: ")


async def test_what_cannot_start_a_motion_is_refused(client: Wire) -> None:
    for trigger in ("PCAP.NOTHING", "COUNTER1.OUT", "ONE"):
        (answer,) = await client.ask(f"*SIM.TRAJECTORY=INENC1@{trigger}=ramp:0,1,1s")
        assert answer.startswith("ERR *SIM.TRAJECTORY: ")
