"""The change feed against the simulator, which stands still: nothing changes but what is put."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count

import pytest

from panda_ioc.client.asyncio import AsyncioClient
from panda_ioc.client.changes import Batch, ChangeFeed
from panda_ioc.client.introspection import OrNone
from panda_ioc.errors import ConnectionLost
from panda_ioc.protocol.commands import GetMultiline, Put
from support.boxes import FaultyBox
from support.servers import Sim

HOST = "127.0.0.1"
LONG = 3600.0


@pytest.fixture(autouse=True)
def still(sim: Sim) -> None:
    sim.put("*SIM.ALIVE=0", "*SIM.OK=")


@asynccontextmanager
async def feeding(sim: Sim, batches: list[Batch]) -> AsyncIterator[ChangeFeed]:
    """A feed that has polled once, and polls again only when it is told to."""
    async with AsyncioClient(HOST, sim.port) as client:
        feed = ChangeFeed(client, LONG, batches.append, count(1).__next__)
        await feed.poll()
        yield feed


async def test_the_first_batch_holds_everything(sim: Sim) -> None:
    sim.put("SEQ1.TABLE<\n1\n2\n3\n4294967295\n", "*METADATA.LAYOUT<\none\ntwo\n")
    batches: list[Batch] = []
    async with feeding(sim, batches):
        (batch,) = batches
    assert batch.number == 1
    assert {"PULSE1.DELAY", "PULSE1.DELAY.UNITS", "TTLIN1.VAL", "PCAP.ACTIVE"} <= set(batch.texts)
    assert batch.tables["SEQ1.TABLE"].tolist() == [1, 2, 3, 4294967295]
    assert batch.lines["*METADATA.LAYOUT"] == ["one", "two"]
    assert batch.errors == frozenset()


async def test_later_ones_hold_what_has_changed(sim: Sim) -> None:
    batches: list[Batch] = []
    async with feeding(sim, batches) as feed:
        sim.put("PULSE1.PULSES=5", "SEQ2.TABLE<\n1\n2\n3\n4\n")
        await feed.poll()
        await feed.poll()
    _, news, nothing = batches
    assert news.texts["PULSE1.PULSES"] == "5"
    assert [*news.tables] == ["SEQ2.TABLE"]
    assert (nothing.number, nothing.texts, nothing.tables) == (3, {}, {})


async def test_what_can_not_be_read_comes_with_every_batch(sim: Sim) -> None:
    batches: list[Batch] = []
    async with feeding(sim, batches) as feed:
        sim.put("*SIM.ERROR=TTLIN1.VAL")
        await feed.poll()
        await feed.poll()
        sim.put("*SIM.OK=TTLIN1.VAL")
        await feed.poll()
    assert [batch.errors for batch in batches] == [set(), {"TTLIN1.VAL"}, {"TTLIN1.VAL"}, set()]
    assert "TTLIN1.VAL" in batches[-1].texts


async def test_settled_waits_for_a_poll_sent_after_it(sim: Sim) -> None:
    batches: list[Batch] = []
    async with feeding(sim, batches) as feed:
        running = asyncio.create_task(feed.run())
        await feed.settled()
        sim.put("PULSE1.PULSES=6")
        await feed.settled()
        assert batches[-1].texts["PULSE1.PULSES"] == "6"
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_the_end_of_the_connection_ends_it(sim: Sim) -> None:
    async with feeding(sim, []) as feed:
        running = asyncio.create_task(feed.run())
        await feed.settled()
        sim.put("*SIM.DROP=CONTROL")
        feed.poke()
        with pytest.raises(ConnectionLost):
            await running


async def test_words_that_are_none_cost_that_table() -> None:
    replies = (b"!SEQ1.TABLE<\n!A.B=1\n.\n", b"!???\n.\n")
    batches: list[Batch] = []
    with FaultyBox(*replies) as box:
        async with AsyncioClient(HOST, box.port) as client:
            await ChangeFeed(client, LONG, batches.append, count(1).__next__).poll()
    assert [(batch.texts, batch.errors) for batch in batches] == [({"A.B": "1"}, {"SEQ1.TABLE"})]


async def test_a_question_that_some_servers_do_not_know(sim: Sim) -> None:
    async with AsyncioClient(HOST, sim.port) as client:
        assert await client.send(OrNone(GetMultiline("*NEWS"))) is None
        assert await client.send(OrNone(Put("*NEWS"))) is None
        assert await client.send(OrNone(GetMultiline("*CAPTURE.OPTIONS")))
