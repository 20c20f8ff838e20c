"""The simulator against what a real server said: conversations and data streams."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from wire import APPLICATION, RECORDINGS, SHARED, control, data

from panda_ioc.sim import SimSettings, SimulatedPandA

pytestmark = pytest.mark.skipif(
    not SHARED.is_dir(), reason=f"needs the recordings of a real server in {SHARED}"
)

TIME = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z")
CONVERSATIONS = [
    ("01_changes_fresh", 28),
    ("02_introspection", 2274),
    ("03_puts", 840),
    ("04_tables", 96),
    ("05_capture_control", 84),
]
# The set-up of these was left over from recordings made before them on the same server.
INHERITED = [
    "CALC1.OUT.SCALE=2.5",
    "CALC1.OUT.OFFSET=-1",
    "CALC1.OUT.UNITS=very long unit string µm",
    "INENC1.VAL.SCALE=0.5",
    "INENC1.VAL.OFFSET=10",
    "INENC1.VAL.UNITS=mm",
]
STREAMS = [
    "bad_options",
    "full_default",
    "full_text_framed_raw",
    "full_xml_ascii_raw",
    "full_xml_ascii_scaled",
    "full_xml_base64_raw",
    "full_xml_framed_raw",
    "full_xml_framed_scaled",
    "full_xml_unframed_raw",
    "mean_without_duration_raw",
    "no_header",
    "one_shot_raw",
    "small_three_arms_raw",
    "small_three_arms_scaled",
    "stddev_raw",
    "stddev_scaled",
]

RUN = "import sys; from pathlib import Path; from panda_ioc.sim import SimulatedPandA, run; " + (
    "sys.exit(run(SimulatedPandA(Path(sys.argv[1]), '127.0.0.1', 0, 0)))"
)


@pytest.mark.parametrize(("name", "exchanges"), CONVERSATIONS)
def test_recorded_conversation_is_repeated_exactly(name: str, exchanges: int) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", RUN, str(APPLICATION)], stdout=subprocess.PIPE, text=True
    ) as panda:
        ready = panda.stdout.readline() if panda.stdout else ""
        match = re.search(r"pandabox-no-fmc ready, control 127\.0\.0\.1:(\d+) data ", ready)
        assert match, ready
        replay = [sys.executable, str(SHARED / "conformance" / "replay.py"), str(RECORDINGS)]
        result = subprocess.run(
            [*replay, "--host", "127.0.0.1", "--port", match[1], "--only", name],
            capture_output=True,
            text=True,
            check=False,
        )
        panda.terminate()
    assert result.stdout.splitlines()[-1] == f"{exchanges} exchanges, 0 differ", result.stdout
    assert panda.returncode == 0


async def record(name: str) -> bytes:
    """What the simulator sends in ramp mode for the set-up of a recording."""
    setup = json.loads((RECORDINGS / "data" / f"{name}.json").read_text())
    settings = SimSettings(rate=0, samples=300, ramp=True)
    async with (
        SimulatedPandA(APPLICATION, settings=settings) as panda,
        control(panda) as client,
        data(panda, setup["options"]) as stream,
    ):
        await client.put(*INHERITED)
        await client.put(*(f"{field}.CAPTURE={kind}" for field, kind in setup["captures"]))
        got = await stream.read_until(b"\n")
        if not got.startswith(b"OK"):
            return got + await stream.rest()
        for _ in range(setup["arms"]):
            await client.put("*PCAP.ARM=")
            got += await stream.read_until(b"END 300 Ok\n")
        return got


@pytest.mark.parametrize("name", STREAMS)
async def test_recorded_stream_is_repeated_byte_for_byte(name: str) -> None:
    expected = (RECORDINGS / "data" / f"{name}.bin").read_bytes()
    assert TIME.sub(b"TIME", await record(name)) == TIME.sub(b"TIME", expected)


def test_all_recordings_are_known() -> None:
    assert {path.stem for path in Path(RECORDINGS).glob("*.jsonl")} == {n for n, _ in CONVERSATIONS}
