"""What clients see of the twin's blocks: buses, changes, readings, tables, levels from outside."""

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from wire import APPLICATION, Wire, control

from panda_ioc.errors import ConfigurationError
from panda_ioc.sim import SimulatedPandA
from panda_ioc.sim.application import PACKAGED

SECOND = 125_000_000


def row(repeats: int) -> list[str]:
    """A line of SEQ that begins at once: OUTA is high for 1000 ticks, low for 1000."""
    return [str(word) for word in (repeats | 1 << 20, 0, 1000, 1000)]


@pytest.fixture
async def client() -> AsyncIterator[Wire]:
    """A connection to a twin whose time stands still, with nothing set."""
    async with SimulatedPandA(twin=True, alive=False) as panda, control(panda) as client:
        await client.put("CLOCK1.ENABLE=ZERO", "CLOCK2.ENABLE=ZERO", "*SIM.STEP=100")
        await client.ask("*CHANGES?")
        yield client


async def step(client: Wire, ticks: int) -> None:
    await client.put(f"*SIM.STEP={ticks}")


async def write(client: Wire, table: str, *rows: list[str]) -> list[str]:
    return await client.ask(table, *(word for row in rows for word in row), "")


async def test_a_level_from_outside_goes_through_the_wires(client: Wire) -> None:
    await client.put("SRGATE1.ENABLE=ONE", "SRGATE1.SET=TTLIN3.VAL", "SRGATE1.RST=TTLIN4.VAL")
    await client.put("*SIM.SET=TTLIN3.VAL=1", "*SIM.STEP=10")
    assert await client.get("SRGATE1.OUT") == "1"
    assert sorted(await client.ask("*CHANGES.BITS?")) == ["SRGATE1.OUT=1", "TTLIN3.VAL=1"]
    await client.put("*SIM.SET=TTLIN4.VAL=1", "*SIM.STEP=10")
    assert await client.get("SRGATE1.OUT") == "0"


async def test_a_delay_is_one_of_ticks(client: Wire) -> None:
    await client.put("LUT1.FUNC=A", "LUT1.INPA=TTLIN1.VAL", "LUT1.INPA.DELAY=31")
    await client.put("*SIM.SET=TTLIN1.VAL=1")
    # The command took one tick; a LUT takes three, and 31 more by its delay.
    await step(client, 32)
    assert await client.get("LUT1.OUT") == "0"
    await step(client, 1)
    assert await client.get("LUT1.OUT") == "1"


async def test_a_pulse_between_two_polls_is_reported(client: Wire) -> None:
    await client.put("PULSE1.ENABLE=ONE", "PULSE1.WIDTH.RAW=5", "PULSE1.TRIG=TTLIN1.VAL")
    await client.ask("*CHANGES?")
    await client.put("*SIM.SET=TTLIN1.VAL=1")
    await step(client, 1000)
    assert await client.ask("*CHANGES.BITS?") == ["TTLIN1.VAL=1", "PULSE1.OUT=0"]
    assert await client.ask("*CHANGES.BITS?") == []


async def test_positions_from_outside(client: Wire) -> None:
    await client.put("CALC1.INPA=INENC1.VAL", "CALC1.INPB=INENC2.VAL", "CALC1.TYPEB=-Value")
    await client.put("*SIM.SET=INENC1.VAL=-7", "*SIM.SET=INENC2.VAL=2147483647")
    await step(client, 10)
    assert await client.get("CALC1.OUT") == str(-7 - 2147483647 + 2**32)
    assert await client.get("INENC1.VAL") == "-7"
    assert await client.get("INENC1.CONN") == "1"
    await client.put("INENC1.SETP=12")
    assert await client.get("INENC1.VAL") == "12"


async def test_what_the_twin_does_cannot_be_set(client: Wire) -> None:
    for name in ("PULSE1.OUT", "COUNTER1.OUT", "SEQ1.STATE", "PCAP.HEALTH"):
        (answer,) = await client.ask(f"*SIM.SET={name}=1")
        assert answer.startswith("ERR")


async def test_outputs_of_blocks_that_have_no_twin_are_levels(client: Wire) -> None:
    await client.put("LUT1.FUNC=A", "LUT1.INPA=SFP2_SYNC_IN.BIT1", "*SIM.SET=SFP2_SYNC_IN.BIT1=1")
    await step(client, 10)
    assert await client.get("LUT1.OUT") == "1"
    await client.put("*SIM.SET=INENC1.HEALTH=Timeout error (for BISS, SSI)")
    assert await client.get("INENC1.HEALTH") == "Timeout error (for BISS, SSI)"


