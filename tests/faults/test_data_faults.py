"""The data port at fault: what live data say of it; the control port is not concerned."""

import asyncio
import struct
from collections.abc import Iterator

import numpy as np
import proxy as faults
import pytest
from proxy import Do, Welcome
from scene import CANARY, Scene

from support.datastream import Column, end, frame, header
from support.truth import COMM, INVALID

COLUMNS: list[Column] = [("COUNTER1.OUT", "int32", "Value"), ("COUNTER2.OUT", "int32", "Value")]
HEADER = header(COLUMNS, 8)
SAMPLES = frame(struct.pack("<8i", *range(8)))
MEMORY = 150 << 20

STREAMS: dict[str, bytes] = {
    "garbage": bytes(range(256)) * 8,
    "an unasked OK": b"OK\n",
    "a header that is not XML": b"<header>\n<data <<<&&& </header>\n\n",
    "a header with an entity": b'<!DOCTYPE a [<!ENTITY b "cccc">]>\n<header>\n&b;</header>\n\n',
    "a header with nothing in it": b"<header>\n</header>\n\n",
    "a header without fields": header([], 0),
    "samples larger than their fields": header(COLUMNS, 80),
    "samples smaller than their fields": header(COLUMNS, 7),
    "samples of no bytes": header(COLUMNS, 0),
    "samples of negative size": header(COLUMNS, -8),
    "samples of absurd size": header(COLUMNS, 10**18),
    "an unknown column type": header([("COUNTER1.OUT", "complex512", "Value")], 64),
    "one column twice": header([COLUMNS[0], COLUMNS[0]], 8),
    "a scale that is not a number": header(COLUMNS, 8, scaling='scale="big" offset="0" units=""'),
    "no frame after the header": HEADER + b"WHAT IS THIS",
    "a frame of 4 GB": HEADER + b"BIN \xff\xff\xff\xff" + bytes(100),
    "a frame smaller than its head": HEADER + b"BIN \x00\x00\x00\x00",
    "a frame of half a sample": HEADER + SAMPLES + frame(bytes(12)),
    "an END that counts nothing": HEADER + SAMPLES + b"END many Ok\n",
    "an END line without end": HEADER + SAMPLES + b"END 4 " + b"x" * 5000,
    "samples without a header": SAMPLES * 3,
}


@pytest.fixture
async def live(scene: Scene) -> Scene:
    """The scene with the data port open and the box taking 2000 samples a second."""
    scene.sim.put("*SIM.END=Ok", "*SIM.RATE=2000", "*SIM.SAMPLES=0", "*SIM.PERIOD=0.01")
    await is_open(scene)
    scene.begin_log()
    return scene


def readers(scene: Scene) -> int:
    """Data connections that the box has."""
    return int(scene.sim.ask("*PCAP.STATUS?")[0].split()[-2])


async def is_open(scene: Scene) -> None:
    """Wait for the bridge to be connected to the data port, and to that of the box."""
    await scene.until(lambda: readers(scene) == 1, "one data connection")
    await scene.until(lambda: _is_waiting(scene), "waiting for an acquisition")


async def reset(scene: Scene) -> None:
    """End the data connection, and wait until the bridge knows."""
    with scene.see("DATA:LIVE:STATE") as state:
        await state.until(lambda _: True)
        scene.proxy.data.end(Do.RESET)
        await state.until(lambda text: str(text) == "Disconnected")


async def _is_waiting(scene: Scene) -> bool:
    return str(await scene.get("DATA:LIVE:STATE")).startswith(("Waiting", "Ended", "Running"))


async def acquires(scene: Scene, samples: int = 400) -> None:
    """An acquisition comes, to the last sample."""
    await is_open(scene)
    scene.sim.put(f"*SIM.SAMPLES={samples}")
    with scene.see("DATA:LIVE:STATE") as state, scene.see("DATA:LIVE:RECEIVED") as received:
        await state.until(lambda _: True)
        since = len(state.updates)
        assert await scene.put("PCAP:ARM", 1)
        ended = await state.until(lambda text: str(text) == "Ended: Ok", since)
        await received.until(lambda count: count == samples)
        assert ended.severity == 0
    shown = await scene.get("COUNTER1:OUT:DATA:VALUE")
    assert len(shown) == samples
    assert set(np.diff(shown)) <= {0.0, 1.0}
    scene.sim.put("*SIM.SAMPLES=0")


