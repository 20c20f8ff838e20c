"""What only the asyncio client can do: many things at once, and giving up in the middle."""

import asyncio
import gc
import time
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from panda_ioc.client import _async_data
from panda_ioc.client.asyncio import AsyncioClient
from panda_ioc.errors import CommandError, CommandTimeout, ConnectionLost, ProtocolError
from panda_ioc.protocol.commands import (
    Disarm,
    Get,
    GetBlockInfo,
    GetFieldInfo,
    Put,
)
from panda_ioc.protocol.responses import Data, EndData, EndReason, FrameData, ReadyData
from support.arming import arm_async
from support.boxes import Do, FaultyBox
from support.servers import Sim

HOST = "127.0.0.1"


async def test_concurrent_senders_each_get_their_own(sim: Sim) -> None:
    async def sender(client: AsyncioClient, name: int) -> None:
        for number in range(20):
            text = f"{name} {number}"
            assert await client.send(Get(f"*ECHO {text}")) == text
            with pytest.raises(CommandError, match=f"NO{name}X{number}=1 -> ERR"):
                await client.send(Put(f"NO{name}X{number}", "1"))

    async with AsyncioClient(HOST, sim.port, sim.data_port) as client:
        introspection = asyncio.create_task(client.send(GetFieldInfo("SEQ")))
        await asyncio.gather(*(sender(client, name) for name in range(32)))
        assert (await introspection)["TABLE"].row_words == 4


async def test_commands_of_one_turn_leave_in_their_order() -> None:
    with FaultyBox() as box:
        async with AsyncioClient(HOST, box.port) as client:
            results = await asyncio.gather(*(client.send(Get(f"X{n}")) for n in range(500)))
        assert results == [f"X{n}?" for n in range(500)]
        assert box.lines == ["*IDN?", *results]


async def test_a_cancelled_command_does_not_disturb_the_others() -> None:
    with FaultyBox((b"O", b"K =late\n")) as box:
        async with AsyncioClient(HOST, box.port) as client:
            late = asyncio.create_task(client.send(Get("A")))
            other = asyncio.create_task(client.send(Get("B")))
            await asyncio.sleep(0)
            late.cancel()
            assert await other == "B?"
            with pytest.raises(asyncio.CancelledError):
                await late
            assert await client.send(Get("C")) == "C?"


async def test_a_command_of_several_exchanges_is_cancelled() -> None:
    with FaultyBox((b"!A 1\n", b".\n")) as box:
        async with AsyncioClient(HOST, box.port) as client:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.001):
                    await client.send(GetBlockInfo())
            assert await client.send(Get("C")) == "C?"


@pytest.mark.parametrize("turns", range(6))
async def test_connecting_is_cancelled(turns: int) -> None:
    with FaultyBox(Do.HANG, identify=False) as box:
        client = AsyncioClient(HOST, box.port)
        task = asyncio.create_task(client.connect())
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not client.is_connected()


async def test_connecting_twice_at_once_makes_one_connection() -> None:
    with FaultyBox() as box:
        client = AsyncioClient(HOST, box.port)
        await asyncio.gather(*(client.connect() for _ in range(5)))
        assert box.lines == ["*IDN?"]
        assert await client.send(Get("A")) == "A?"
        await client.connect()
        assert box.lines == ["*IDN?", "A?", "*IDN?"]
        await client.close()


async def test_connecting_goes_on_for_the_others_when_one_is_cancelled() -> None:
    with FaultyBox((b"OK =x", b"\n"), (b"OK =x", b"\n"), identify=False) as box:
        client = AsyncioClient(HOST, box.port)
        first, second = (asyncio.create_task(client.connect()) for _ in range(2))
        while not box.lines:  # noqa: ASYNC110 - the box is a thread
            await asyncio.sleep(0.001)
        first.cancel()
        await second
        assert first.cancelled()
        assert await client.send(Get("A")) == "A?"
        await client.close()


@pytest.mark.parametrize("turns", range(8))
async def test_closing_while_connecting(turns: int) -> None:
    with FaultyBox(Do.HANG, identify=False) as box:
        client = AsyncioClient(HOST, box.port)
        connecting = asyncio.create_task(client.connect())
        for _ in range(turns):
            await asyncio.sleep(0)
        await asyncio.sleep(0)  # it has begun
        await client.close()
        with pytest.raises(ConnectionLost, match="the client was closed"):
            await connecting
        assert not client.is_connected()


async def test_a_timeout_may_be_told_to_end_what_waits_behind_it() -> None:
    with FaultyBox(Do.HANG) as box:
        async with AsyncioClient(HOST, box.port, close_on_timeout=True) as client:
            first = asyncio.create_task(client.send(Get("A"), timeout=0.05))
            behind = asyncio.create_task(client.send(Get("B")))
            with pytest.raises(CommandTimeout, match=r"A\?: no reply from .* 0.05 s"):
                await first
            with pytest.raises(ConnectionLost, match=r"B\?: .* closed, as A\?: no reply"):
                await behind
            assert "in 0.05 s" in str(await client.wait_closed())