async def test_every_kind_of_setting_arrives(client: Wire) -> None:
    """An int below 0, a bit, an enumeration, an action, a lut, a time of two registers."""
    await client.put("COUNTER1.ENABLE=ONE", "COUNTER1.SET=-5", "BITS.A=1", "SRGATE1.ENABLE=ONE")
    await client.put("SRGATE1.FORCE_SET=", "LUT1.FUNC=~A", "LUT1.INPA=BITS.OUTB")
    assert await client.get("COUNTER1.OUT") == "-5"
    for name in ("BITS.OUTA", "SRGATE1.OUT", "LUT1.OUT"):
        assert await client.get(name) == "1"
    await client.put("SRGATE1.FORCE_RST=", "SRGATE1.SET_EDGE=Falling", "SRGATE1.SET=BITS.OUTA")
    assert await client.get("SRGATE1.OUT") == "0"
    await client.put("BITS.A=0")
    assert await client.get("SRGATE1.OUT") == "1"
    await client.put("PULSE1.ENABLE=ONE", "PULSE1.DELAY.UNITS=min", "PULSE1.DELAY=1")
    await client.put("PULSE1.WIDTH.RAW=5", "PULSE1.TRIG=BITS.OUTC", "BITS.C=1")
    assert await client.get("PULSE1.QUEUED") == "1"


async def test_a_fixed_table_is_played_and_repeats(client: Wire) -> None:
    await client.put("SEQ1.ENABLE=TTLIN1.VAL", "SEQ1.REPEATS=3")
    assert await write(client, "SEQ1.TABLE<", row(2), row(1)) == ["OK"]
    await step(client, 200)
    assert await client.get("SEQ1.STATE") == "WAIT_ENABLE"
    await client.put("*SIM.SET=TTLIN1.VAL=1")
    await step(client, 4500)
    assert await client.get("SEQ1.STATE") == "PHASE1"
    assert await client.get("SEQ1.TABLE_LINE") == "2"
    assert await client.get("SEQ1.LINE_REPEAT") == "1"
    await step(client, 2000)
    assert await client.get("SEQ1.TABLE_REPEAT") == "2"
    await step(client, 20_000)
    assert await client.get("SEQ1.STATE") == "WAIT_ENABLE"
    assert await client.get("SEQ1.ACTIVE") == "0"
    assert await client.get("SEQ1.HEALTH") == "OK"


async def test_a_second_fixed_table_takes_the_place_of_the_first(client: Wire) -> None:
    await client.put("PGEN1.ENABLE=TTLIN1.VAL", "PGEN1.TRIG=TTLIN2.VAL", "PGEN1.REPEATS=1")
    assert await write(client, "PGEN1.TABLE<", ["1", "2"]) == ["OK"]
    assert await write(client, "PGEN1.TABLE<", ["4294967295", "3"]) == ["OK"]
    await step(client, 200)
    assert await client.get("PGEN1.HEALTH") == "OK"
    await client.put("*SIM.SET=TTLIN1.VAL=1", "*SIM.STEP=10", "*SIM.SET=TTLIN2.VAL=1")
    await step(client, 10)
    assert await client.get("PGEN1.OUT") == "-1"


async def test_chunks_are_played_in_turn_and_counted(client: Wire) -> None:
    await client.put("SEQ1.ENABLE=TTLIN1.VAL")
    for _ in range(4):
        assert await write(client, "SEQ1.TABLE<<", *[row(1)] * 10) == ["OK"]
    await step(client, 5000)
    assert await client.get("SEQ1.TABLE.MODE") == "STREAMING"
    # The block reads ahead; a chunk is done for the driver when the next one is read.
    assert await client.get("SEQ1.TABLE.QUEUED_LINES") == "10"
    await client.put("*SIM.SET=TTLIN1.VAL=1")
    await step(client, 10 * 2000 + 1000)
    assert await client.get("SEQ1.TABLE_LINE") == "11"
    assert await write(client, "SEQ1.TABLE<<|", row(1), row(1)) == ["OK"]
    await step(client, 50 * 2000)
    assert await client.get("SEQ1.HEALTH") == "OK"
    assert await client.get("SEQ1.TABLE_LINE") == "42"
    assert await client.get("SEQ1.TABLE.QUEUED_LINES") == "0"
    assert await client.get("SEQ1.STATE") == "UNREADY"


