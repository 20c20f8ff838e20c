"""A layout to begin with: settings, a table, motions; and what a bad one says."""

from itertools import pairwise
from pathlib import Path

import pytest
from wire import control, data, raw_rows

from panda_ioc.commands.demo import LAYOUT as DEMO
from panda_ioc.errors import ConfigurationError
from panda_ioc.sim import SimulatedPandA

POINTS, START, STEP = 800, 1000, 10
LAYOUT = """# A comment
PULSE1.WIDTH.UNITS=ms
PULSE1.WIDTH=3

SEQ1.TABLE<
131073 7 1 2

*SIM.TRAJECTORY=INENC1=hold:42,1s
SEQ1.ENABLE=PCAP.ACTIVE
"""


async def test_a_layout_is_put_at_start(tmp_path: Path) -> None:
    path = tmp_path / "layout"
    path.write_text(LAYOUT)
    async with SimulatedPandA(twin=True, layout=path) as panda, control(panda) as client:
        assert await client.get("PULSE1.WIDTH.RAW") == "375000"
        assert await client.ask("SEQ1.TABLE?") == ["131073", "7", "1", "2"]
        assert await client.get("SEQ1.ENABLE") == "PCAP.ACTIVE"
        await client.get_until("INENC1.VAL", lambda value: value == "42")


@pytest.mark.parametrize(
    "text",
    [
        "PULSE1.DELAY=-1\n",
        "NOTHING.HERE=1\n",
        "no setting\n",
        "SEQ1.TABLE<\n1 2 3\n\n",
        "*SIM.TRAJECTORY=INENC9=hold:1,1s\n",
    ],
)
def test_a_bad_layout_names_file_and_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "layout"
    path.write_text(f"PULSE1.PULSES=3\n{text}")
    with pytest.raises(ConfigurationError) as caught:
        SimulatedPandA(twin=True, layout=path)
    assert str(caught.value).startswith(f"{path}: {text.partition(chr(10))[0]!r}: ")


def test_a_file_that_is_no_layout_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "layout"
    with pytest.raises(ConfigurationError, match="No such file"):
        SimulatedPandA(layout=path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigurationError, match="not text"):
        SimulatedPandA(layout=path)


async def test_the_demo_captures_the_same_points_on_each_way_up() -> None:
    async with (
        SimulatedPandA(twin=True, layout=DEMO) as panda,
        control(panda) as client,
        data(panda, "RAW") as stream,
    ):
        assert await stream.line() == "OK"
        await client.put("*CAPTURE=", "INENC1.VAL.CAPTURE=Value", "COUNTER1.OUT.CAPTURE=Value")
        await client.put("*SIM.SPEED=20", "*PCAP.ARM=")
        await client.get_until("*PCAP.CAPTURED", lambda count: int(count) >= 3 * POINTS)
        await client.put("*PCAP.DISARM=")
        _, rows, end = await raw_rows(stream)
        assert end.endswith("Disarmed")
        assert await client.get("PULSE2.DROPPED") == "0"
        assert await client.get("PCOMP1.HEALTH") == "OK"
    first = next(
        number for number, row in enumerate(rows) if number and row[0] < rows[number - 1][0]
    )
    for start in (first, first + POINTS):
        places = [row[0] for row in rows[start : start + POINTS]]
        # The exposure ends after three of the four milliseconds of a point.
        assert places == [START + 7 + STEP * point for point in range(POINTS)]
    assert {after[1] - before[1] for before, after in pairwise(rows)} == {1}