async def is_unconcerned(scene: Scene) -> bool:
    """Whether the control port works as ever."""
    return await scene.put(CANARY, 2) and await scene.is_connected()


@pytest.mark.parametrize("name", STREAMS)
async def test_a_bad_stream_is_said_and_left(live: Scene, name: str) -> None:
    peak = live.peak_memory()
    with live.see("DATA:LIVE:STATE") as state:
        await state.until(lambda _: True)
        assert live.proxy.data.inject(STREAMS[name]) == 1
        lost = await state.until(lambda u: (u.severity, u.status) == (INVALID, COMM))
        assert str(lost) == "Disconnected"
    assert await is_unconcerned(live)
    assert len(live.problems()) == 1, live.problems()
    await acquires(live)
    assert live.peak_memory() - peak < MEMORY


@pytest.mark.parametrize("reason", ["Whatever", "Ok or not", "\xff\xfe"])
async def test_an_end_with_an_unknown_reason_is_no_good_end(live: Scene, reason: str) -> None:
    stream = HEADER + SAMPLES + end(4, reason)
    with live.see("DATA:LIVE:STATE") as state:
        await state.until(lambda _: True)
        assert live.proxy.data.inject(stream) == 1
        bad = await state.until(lambda update: update.severity > 1)
        assert str(bad) != "Ended: Ok"
    assert await is_unconcerned(live)
    assert len(live.problems()) <= 2, live.problems()
    await reset(live)
    await acquires(live)


async def test_live_data_go_on_after_an_acquisition_that_cannot_be_shown(live: Scene) -> None:
    """A mean that does not come with the duration to divide by."""
    means = header([("COUNTER1.OUT", "int64", "Mean")], 8)
    with live.see("DATA:LIVE:STATE") as state:
        await state.until(lambda _: True)
        assert live.proxy.data.inject(means + frame(bytes(32)) + end(4)) == 1
        bad = await state.until(lambda update: update.severity > 1)
        assert str(bad) == "Ended: Unknown exception"
    await acquires(live)


@pytest.mark.parametrize(
    "piece", [b"<header>\n" + b"<field/>" * 1000, b"a" * 60000, b"<x/>\n" * 9000]
)
async def test_a_header_that_never_ends_takes_little_memory(live: Scene, piece: bytes) -> None:
    peak = live.peak_memory()
    with live.see("DATA:LIVE:STATE") as state:
        await state.until(lambda _: True)
        live.proxy.data.inject(b"<header>\n")
        live.proxy.data.down = faults.flood(piece)
        live.sim.put("*PCAP.ARM=")
        await state.until(lambda u: (u.severity, u.status) == (INVALID, COMM))
    assert live.peak_memory() - peak < MEMORY
    live.proxy.heal()
    live.sim.put("*PCAP.DISARM=")
    assert await is_unconcerned(live)
    assert len(live.problems()) <= 4, live.problems()
    await acquires(live)


CUTS: dict[str, faults.Rule] = {
    "reset between frames": lambda link, data: (data, Do.RESET),
    "reset in the middle of a frame": faults.cut(13, Do.RESET),
    "end of file in the middle of a frame": faults.cut(13, Do.CLOSE),
    "half closed in the middle of a frame": faults.cut(13, Do.HALF_CLOSE),
    "half closed between frames": lambda link, data: (data, Do.HALF_CLOSE),
    "damaged bytes": lambda link, data: (data[:7], b"\xff\xff\xff", data[10:]),
}


@pytest.mark.parametrize("name", CUTS)
async def test_an_acquisition_that_is_cut_says_so(live: Scene, name: str) -> None:
    with live.see("DATA:LIVE:STATE") as state, live.see("DATA:LIVE:RECEIVED") as received:
        assert await live.put("PCAP:ARM", 1)
        await state.until(lambda text: str(text) == "Running")
        await received.until(lambda count: count > 100)
        live.proxy.data.down = CUTS[name]
        await state.until(lambda update: update.severity >= 2)
        since = len(state.updates)
        live.proxy.heal()
        await state.until(lambda text: str(text) != "Disconnected", since)
        assert await is_unconcerned(live)
        assert not any(str(text) == "Ended: Ok" for text in state.updates[1:])
    assert len(live.problems()) <= 2, live.problems()
    live.sim.put("*PCAP.DISARM=")
    await acquires(live)


