"""The end of an acquisition: the hardware stops, everything is read, every client has the end."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator

import pytest
from wire import Wire, control, data

from panda_ioc.sim import SimSettings, SimulatedPandA

IN_PROGRESS = "ERR Data capture already in progress"
TAKING = "ERR Data clients still taking data"
DRAIN = 0.3


@pytest.fixture
async def panda() -> AsyncIterator[SimulatedPandA]:
    async with SimulatedPandA(alive=False) as panda, control(panda) as client:
        await client.put("*CAPTURE=", "COUNTER1.OUT.CAPTURE=Value")
        yield panda


async def arm_again(client: Wire) -> tuple[str, float]:
    """Arm until that succeeds; return the last refusal, and for how long it was refused."""
    begin, refusal = time.monotonic(), ""
    while (reply := (await client.ask("*PCAP.ARM="))[0]) != "OK":
        refusal = reply
        await asyncio.sleep(0.0005)
    return refusal, time.monotonic() - begin


async def completed(client: Wire) -> str:
    return await client.get_until("*PCAP.COMPLETION", lambda said: said != "Busy")


async def test_after_a_disarm_the_capture_thread_still_reads(
    panda: SimulatedPandA, client: Wire
) -> None:
    await client.put(f"*SIM.DRAIN={DRAIN}", "*PCAP.ARM=")
    await client.get_until("*PCAP.CAPTURED", lambda count: int(count) > 20)
    await client.put("*PCAP.DISARM=")
    assert await client.get("PCAP.ACTIVE") == "0"
    at_disarm = int(await client.get("*PCAP.CAPTURED"))
    assert await client.get("*PCAP.STATUS") == "Busy 0 0"
    assert await client.get("*PCAP.COMPLETION") == "Busy"
    assert await client.ask("*PCAP.ARM=") == [IN_PROGRESS]
    assert await completed(client) == "Disarmed"
    final = int(await client.get("*PCAP.CAPTURED"))
    assert await client.get("*PCAP.STATUS") == "Idle 0 0"
    assert final >= at_disarm + 0.5 * DRAIN * 1000
    await client.put("*PCAP.ARM=")


async def test_an_acquisition_that_ends_by_itself_ends_in_the_same_way(
    panda: SimulatedPandA, client: Wire
) -> None:
    await client.put(f"*SIM.DRAIN={DRAIN}", "*SIM.SAMPLES=50", "*PCAP.ARM=")
    await client.get_until("PCAP.ACTIVE", "0".__eq__)
    assert int(await client.get("*PCAP.CAPTURED")) < 50
    assert await client.get("*PCAP.COMPLETION") == "Busy"
    assert await client.ask("*PCAP.ARM=") == [IN_PROGRESS]
    assert await completed(client) == "Ok"
    assert await client.get("*PCAP.CAPTURED") == "50"
    await client.put("*PCAP.ARM=")


async def test_the_thread_reads_for_eight_milliseconds_unless_told_otherwise(
    panda: SimulatedPandA, client: Wire
) -> None:
    assert await client.get("*SIM.DRAIN") == "0.008"
    await client.put("*PCAP.ARM=", "*PCAP.DISARM=")
    refusal, seconds = await arm_again(client)
    assert refusal == IN_PROGRESS
    assert 0.005 < seconds < 1.0


async def test_a_thread_that_reads_at_once_can_be_asked_for() -> None:
    async with SimulatedPandA(settings=SimSettings(drain=0)) as panda, control(panda) as client:
        for _ in range(100):
            await client.put("*PCAP.ARM=", "*PCAP.DISARM=")


async def test_a_client_gets_the_end_once_everything_has_been_read(
    panda: SimulatedPandA, client: Wire
) -> None:
    await client.put(f"*SIM.DRAIN={DRAIN}")
    async with data(panda, "ASCII RAW NO_HEADER") as stream:
        await stream.line()
        await client.put("*PCAP.ARM=")
        await stream.line()
        await client.put("*PCAP.DISARM=")
        begin = time.monotonic()
        await stream.read_until(b"END ")
        assert time.monotonic() - begin > 0.8 * DRAIN
        # Whoever has seen the end may arm at once.
        await client.put("*PCAP.ARM=")


@pytest.fixture
async def slow(panda: SimulatedPandA) -> AsyncIterator[socket.socket]:
    """A data client that reads nothing once its options have been accepted."""
    with socket.socket() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.connect((panda.host, panda.data_port))
        slow.sendall(b"XML FRAMED RAW\n")
        assert slow.recv(3) == b"OK\n"
        yield slow


async def stopped_with(client: Wire, status: str) -> None:
    """Make more samples than fit into a socket, then end and wait until all have been read."""
    await client.put("*SIM.RATE=2e7", "*SIM.SAMPLES=10000000", "*PCAP.ARM=")
    assert await client.get("*PCAP.STATUS") == status
    assert await completed(client) == "Ok"


async def test_a_slow_client_holds_up_the_next_arm(
    panda: SimulatedPandA, client: Wire, slow: socket.socket
) -> None:
    await stopped_with(client, "Busy 1 1")
    assert await client.get("*PCAP.STATUS") == "Busy 1 1"
    assert await client.ask("*PCAP.ARM=") == [TAKING]
    slow.close()
    refusal, _ = await arm_again(client)
    assert refusal in (TAKING, "")
    assert await client.get("*PCAP.STATUS") == "Busy 0 0"


async def test_clients_take_part_from_the_moment_of_arming(
    panda: SimulatedPandA, client: Wire
) -> None:
    async with data(panda, "XML FRAMED RAW") as one, data(panda, "XML FRAMED RAW") as two:
        await one.line(), await two.line()
        await client.put("*SIM.HOLD=1", "*PCAP.ARM=")
        assert await client.get("*PCAP.STATUS") == "Busy 2 2"
    await client.get_until("*PCAP.STATUS", "Busy 0 0".__eq__)


async def test_a_client_that_comes_while_others_still_take_gets_the_same(
    panda: SimulatedPandA, client: Wire, slow: socket.socket
) -> None:
    await stopped_with(client, "Busy 1 1")
    async with data(panda, "XML FRAMED RAW") as late:
        await late.line()
        assert b'missed="0"' in await late.read_until(b"</header>\n\n")
        assert await client.get("*PCAP.STATUS") == "Busy 2 2"


async def test_the_end_is_not_a_change(panda: SimulatedPandA, client: Wire) -> None:
    await client.put("*PCAP.ARM=", "*CHANGES=")
    await client.put("*PCAP.DISARM=")
    assert await completed(client) == "Disarmed"
    assert await client.ask("*CHANGES?") == ["PCAP.ACTIVE=0"]