async def test_closing_fails_what_is_pending() -> None:
    with FaultyBox(Do.HANG) as box:
        client = AsyncioClient(HOST, box.port, timeout=None)
        await client.connect()
        pending = asyncio.create_task(client.send(Get("A")))
        await asyncio.sleep(0)
        await client.close()
        with pytest.raises(ConnectionLost, match="the client was closed"):
            await pending


@pytest.mark.parametrize(
    ("action", "error"),
    [(Do.CLOSE, ConnectionLost), (Do.RESET, ConnectionLost), (b"what\n", ProtocolError)],
)
async def test_the_end_can_be_waited_for(action: Do | bytes, error: type[Exception]) -> None:
    with FaultyBox(action) as box:
        async with AsyncioClient(HOST, box.port) as client:
            watch = asyncio.create_task(client.wait_closed())
            with pytest.raises(error):
                await client.send(Get("A"))
            assert isinstance(await watch, error)
            assert isinstance(await client.wait_closed(), error)


async def test_a_box_that_hangs_up_while_idle_is_noticed(sim: Sim) -> None:
    async with (
        AsyncioClient(HOST, sim.port, sim.data_port) as client,
        AsyncioClient(HOST, sim.port, sim.data_port) as other,
    ):
        await other.send(Put("*SIM.DROP", "CONTROL"))
        assert isinstance(await client.wait_closed(), ConnectionLost)
        assert not client.is_connected()
        await client.connect()
        assert await client.send(Get("*ECHO x")) == "x"


async def skip(stream: AsyncIterator[Data]) -> None:
    async for event in stream:
        assert isinstance(event, FrameData)


async def disarm(client: AsyncioClient) -> None:
    """Disarm, and wait until the next test can arm."""
    await client.send(Disarm())
    while not str(await client.send(Get("*PCAP.STATUS"))).startswith("Idle"):
        pass


async def test_data_dropped_in_mid_acquisition(sim: Sim) -> None:
    async with (
        AsyncioClient(HOST, sim.port, sim.data_port) as client,
        aclosing(client.data()) as stream,
    ):
        assert await anext(stream) == ReadyData()
        await client.send(Put("COUNTER1.OUT.CAPTURE", "Value"))
        await arm_async(client)
        await anext(stream)
        assert isinstance(await anext(stream), FrameData)
        await client.send(Put("*SIM.DROP", "DATA"))
        with pytest.raises(ConnectionLost):
            await skip(stream)
        await disarm(client)


async def test_events_that_are_not_fetched_are_bounded(
    sim: Sim, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading stops, the box overruns and says so, and what was received is all there."""
    monkeypatch.setattr(_async_data, "MAX_BYTES", 1 << 20)
    async with (
        AsyncioClient(HOST, sim.port, sim.data_port) as client,
        aclosing(client.data(scaled=False)) as stream,
    ):
        await anext(stream)
        await client.send([Put("*SIM.RATE", "2e6"), Put("*SIM.BUFFER", str(1 << 22))])
        await arm_async(client)
        await anext(stream)
        await asyncio.sleep(1.5)
        samples, end = 0, None
        async for event in stream:
            if isinstance(event, EndData):
                end = event
                break
            assert isinstance(event, FrameData)
            samples += len(event.data)
        await client.send([Put("*SIM.RATE", "1000"), Put("*SIM.BUFFER", str(1 << 26))])
        await disarm(client)
    assert end is not None
    assert end.reason is EndReason.DATA_OVERRUN
    assert samples == end.samples


async def test_nothing_is_left_behind(sim: Sim) -> None:
    for _ in range(5):
        async with AsyncioClient(HOST, sim.port, sim.data_port) as client:
            await client.send(Get("*ECHO x"))
            async with aclosing(client.data()) as stream:
                await anext(stream)
    gc.collect()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_slow_listener_is_not_taken_for_a_silent_box(sim: Sim) -> None:
    async with (
        AsyncioClient(HOST, sim.port, sim.data_port) as client,
        aclosing(client.data(frame_timeout=0.3)) as stream,
    ):
        await anext(stream)
        await arm_async(client)
        for _ in range(3):
            time.sleep(0.4)  # noqa: ASYNC251 - nothing is read meanwhile
            await anext(stream)
        await disarm(client)


@pytest.mark.parametrize("turns", range(0, 30, 3))
async def test_anything_may_be_cancelled_anywhere(sim: Sim, turns: int) -> None:
    """A command of several exchanges, several commands, data: what comes next is undisturbed."""

    async def receive(client: AsyncioClient) -> None:
        async with aclosing(client.data(flush_period=0.001)) as stream:
            async for _ in stream:
                pass

    async with AsyncioClient(HOST, sim.port, sim.data_port) as client:
        for work in (
            client.send(GetFieldInfo("SEQ")),
            client.send([GetBlockInfo(), *(Get(f"*ECHO {n}") for n in range(5))]),
            receive(client),
            client.wait_closed(),
        ):
            task = asyncio.create_task(work)
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            assert task.cancelled() or task.exception() is None
            assert await client.send(Get("*ECHO next")) == "next"
    gc.collect()
    assert asyncio.all_tasks() == {asyncio.current_task()}