@pytest.mark.parametrize("rule", [faults.chopped, faults.delayed(0.05)], ids=["chopped", "late"])
async def test_a_poor_network_changes_no_sample(live: Scene, rule: faults.Rule) -> None:
    live.proxy.data.down = rule
    await acquires(live, 1000)
    assert live.problems() == []


async def test_a_stream_that_stands_still_for_a_while_loses_nothing(live: Scene) -> None:
    live.sim.put("*SIM.SAMPLES=4000")
    with live.see("DATA:LIVE:STATE") as state, live.see("DATA:LIVE:RECEIVED") as received:
        assert await live.put("PCAP:ARM", 1)
        await received.until(lambda count: 100 < count < 4000)
        live.proxy.data.hold()
        await asyncio.sleep(1)
        live.proxy.data.release()
        await received.until(lambda count: count == 4000)
        await state.until(lambda text: str(text) == "Ended: Ok")
    assert live.problems() == []


@pytest.mark.parametrize("reason", ["Driver data overrun", "Framing error", "DMA data error"])
async def test_an_acquisition_that_fails_says_why(live: Scene, reason: str) -> None:
    with live.see("DATA:LIVE:STATE") as state:
        assert await live.put("PCAP:ARM", 1)
        await state.until(lambda text: str(text) == "Running")
        live.sim.put(f"*SIM.END={reason}")
        ended = await state.until(lambda text: str(text) == f"Ended: {reason}")
        assert ended.severity == 2
    await acquires(live)


@pytest.mark.parametrize("welcome", [Welcome.REFUSE, Welcome.IGNORE, Welcome.HANG_UP])
async def test_a_data_port_that_does_not_take_us_is_tried_again(
    live: Scene, welcome: Welcome
) -> None:
    live.proxy.data.welcome(welcome)
    with live.see("DATA:LIVE:STATE") as state:
        await state.until(lambda _: True)
        live.proxy.data.end(Do.RESET)
        await state.until(lambda u: (u.severity, u.status) == (INVALID, COMM))
    await asyncio.sleep(2)
    attempts = live.proxy.data.accepted
    assert await is_unconcerned(live)
    assert len(live.problems()) <= 6, live.problems()
    live.proxy.data.end(Do.RESET)
    live.proxy.heal()
    await acquires(live)
    assert live.proxy.data.accepted - attempts < 20


@pytest.mark.parametrize("answer", [b"ERR no more connections\n", b"WHAT?\n", b"\0" * 3000])
async def test_a_data_port_that_refuses_the_options_is_tried_again(
    live: Scene, answer: bytes
) -> None:
    live.proxy.data.down = faults.instead(answer)
    with live.see("DATA:LIVE:STATE") as state:
        await state.until(lambda _: True)
        live.proxy.data.end(Do.RESET)
        await state.until(lambda u: (u.severity, u.status) == (INVALID, COMM))
        await asyncio.sleep(1)
        assert str(await live.get("DATA:LIVE:STATE")) == "Disconnected"
    assert await is_unconcerned(live)
    live.proxy.data.end(Do.RESET)
    live.proxy.heal()
    await acquires(live)


async def test_the_data_port_does_not_mind_faults_of_the_control_port(live: Scene) -> None:
    with live.see("DATA:LIVE:STATE") as state, live.see("DATA:LIVE:RECEIVED") as received:
        assert await live.put("PCAP:ARM", 1)
        count = await received.until(lambda count: count > 0)
        since = len(state.updates)
        live.proxy.control.end(Do.RESET)
        await received.until(lambda later: later > count + 1000)
        assert {str(text) for text in state.updates[since:]} <= {"Running"}
    await live.until(live.is_connected, "STATUS is CONNECTED")
    assert await live.put("PCAP:ARM", 0)
    await acquires(live)


@pytest.fixture(autouse=True)
def data_healed(scene: Scene) -> Iterator[None]:
    """Connections that were accepted and ignored would stay so."""
    yield
    scene.proxy.heal()
    scene.proxy.data.end(Do.RESET)
