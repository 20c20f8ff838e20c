"""The data port: every sample, every end, several clients, slow ones."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator

import numpy as np
import pytest
from wire import Wire, control, data

from panda_ioc.sim import SimSettings, SimulatedPandA
from panda_ioc.sim.settings import REASONS
from panda_ioc.sim.signals import PERIOD, Source, ticks_per_sample

HEADER_END = b"</header>\n\n"


@pytest.fixture
async def panda() -> AsyncIterator[SimulatedPandA]:
    async with SimulatedPandA(alive=False) as panda, control(panda) as client:
        await client.put("*CAPTURE=")
        yield panda


async def frames(stream: Wire) -> tuple[bytes, int, str]:
    """All bytes of the frames up to END, with its count and reason."""
    content = []
    while (head := await stream.read(4)) == b"BIN ":
        size = int.from_bytes(await stream.read(4), "little")
        content.append(await stream.read(size - 8))
    assert head == b"END "
    count, _, reason = (await stream.line()).partition(" ")
    return b"".join(content), int(count), reason


async def acquire(stream: Wire) -> tuple[bytes, bytes, int, str]:
    header = await stream.read_until(HEADER_END)
    return (header, *await frames(stream))


CAPTURES = ("INENC1.VAL", "Value Diff Sum Min Max Mean StdDev"), ("COUNTER1.OUT", "Value Mean")
EXTENSIONS = ("TS_START", "TS_END", "TS_TRIG", "GATE_DURATION", "BITS0", "BITS3")
TYPES = {"uint32": "<u4", "int32": "<i4", "int64": "<i8", "int96": ("<u4", 3), "double": "<f8"}


def dtype_of(header: bytes) -> np.dtype[np.void]:
    fields = re.findall(r'<field name="(\S+)" type="(\w+)" capture="(\w+)"', header.decode())
    return np.dtype([(f"{name}.{kind}", TYPES[type_]) for name, type_, kind in fields])


async def capture_all(client: Wire) -> None:
    await client.put(*(f"{name}.CAPTURE={kinds}" for name, kinds in CAPTURES))
    await client.put(*(f"PCAP.{name}.CAPTURE=Value" for name in EXTENSIONS))
    await client.put("COUNTER1.START=100", "COUNTER1.STEP=7", "COUNTER1.MIN=-50")
    await client.put("COUNTER1.MAX=1000")


def source(column: str, rate: float, shift: int = 0) -> Source:
    name, _, kind = column.rpartition(".")
    counter = (100, 7, -50, 1000) if name == "COUNTER1.OUT" else None
    return Source(name, kind, ticks_per_sample(rate), shift, counter)


@pytest.mark.parametrize("rate", [0, 500_000.0])
@pytest.mark.parametrize("shift", [0, 3])
async def test_every_raw_sample_is_what_signals_says(
    panda: SimulatedPandA, client: Wire, rate: float, shift: int
) -> None:
    samples = 2 * PERIOD + 1000
    await capture_all(client)
    await client.put(f"PCAP.SHIFT_SUM={shift}", f"*SIM.SAMPLES={samples}", f"*SIM.RATE={rate:g}")
    async with data(panda, "XML FRAMED RAW") as stream:
        assert await stream.line() == "OK"
        await client.put("*PCAP.ARM=")
        header, content, count, reason = await acquire(stream)
    assert (count, reason) == (samples, "Ok")
    rows = np.frombuffer(content, dtype_of(header))
    assert len(rows) == samples
    assert len(rows.dtype.names) == 15
    for column in rows.dtype.names:
        expected = source(column, rate, shift)
        if column.endswith("StdDev"):
            squares = [int.from_bytes(row.tobytes(), "little") for row in rows[column]]
            assert squares == expected.sum_of_squares(0, samples)
        else:
            np.testing.assert_array_equal(rows[column], expected.raw(0, samples), column)


@pytest.mark.parametrize("rate", [0, 500_000.0])
async def test_every_scaled_sample(panda: SimulatedPandA, client: Wire, rate: float) -> None:
    samples = PERIOD + 500
    await capture_all(client)
    await client.put("INENC1.VAL.SCALE=-0.5", "INENC1.VAL.OFFSET=10", f"*SIM.RATE={rate:g}")
    await client.put(f"*SIM.SAMPLES={samples}")
    async with data(panda, "XML FRAMED SCALED") as stream:
        await stream.line()
        await client.put("*PCAP.ARM=")
        header, content, _, _ = await acquire(stream)
    rows = np.frombuffer(content, dtype_of(header))
    value = source("INENC1.VAL.Value", rate).raw(0, samples)
    spread = source("INENC1.VAL.Diff", rate).raw(0, samples)
    trigger = source("PCAP.TS_TRIG.Value", rate).raw(0, samples)
    np.testing.assert_array_equal(rows["INENC1.VAL.Value"], value * -0.5 + 10)
    np.testing.assert_array_equal(rows["INENC1.VAL.Mean"], value * -0.5 + 10)
    np.testing.assert_array_equal(rows["INENC1.VAL.StdDev"], spread * 0.5)
    np.testing.assert_allclose(rows["PCAP.TS_TRIG.Value"], trigger * 8e-9, rtol=1e-15)
    bits = source("PCAP.BITS3.Value", rate).raw(0, samples)
    np.testing.assert_array_equal(rows["PCAP.BITS3.Value"], bits)


async def test_columns_the_server_adds_are_raw_only(panda: SimulatedPandA, client: Wire) -> None:
    await client.put("INENC1.VAL.CAPTURE=StdDev", "*SIM.SAMPLES=3", "*SIM.RATE=0")
    names = {}
    for process in ("RAW", "SCALED"):
        async with data(panda, f"XML FRAMED {process} ONE_SHOT") as stream:
            await stream.line()
            await client.put("*PCAP.ARM=")
            header = await stream.read_until(HEADER_END)
            names[process] = dtype_of(header).names
            await stream.rest()
    added = ("PCAP.GATE_DURATION.Value", "INENC1.VAL.Mean")
    assert names == {"RAW": (*added, "INENC1.VAL.StdDev"), "SCALED": ("INENC1.VAL.StdDev",)}


async def test_text_formats_hold_the_same_samples(panda: SimulatedPandA, client: Wire) -> None:
    await client.put("COUNTER1.OUT.CAPTURE=Value", "COUNTER1.START=5", "*SIM.SAMPLES=3")
    await client.put("*SIM.RATE=0", "COUNTER1.OUT.SCALE=0.5")
    expected = {
        "ASCII SCALED NO_HEADER": b"OK\n 2.5\n 3\n 3.5\nEND 3 Ok\n",
        "ASCII RAW NO_HEADER": b"OK\n 0x00000005\n 0x00000006\n 0x00000007\nEND 3 Ok\n",
        "BASE64 RAW NO_HEADER": b"OK\n BQAAAAYAAAAHAAAA\0\nEND 3 Ok\n",
        "UNFRAMED RAW NO_HEADER": b"OK\n\5\0\0\0\6\0\0\0\7\0\0\0END 3 Ok\n",
        "UNFRAMED RAW NO_HEADER NO_STATUS": b"\5\0\0\0\6\0\0\0\7\0\0\0",
        "BARE": b"\5\0\0\0\6\0\0\0\7\0\0\0",
    }
    for options, content in expected.items():
        async with data(panda, f"{options} ONE_SHOT") as stream:
            await client.get_until("*PCAP.STATUS", "Idle 1 0".__eq__)
            await client.put("*PCAP.ARM=")
            assert await stream.rest() == content, options


async def test_unit_text_is_escaped_in_xml_only(panda: SimulatedPandA, client: Wire) -> None:
    await client.put("COUNTER1.OUT.CAPTURE=Value", 'COUNTER1.OUT.UNITS=<&"µ')
    for options, expected in (("XML", 'units="&lt;&amp;&quot;µ"'), ("", 'units: <&"µ\n')):
        async with data(panda, f"{options} FRAMED RAW") as stream:
            await stream.line()
            await client.put("*PCAP.ARM=", "*PCAP.DISARM=")
            assert expected in (await stream.read_until(b"END ")).decode()
            await stream.line()


async def header_of(panda: SimulatedPandA, client: Wire, options: str) -> str:
    async with data(panda, options) as stream:
        await stream.line()
        await client.put("*PCAP.ARM=", "*PCAP.DISARM=")
        return (await stream.read_until(b"END ")).decode(errors="replace")


async def test_header_shows_what_the_server_has_room_for(
    panda: SimulatedPandA, client: Wire
) -> None:
    await client.put("COUNTER1.OUT.CAPTURE=Value", f"COUNTER1.OUT.UNITS={'m' * 30}µ'")
    await client.put("COUNTER1.OUT.SCALE=0.1234567890123", "COUNTER1.OUT.OFFSET=1e10")
    header = await header_of(panda, client, "FRAMED RAW")
    assert f"scale: 0.123456789012 offset: 10000000000 units: {'m' * 30}\ufffd\n" in header


async def test_apostrophes_and_brackets_are_escaped(panda: SimulatedPandA, client: Wire) -> None:
    await client.put("COUNTER1.OUT.CAPTURE=Value", "COUNTER1.OUT.UNITS='>")
    assert 'units="&apos;&gt;"' in await header_of(panda, client, "XML FRAMED RAW")


async def test_a_mean_of_nothing_is_no_number(panda: SimulatedPandA, client: Wire) -> None:
    await client.put("COUNTER1.OUT.CAPTURE=Sum Mean", "PCAP.SHIFT_SUM=8", "*SIM.RATE=1e6")
    await client.put("*SIM.SAMPLES=2")
    async with data(panda, "NO_HEADER") as stream:
        await stream.line()
        await client.put("*PCAP.ARM=")
        assert (await stream.line()).split()[1] == "nan"


@pytest.mark.parametrize("reason", REASONS)
async def test_every_end_can_be_provoked(panda: SimulatedPandA, client: Wire, reason: str) -> None:
    await client.put("COUNTER1.OUT.CAPTURE=Value")
    async with data(panda, "XML FRAMED RAW") as stream:
        await stream.line()
        await client.put("*PCAP.ARM=")
        assert await client.get("*PCAP.COMPLETION") == "Busy"
        await client.put(f"*SIM.END={reason}")
        assert await client.get_until("*PCAP.COMPLETION", lambda said: said != "Busy") == reason
        _, content, count, said = await acquire(stream)
    assert said == reason
    assert len(content) == 4 * count


async def test_disarm_and_its_reason(panda: SimulatedPandA, client: Wire) -> None:
    await client.put("COUNTER1.OUT.CAPTURE=Value")
    async with data(panda, "XML FRAMED RAW") as stream:
        await stream.line()
        for reason in ("Disarmed", "Ok"):
            await client.put(f"*SIM.DISARM={reason}", "*PCAP.ARM=")
            assert await client.ask("*PCAP.ARM=") == ["ERR Data capture already in progress"]
            await client.put("*PCAP.DISARM=")
            assert (await acquire(stream))[-1] == reason


async def test_several_clients_and_a_late_one(panda: SimulatedPandA, client: Wire) -> None:
    await client.put("COUNTER1.OUT.CAPTURE=Value", "*SIM.RATE=100000")
    async with data(panda, "XML FRAMED RAW") as one, data(panda, "XML FRAMED RAW") as two:
        await one.line(), await two.line()
        await client.put("*PCAP.ARM=")
        await asyncio.sleep(0.1)
        async with data(panda, "XML FRAMED RAW") as late:
            await late.line()
            header = await late.read_until(HEADER_END)
            await client.get_until("*PCAP.STATUS", "Busy 3 3".__eq__)
            await client.put("*PCAP.DISARM=")
            first, second, third = await acquire(one), await acquire(two), await frames(late)
    assert b'missed="0"' in header
    assert first[1:] == second[1:] == third
    assert first[2] == int(await client.get("*PCAP.CAPTURED")) > 5000


async def test_late_client_misses_what_is_not_kept(panda: SimulatedPandA, client: Wire) -> None:
    await client.put("COUNTER1.OUT.CAPTURE=Value", "*SIM.RATE=1e5", "*SIM.BUFFER=200000")
    await client.put("*SIM.SAMPLES=150000", "*PCAP.ARM=")
    await client.get_until("*PCAP.CAPTURED", lambda count: int(count) > 80_000)
    async with data(panda, "XML FRAMED RAW") as late:
        await late.line()
        header = await late.read_until(HEADER_END)
        missed = int(re.search(rb'missed="(\d+)"', header)[1])  # type: ignore[index]
        content, count, reason = await frames(late)
    assert missed >= 30_000
    assert reason == "Ok"
    assert missed + count == 150_000
    expected = Source("COUNTER1.OUT", "Value", counter=(0, 1, 0, 0)).raw(missed, missed + count)
    np.testing.assert_array_equal(np.frombuffer(content, "<i4"), expected)


async def stalled_reader(
    panda: SimulatedPandA, client: Wire, process: str
) -> tuple[bytes, int, str]:
    """A reader with a small socket buffer that reads nothing until it has been overrun."""
    await client.put("COUNTER1.OUT.CAPTURE=Value", "*SIM.RATE=2e7", "*SIM.BUFFER=8000000")
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.connect((panda.host, panda.data_port))
    stream = Wire(*await asyncio.open_connection(sock=raw, limit=4096))
    stream.writer.write(f"XML FRAMED {process}\n".encode())
    await stream.line()
    await client.put("*PCAP.ARM=")
    await asyncio.sleep(1.0)
    await stream.read_until(HEADER_END)
    try:
        return await frames(stream)
    finally:
        await client.put("*PCAP.DISARM=")
        await stream.close()


async def test_slow_reader_overruns_and_its_last_raw_frame_is_corrupt(
    panda: SimulatedPandA, client: Wire
) -> None:
    content, count, reason = await stalled_reader(panda, client, "RAW")
    values = np.frombuffer(content, "<i4")
    expected = Source("COUNTER1.OUT", "Value", counter=(0, 1, 0, 0)).raw(0, count)
    assert reason == "Data overrun"
    assert len(values) == count
    wrong = np.flatnonzero(values != expected)
    assert wrong[0] >= count - 1024
    assert wrong[-1] == count - 1


async def test_slow_scaled_reader_gets_good_samples_only(
    panda: SimulatedPandA, client: Wire
) -> None:
    content, count, reason = await stalled_reader(panda, client, "SCALED")
    expected = Source("COUNTER1.OUT", "Value", counter=(0, 1, 0, 0)).raw(0, count)
    assert reason == "Data overrun"
    np.testing.assert_array_equal(np.frombuffer(content, "<f8"), expected)


async def test_frames_are_as_small_as_asked(panda: SimulatedPandA, client: Wire) -> None:
    await client.put("COUNTER1.OUT.CAPTURE=Value", "*SIM.FRAME=3", "*SIM.SAMPLES=10")
    await client.put("*SIM.RATE=0")
    async with data(panda, "FRAMED RAW NO_HEADER") as stream:
        await stream.line()
        await client.put("*PCAP.ARM=")
        sizes = []
        while await stream.read(4) == b"BIN ":
            sizes.append(int.from_bytes(await stream.read(4), "little"))
            await stream.read(sizes[-1] - 8)
    assert sizes == [20, 20, 20, 12]


async def test_data_connections_can_be_dropped(panda: SimulatedPandA, client: Wire) -> None:
    async with data(panda, "XML FRAMED RAW") as stream:
        await stream.line()
        await client.put("*SIM.DROP=DATA")
        assert await stream.rest() == b""


async def test_client_that_goes_away_is_forgotten(panda: SimulatedPandA, client: Wire) -> None:
    async with data(panda, "XML FRAMED RAW") as stream:
        await stream.line()
        await client.get_until("*PCAP.STATUS", "Idle 1 0".__eq__)
    await client.get_until("*PCAP.STATUS", "Idle 0 0".__eq__)


async def test_hardware_time_is_in_the_header_once_there_is_a_source(
    panda: SimulatedPandA, client: Wire
) -> None:
    await client.put("COUNTER1.OUT.CAPTURE=Value", "SYSTEM.TIMESTAMP_SOURCE=sfp2")
    async with data(panda, "XML FRAMED RAW") as stream:
        await stream.line()
        await client.put("*PCAP.ARM=")
        assert b'hw_time_offset_ns="0"' in await stream.read_until(HEADER_END)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("XML  NOPE", "Invalid data capture option"),
        ("XML FRAMED ", "No name found"),
        ("XML\r", "Cannot process CR character"),
        (" \r", "Cannot process CR character"),
        ("x" * 32, "Name too long"),
        ("xml", "Invalid data capture option"),
    ],
)
async def test_garbage_instead_of_options(panda: SimulatedPandA, options: str, said: str) -> None:
    async with data(panda, options) as stream:
        assert (await stream.rest()).decode().startswith(f"ERR {said}")


@pytest.mark.parametrize("options", ["", "\0\xff", " XML\tFRAMED RAW", "BARE DEFAULT", "XML\0x"])
async def test_unusual_options_that_are_good(panda: SimulatedPandA, options: str) -> None:
    async with data(panda, options) as stream:
        assert await stream.line() == "OK"


async def test_stops_while_clients_are_streaming() -> None:
    panda = SimulatedPandA(settings=SimSettings(rate=0))
    await panda.start()
    async with control(panda) as client, data(panda, "XML FRAMED RAW") as stream:
        await stream.line()
        await client.put("*PCAP.ARM=")
        await stream.read(1 << 20)
        await asyncio.wait_for(panda.stop(), 5)
        await stream.rest()
