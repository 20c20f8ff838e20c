"""The twin behind its ports: set-ups that were run with the FPGA's own VHDL, word for word."""

from collections.abc import AsyncIterator

import pytest
from wire import APPLICATION, control, data, raw_rows

from panda_ioc.sim import SimulatedPandA
from support.wired import BITS, SCANS, WIRED, chosen, load, moved

pytestmark = pytest.mark.skipif(not WIRED.exists(), reason=f"no timing files in {WIRED}")

# Name, completion, HEALTH; those in which nothing happens in the 25 ticks after the arm.
CASES = [
    ("armed-clock", "Disarmed", "OK"),
    ("fly-scan", "Ok", "OK"),
    ("just-in-time", "Disarmed", "OK"),
    ("pcomp-scan", "Ok", "OK"),
    ("pgen", "Ok", "OK"),
    ("pulse-train", "Disarmed", "OK"),
    ("scan-compare", "Ok", "OK"),
    ("scan-grid", "Ok", "OK"),
    ("too-close", "Framing error", "Capture events too close together"),
]


@pytest.fixture(params=[None, APPLICATION], ids=["packaged", "of a real PandA"])
async def panda(request: pytest.FixtureRequest) -> AsyncIterator[SimulatedPandA]:
    async with SimulatedPandA(request.param, twin=True, alive=False) as panda:
        yield panda


@pytest.mark.parametrize(("name", "completion", "health"), CASES)
async def test_rows_are_those_of_the_fpga(
    panda: SimulatedPandA, name: str, completion: str, health: str
) -> None:
    wired = load(name, SCANS if name.startswith("scan") else WIRED)
    async with control(panda) as client, data(panda, "RAW") as stream:
        assert await stream.line() == "OK"
        await client.put(*wired.setup())
        for lines in wired.tables():
            assert await client.ask(*lines) == ["OK"]
        await client.put("*SIM.STEP=1000", "*PCAP.ARM=", *wired.events())
        columns, rows, end = await raw_rows(stream)
        names, bits = await client.ask(f"{BITS}.BITS?"), wired.content["buses"]["bits"]
        assert [chosen(wired, columns, row) for row in rows] == [
            [
                moved(word, bits, names) if name == BITS else word
                for (name, _, _), word in zip(wired.words, row, strict=True)
            ]
            for row in wired.rows
        ]
        assert len(rows) > 0 or name == "too-close"
        assert end == f"END {len(rows)} {completion}"
        assert await client.get("*PCAP.COMPLETION") == completion
        assert await client.get("PCAP.HEALTH") == health
        assert await client.get("PCAP.ACTIVE") == "0"