async def test_an_underrun_is_told_by_health(client: Wire) -> None:
    await client.put("SEQ1.ENABLE=TTLIN1.VAL")
    assert await write(client, "SEQ1.TABLE<<", row(1), row(1)) == ["OK"]
    await step(client, 3000)
    await client.put("*SIM.SET=TTLIN1.VAL=1")
    await step(client, 3 * 2000)
    assert await client.get("SEQ1.HEALTH") == await health(client, 1)
    assert await client.get("SEQ1.ACTIVE") == "0"
    (answer,) = await write(client, "SEQ1.TABLE<<", row(1))
    assert answer.startswith("ERR")
    assert await write(client, "SEQ1.TABLE<") == ["OK"]
    assert await write(client, "SEQ1.TABLE<<|", row(1)) == ["OK"]
    await client.put("*SIM.SET=TTLIN1.VAL=0", "*SIM.STEP=100", "*SIM.SET=TTLIN1.VAL=1")
    await step(client, 10)
    assert await client.get("SEQ1.HEALTH") == "OK"
    assert await client.get("SEQ1.ACTIVE") == "1"


async def health(client: Wire, number: int) -> str:
    return (await client.ask("*ENUMS.SEQ1.HEALTH?"))[number]


async def test_the_header_waits_for_the_enable() -> None:
    async with SimulatedPandA(twin=True) as panda, control(panda) as client:
        stream = await Wire.connect(panda.host, panda.data_port)
        stream.writer.write(b"XML\n")
        assert await stream.line() == "OK"
        await client.put("PCAP.ENABLE=TTLIN1.VAL", "PCAP.TRIG=TTLIN2.VAL", "*PCAP.ARM=")
        header = asyncio.create_task(stream.read_until(b"</header>"))
        await client.get_until("*SIM.TICK", lambda tick: int(tick) > SECOND // 4)
        assert not header.done()
        await client.put("*SIM.SET=TTLIN1.VAL=1")
        times = re.findall(r'(?:arm|start)_time="[^"]*T[\d:]*:([\d.]+)Z"', (await header).decode())
        await client.put("*PCAP.DISARM=")
        await stream.close()
        assert len(times) == 2
        assert times[0] != times[1]


async def test_too_many_captures_are_refused_and_leave_nothing_behind(client: Wire) -> None:
    wide = [f"COUNTER{n}.OUT" for n in range(1, 9)]
    await client.put(*(f"{name}.CAPTURE=Value Diff Sum Min Max StdDev" for name in wide))
    assert await client.ask("*PCAP.ARM=") == ["ERR Too many captures for PCAP"]
    assert await client.get("*PCAP.STATUS") == "Idle 0 0"
    await client.put("*CAPTURE=", "COUNTER1.OUT.CAPTURE=Value", "*PCAP.ARM=", "*PCAP.DISARM=")
    await client.get_until("*PCAP.COMPLETION", lambda reason: reason == "Disarmed")


async def test_without_a_twin_of_pcap_there_is_none(tmp_path: Path) -> None:
    shutil.copytree(PACKAGED, tmp_path / "odd")
    (tmp_path / "odd" / "state").unlink()
    for name in ("config", "registers"):
        path = tmp_path / "odd" / name
        path.write_text(path.read_text().replace("    GATE  ", "    DOOR  "))
    with pytest.raises(ConfigurationError, match="needs a block PCAP with ENABLE, GATE"):
        SimulatedPandA(tmp_path / "odd", twin=True)


@pytest.mark.skipif(not APPLICATION.exists(), reason=f"no application in {APPLICATION}")
async def test_the_application_of_a_real_panda_has_a_twin() -> None:
    async with SimulatedPandA(APPLICATION, twin=True) as panda, control(panda) as client:
        await client.put("CLOCK1.PERIOD.RAW=1000", "CLOCK1.ENABLE=ONE")
        await client.put("COUNTER1.TRIG=CLOCK1.OUT", "COUNTER1.ENABLE=ONE")
        await client.get_until("COUNTER1.OUT", lambda count: int(count) > 100)
